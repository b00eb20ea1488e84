"""The identity room and the diary, served for real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc

from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from services.identity.__main__ import ROOM
from services.identity.tests import diary
from services.identity.tests.scene import Scene
from services.kit import run
from services.kit.process import Process
from services.kit.rpc import channel, invoke
from services.kit.settings import Settings
from services.ops.rig import ports
from services.ops.rig.environment import for_process
from services.ops.rig.session import Rig


@dataclass
class House:
    """`scene` looks into the room's database; `ask` goes through its door."""

    settings: Settings
    scene: Scene
    channel: grpc.Channel
    diary: run.Host

    def ask(self, method: str, request: Any, token: str = "", key: str = "") -> Any:
        return invoke(getattr(IdentityStub(self.channel), method), request, token=token, key=key, timeout=60)


@contextmanager
def opened(rig: Rig, folder: Path) -> Iterator[House]:
    """Servers and relays in this process, the diary's consumer in one of its own."""
    rig.rabbitmq.start()
    addresses = {name: f"127.0.0.1:{port}" for name, port in _free_ports(rig, ("identity", "diary")).items()}
    settings = replace(rig.settings, rpc=addresses, objects=f"file://{folder}", data=_data(rig, folder))
    rooms = [ROOM, diary.ROOM]
    for room in rooms:
        rig.fresh_database(room.name)
        run.migrate(room, settings)
    run.declare_topology(rooms, settings)
    rig.purge_queues()
    process = Process(settings)
    hosts = {room.name: run.open_host(room, settings) for room in rooms}
    for room in rooms:
        process.serve(room, hosts[room.name])
        process.relay(room)
    process.start()
    consumer = _consumer(rig, addresses)
    try:
        with channel(addresses["identity"]) as to_identity:
            yield House(settings, Scene(hosts["identity"]), to_identity, hosts["diary"])
    finally:
        consumer.terminate()
        consumer.wait(15)
        process.end()


def _free_ports(rig: Rig, names: tuple[str, ...]) -> dict[str, int]:
    return {name: ports.assign(rig.place, [f"rpc_test_{name}"], wishes=False)[f"rpc_test_{name}"] for name in names}


def _data(rig: Rig, folder: Path) -> Path:
    # the rig's token keys, a data folder of this house
    keys = folder / "keys"
    keys.mkdir()
    for name in ("token.pem", "token.pub.pem"):
        (keys / name).write_bytes((rig.place.keys / name).read_bytes())
    return folder


def _consumer(rig: Rig, addresses: dict[str, str]) -> subprocess.Popen[bytes]:
    doors = ",".join(f"{name}={where}" for name, where in addresses.items())
    env = for_process(rig.environment | {"ANJUAN_RPC": doors, "ANJUAN_METRICS_PORT": "0"})
    argv = [sys.executable, "-m", "services.identity.tests.diary", "consume"]
    with (rig.place.logs / "diary-consume.log").open("ab") as log:
        return subprocess.Popen(argv, env=env, stderr=log)
