"""A running scripted platform and who may act on it: what the demo and the HTTP tests play on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from anjuan.identity.v1 import identity_pb2 as pb
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from services.kit import rpc
from services.kit.procedure.bundle import bundle_of, load_folder
from services.kit.procedure.model import Pack
from services.kit.settings import Settings, procedures_dir
from services.kit.testing import settle
from services.ops.demo import upper
from services.ops.demo.cast import PASSWORD, Cast
from services.ops.demo.player import Play
from services.ops.demo.site import Voice
from services.ops.installation import Installation

PUBLISHING = "publishing-centre"


@dataclass
class Stage:
    """`publishers` are two people who may propose and confirm packs."""

    installation: Installation
    http: httpx.Client
    operator: Voice
    publishers: tuple[Voice, Voice] | None = None
    packs: dict[str, Pack] = field(default_factory=dict)

    @property
    def rpc(self) -> dict[str, str]:
        """Address by room, for calls that have no HTTP route."""
        return dict(Settings.from_environment(self.installation.variables).rpc)

    def voice(self, sign_in: str, password: str, body_id: str = "") -> Voice:
        """A person's way to the API."""
        return Voice(self.http, sign_in, password, body_id)

    def bring_in(self, cast: Cast, kind: str) -> None:
        """Import the bodies and people of one example."""
        self._import(cast.bodies(kind), cast.import_people())
        settle(self.rpc, self.operator.token())  # every room knows the body before its people act

    def _import(self, bodies: pb.ImportBodiesRequest, people: pb.ImportPeopleRequest) -> None:
        with rpc.channel(self.rpc["identity"]) as channel:
            identity, token = IdentityStub(channel), self.operator.token()
            rpc.invoke(identity.ImportBodies, bodies, token=token)
            rpc.invoke(identity.ImportPeople, people, token=token)

    def publish(self, folder: Path) -> Pack:
        """Publish a pack as two people do; harmless when it is published already."""
        pack = pack_of(folder)
        if pack.id not in self.packs:
            proposer, confirmer = self._publishers()
            sent = {"Content-Type": "application/zip"}
            proposed = proposer.ask("POST", "/packs", content=bundle_of(folder), headers=sent).json()
            if proposed["state"] != "published":
                confirmer.post(f"/packs/{proposed['sha256']}/confirmation", None)
            self.packs[pack.id] = pack
        return self.packs[pack.id]

    def _publishers(self) -> tuple[Voice, Voice]:
        """Two people who may publish, brought in once."""
        if self.publishers is None:
            body = pb.Body(body_id=PUBLISHING, name="程序发布中心", kind="bureau", tier="province", code="发布")
            names = {"publisher": "程序提交人", "confirmer": "程序确认人"}
            people = [
                pb.Person(person_id=f"{PUBLISHING}-{short}", sign_in=short, name=name, body_id=PUBLISHING,
                          state="active", appointments=[pb.Appointment(body_id=PUBLISHING, role="pack_publisher")])
                for short, name in names.items()
            ]  # fmt: skip
            told = pb.ImportPeopleRequest(people=people, initial_passwords=[PASSWORD] * len(people))
            self._import(pb.ImportBodiesRequest(bodies=[body]), told)
            self.publishers = (self.voice("publisher", PASSWORD), self.voice("confirmer", PASSWORD))
        return self.publishers

    def play(self, folder: Path, example: str, key: str) -> Play:
        """An example ready to be played in bodies of its own."""
        pack = self.publish(folder)
        for small in sorted(upper.asked_packs(pack)):
            self.publish(folder.parent / small)
        cast = Cast.of(key, pack.examples[example])
        self.bring_in(cast, pack.kind)
        return Play(pack, cast, self.operator, self.voice)


@contextmanager
def open_stage(installation: Installation) -> Iterator[Stage]:
    """The platform of an installation, spoken to over HTTP by its operator."""
    told: Mapping[str, Any] = json.loads((installation.place.keys / "operator.json").read_text("utf-8"))
    with httpx.Client(base_url=installation.address, timeout=330) as http:
        yield Stage(installation, http, Voice(http, told["sign_in"], told["password"]))


@cache
def pack_of(folder: Path) -> Pack:
    """The pack in a folder; read and checked once."""
    return load_folder(folder)


def pack_folders() -> list[Path]:
    """Every pack that ships with the code."""
    return sorted(path.parent for path in procedures_dir().glob("*/pack.yaml"))


def filed_folders() -> list[Path]:
    """Packs whose cases people file; others are opened by a body below."""
    return [folder for folder in pack_folders() if pack_of(folder).channels.keys() - {"request"}]
