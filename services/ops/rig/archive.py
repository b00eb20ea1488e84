"""The real archive beside the room that a suite tests: its own database, its own door, told of bodies by its inbox."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import import_module
from typing import Any

from anjuan.archive.v1.archive_pb2 import AppendRequest, OpenUploadRequest
from anjuan.archive.v1.archive_pb2_grpc import ArchiveStub
from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from services.kit import clock, events, rpc, run
from services.kit.identity import Actor, sign_token, system
from services.kit.inbox.streams import Listener
from services.ops.rig.session import Rig

NAME = "archive_beside"  # no database of the archive's own suite is touched


@dataclass
class ArchiveBeside:
    """`address` is its door while it serves; `bring` uploads as people do."""

    rig: Rig
    known: set[str] = field(default_factory=set)
    brought: set[tuple[str, str, bytes]] = field(default_factory=set)
    address: str = ""

    def start(self) -> ArchiveBeside:
        """Migrated and serving."""
        room = replace(import_module("services.archive.__main__").ROOM, name=NAME)
        folder = self.rig.place.data / NAME
        settings = replace(self.rig.fresh_database(NAME), objects=f"file://{folder / 'objects'}", data=folder)
        run.migrate(room, settings)
        self.host = run.open_host(room, settings)
        self.listener = Listener.of(room, self.host)
        self.server = rpc.serve(self.host, room.rpc(self.host), "127.0.0.1:0", threads=4)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()
        self.channel = rpc.channel(self.address)
        self.stub = ArchiveStub(self.channel)
        return self

    def end(self) -> None:
        """Nothing of it is left open."""
        self.channel.close()
        self.server.stop(None).wait()
        self.host.engine.dispose()

    def knows(self, body_id: str) -> None:
        """identity has told it of a body."""
        if body_id in self.known:
            return
        self.known.add(body_id)
        fact = BodyChanged(body=Body(body_id=body_id, name=body_id, kind="court", tier="basic"))
        self.listener.take([events.encode(events.Event(
            event_id=clock.new_id(), source="identity", type="BodyChanged", aggregate_id=body_id, seq=1,
            occurred_on=date(2025, 1, 1), at=clock.now(), actor=system("test"), raw=events.to_raw(fact),
            body_id=body_id,
        ))])  # fmt: skip

    def token(self, actor: Actor) -> str:
        """A signed-in caller's."""
        return sign_token(actor, self.rig.settings.site, (self.rig.place.keys / "token.pem").read_bytes())

    def bring(self, actor: Actor, data: bytes, body_id: str = "") -> str:
        """Upload a file to a body (staff: to their own); answers its hash. Sent before, it is not sent again."""
        body_id, sha256 = body_id or actor.body_id, hashlib.sha256(data).hexdigest()
        sent = (actor.person_id, body_id, data)
        if sent not in self.brought:
            self.send(actor, self.open(actor, data, body_id), data)
            self.brought.add(sent)
        return sha256

    def open(self, actor: Actor, data: bytes, body_id: str) -> str:
        """Announce a file; answers the session's id."""
        self.knows(body_id)
        asked = OpenUploadRequest(
            size=len(data), sha256=hashlib.sha256(data).hexdigest(), file_name="材料", media_type="text/plain",
            purpose="material", body_id=body_id,
        )  # fmt: skip
        return str(rpc.invoke(self.stub.OpenUpload, asked, token=self.token(actor)).upload_id)

    def send(self, actor: Actor, upload_id: str, piece: bytes, offset: int = 0) -> Any:
        """The next bytes; answers the session."""
        asked = AppendRequest(upload_id=upload_id, offset=offset, chunk=piece)
        return rpc.invoke(self.stub.Append, asked, token=self.token(actor))
