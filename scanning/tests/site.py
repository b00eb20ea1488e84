"""The platform's side for the tests: real identity, archive and gateway on a real database, and a line that breaks."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from anjuan.identity.v1 import identity_pb2 as pb
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from gateway.app import create
from gateway.settings import GatewaySettings
from services.archive.__main__ import ROOM as ARCHIVE
from services.archive.tests.scene import BUREAU, CLERK, Scene
from services.archive.usecases.covers import print_separator_sheets
from services.archive.usecases.uploads import ASSEMBLE
from services.identity.__main__ import ROOM as IDENTITY
from services.kit import jobs, rpc, run
from services.kit.identity import Actor, sign_token
from services.kit.settings import Settings
from services.kit.testing import until
from services.ops.rig.session import Rig

OPERATOR = Actor("operator", "p-operator", "运维")
ADMIN = Actor("staff", "p-admin", "管理员", BUREAU, frozenset({"body_administrator"}))


def free_port() -> int:
    """Of this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Site:
    """What a station meets. `scene` is the archive's side."""

    settings: Settings
    scene: Scene
    base_url: str
    server: uvicorn.Server

    def token(self, actor: Actor) -> str:
        """As identity would sign it."""
        return sign_token(actor, self.settings.site, (self.settings.data / "keys" / "token.pem").read_bytes())

    def post(self, actor: Actor, path: str, body: Any) -> Any:
        """JSON of a POST."""
        headers = {"Authorization": f"Bearer {self.token(actor)}"}
        answer = httpx.post(f"{self.base_url}/api/v1{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def get(self, actor: Actor, path: str) -> Any:
        """JSON of a GET."""
        answer = httpx.get(f"{self.base_url}/api/v1{path}", headers={"Authorization": f"Bearer {self.token(actor)}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def approve_all(self) -> int:
        """Every station that asks; how many there are."""
        found = self.get(ADMIN, f"/stations?body_id={BUREAU}")["stations"]
        for station in found:
            if station["state"] == "requested":
                self.post(ADMIN, f"/stations/{station['station_id']}/decision", {"decision": "approve"})
        return len(found)

    def code(self, case_id: str) -> str:
        """What a printed sheet of the case says."""
        from anjuan.archive.v1.archive_pb2 import PrintSeparatorSheetsRequest

        request = PrintSeparatorSheetsRequest(case_id=case_id)
        return print_separator_sheets(self.scene.begin(CLERK), self.scene.packs, CLERK, request).codes[0]

    def batches(self) -> list[Any]:
        """Every batch, newest first, with its piles."""
        found = self.get(CLERK, "/scan-batches?limit=100")["batches"]
        return [self.get(CLERK, f"/scan-batches/{b['batch_id']}") for b in found]


@contextmanager
def open_site(rig: Rig, folder: Path) -> Iterator[Site]:
    """Both rooms, a worker that joins uploads, and the gateway."""
    objects, ports = f"file://{folder / 'objects'}", (free_port(), free_port(), free_port())
    settings = replace(rig.settings, objects=objects)
    hosts = []
    for room in (IDENTITY, ARCHIVE):
        run.migrate(room, settings)
        hosts.append(run.open_host(room, settings))
    rig.empty_tables(["identity", "archive"])
    servers = [rpc.serve(host, room.rpc(host), f"127.0.0.1:{port}")
               for room, host, port in zip((IDENTITY, ARCHIVE), hosts, ports, strict=False)]  # fmt: skip
    for server in servers:
        server.start()
    stop = threading.Event()
    joiner = replace(ARCHIVE, jobs={ASSEMBLE: ARCHIVE.jobs[ASSEMBLE]})
    worker = threading.Thread(target=jobs.Worker(joiner, settings).run, args=(stop,))
    worker.start()
    where = {"identity": f"127.0.0.1:{ports[0]}", "archive": f"127.0.0.1:{ports[1]}"}
    web = uvicorn.Server(uvicorn.Config(create(GatewaySettings(rpc=where)), port=ports[2], log_level="critical",
                                        timeout_graceful_shutdown=3))  # fmt: skip
    door = threading.Thread(target=web.run)
    door.start()
    try:
        until(lambda: web.started, 20, "the gateway")
        site = Site(settings, Scene(hosts[1]), f"http://127.0.0.1:{ports[2]}", web)
        _furnish(site, where["identity"])
        yield site
    finally:
        web.should_exit = True
        stop.set()
        door.join()
        worker.join()
        for server in servers:
            server.stop(0).wait()
        for host in hosts:
            host.engine.dispose()


def _furnish(site: Site, identity: str) -> None:
    site.scene.furnish()
    body = pb.Body(body_id=BUREAU, name="江门市市场监督管理局", kind="bureau", tier="city", code="江")
    with rpc.channel(identity) as channel:
        told = pb.ImportBodiesRequest(bodies=[body])
        rpc.invoke(IdentityStub(channel).ImportBodies, told, token=site.token(OPERATOR))


class Line:
    """A TCP line to the gateway that breaks after a random number of bytes, in either direction, or is down."""

    def __init__(self, target: str, seed: int, shortest: int = 200, longest: int = 400_000) -> None:
        host, port = target.removeprefix("http://").split(":")
        self.target, self.chance = (host, int(port)), random.Random(seed)
        self.shortest, self.longest, self.down, self.cuts, self.moved = shortest, longest, False, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """For good."""
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(ours,), daemon=True).start()

    def _serve(self, ours: socket.socket) -> None:
        if self.down:
            ours.close()
            return
        try:
            theirs = socket.create_connection(self.target)
        except OSError:
            ours.close()
            return
        left = [self.chance.randint(self.shortest, self.longest)]
        for ends in ((ours, theirs), (theirs, ours)):
            threading.Thread(target=self._pump, args=(*ends, left), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, left: list[int]) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data[: left[0]])
                left[0] -= len(data)
                self.moved += len(data)
                if left[0] <= 0:
                    self.cuts += 1
                    break
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
