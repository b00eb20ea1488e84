"""One installation on this machine: its data folder, ports, variables, and the parts it consists of."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from services.ops.discover import ROOT, room_names
from services.ops.rig import environment, ports
from services.ops.rig.elasticsearch import Elasticsearch
from services.ops.rig.keys import ensure_token_key
from services.ops.rig.objects import Minio, SeaweedFS, choose
from services.ops.rig.part import Part
from services.ops.rig.place import Place, read_json, write_json
from services.ops.rig.postgres import Postgres
from services.ops.rig.process import Command
from services.ops.rig.rabbitmq import RabbitMQ
from services.ops.rig.web import answers

PROFILES = ("embedded", "full")


class NoInstallationError(RuntimeError):
    """The data folder holds none."""


def _elsewhere(data: Path) -> str:
    """Where there is one beside this folder: that of the demo is not the one that commands look into by themselves."""
    found = sorted(str(one.parent) for one in data.parent.glob("*/environment.json"))
    return f"；已安装在别处的，请加 --data {' 或 --data '.join(found)}" if found else ""


@dataclass(frozen=True)
class PythonProgram:
    """One of our own processes; it is ready when it says so at /healthz."""

    name: str
    module: tuple[str, ...]
    place: Place
    variables: dict[str, str]
    port: int

    def prepare(self) -> None:
        """Nothing: the keys, the databases and the topology are made before."""

    def command(self) -> Command:
        env = environment.for_process(self.variables)
        return Command(self.name, (sys.executable, "-m", *self.module), env, ROOT)

    def ready(self) -> bool:
        return answers(self.port, "/healthz")


@dataclass(frozen=True)
class Installation:
    """What runs out of one data folder."""

    place: Place
    profile: str
    scripted: bool
    ports: dict[str, int]
    rooms: tuple[str, ...]

    @classmethod
    def create(cls, data: Path, profile: str, scripted: bool, moving: bool, wishes: bool = True) -> Installation:
        """Make or take up the folder; ports that others took are renewed when nothing of ours runs (`moving`)."""
        place, rooms = Place.at(data), tuple(room_names())
        chosen = ports.assign(place, environment.port_names(rooms, profile), renew=moving, wishes=wishes)
        made = cls(place, profile, scripted, chosen, rooms)
        ensure_token_key(place)
        described = {"profile": profile, "scripted": scripted, "rooms": rooms, "variables": made.variables}
        write_json(place.data / "environment.json", described, mode=0o600)
        return made

    @classmethod
    def open(cls, data: Path) -> Installation:
        """The one that is there.

        Raises:
            NoInstallationError: none is.
        """
        known = read_json(data / "environment.json")
        if known is None:
            raise NoInstallationError(f"{data} 中没有已安装的平台，请先执行 anjuan up{_elsewhere(data)}")
        place = Place.at(data)
        assigned = read_json(place.data / "ports.json")
        return cls(place, known["profile"], known["scripted"], assigned, tuple(known["rooms"]))

    @cached_property
    def variables(self) -> dict[str, str]:
        """The ANJUAN_* variables of every process."""
        common = environment.variables(self.place, self.ports, self.rooms, self.profile, self.scripted)
        if self.profile == "full":
            common |= {"ANJUAN_OBJECTS": self.objects.url, "ANJUAN_SEARCH": self.search.url}
        return common

    @cached_property
    def postgres(self) -> Postgres:
        return Postgres(self.place, self.ports["postgres"])

    @cached_property
    def rabbitmq(self) -> RabbitMQ:
        return RabbitMQ(self.place, self.ports["rabbitmq"], self.ports["rabbitmq_dist"], self.ports["rabbitmq_epmd"])

    @cached_property
    def objects(self) -> Minio | SeaweedFS:
        return choose(self.place, self.ports)

    @cached_property
    def search(self) -> Elasticsearch:
        return Elasticsearch(self.place, self.ports["search"], self.ports["search_transport"])

    def backing(self) -> list[Part]:
        """Servers of others' making."""
        full: list[Part] = [self.objects, self.search] if self.profile == "full" else []
        return [self.postgres, self.rabbitmq, *full]

    def program(self, name: str, *module: str) -> PythonProgram:
        """One of our processes by name."""
        port = self.ports.get("gateway" if name == "gateway" else f"metrics_{name}", 0)  # 0: none until `up` renews it
        own = {"ANJUAN_METRICS_PORT": str(port)} if name != "gateway" else {}
        return PythonProgram(name, module, self.place, self.variables | own, port)

    def programs(self) -> list[Part]:
        """Our own processes."""
        hosts: list[Part] = [self.program(name, "services.ops.host", name) for name in environment.HOSTS]
        return [*hosts, self.program("gateway", "gateway")]

    def parts(self) -> list[Part]:
        return [*self.backing(), *self.programs()]

    @property
    def address(self) -> str:
        """Where people open it."""
        return f"http://127.0.0.1:{self.ports['gateway']}"
