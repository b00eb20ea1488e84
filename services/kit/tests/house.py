"""The two rooms on the rig's real database and broker, as processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pika
from sqlalchemy import Engine, text

from services.kit import identity, run, topology
from services.kit.database import Cause, UnitOfWork, open_engine
from services.kit.objects import open_store
from services.kit.run import Host, Room
from services.kit.settings import Settings
from services.kit.testing import settle, until
from services.kit.tests.rooms import GATE, ROOMS, done
from services.ops.rig.environment import for_process
from services.ops.rig.session import Rig

ON = date(2025, 3, 3)
_migrated: set[Path] = set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class House:
    """Empty databases and queues; what it starts it kills at the end."""

    rig: Rig
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    engines: dict[str, Engine] = field(default_factory=dict)
    hosts: list[Host] = field(default_factory=list)

    @cached_property
    def settings(self) -> Settings:
        doors = {name: f"127.0.0.1:{_free_port()}" for name in ROOMS}
        return replace(self.rig.settings, rpc=doors)

    def open(self) -> House:
        self.rig.rabbitmq.start()
        self.rig.postgres.start()
        if self.rig.place.data not in _migrated:
            for name, room in ROOMS.items():
                self.rig.fresh_database(name)
                run.migrate(room, self.settings)
            _migrated.add(self.rig.place.data)
        self.rig.empty_tables(ROOMS)
        self.clear_anchors()
        self.clear_queues()
        run.declare_topology(list(ROOMS.values()), self.settings)
        return self

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for engine in (*self.engines.values(), *(host.engine for host in self.hosts)):
            engine.dispose()

    def channel(self) -> Any:
        return pika.BlockingConnection(pika.URLParameters(self.settings.amqp)).channel()

    def clear_anchors(self) -> None:
        """Heads of audit rows that are gone."""
        store = open_store(self.settings.objects)
        for key in list(store.keys("audit/")):
            store.delete(key)

    def clear_queues(self) -> None:
        channel = self.channel()
        for listener in topology.generate({n: r.sources for n, r in ROOMS.items()}).listeners:
            channel.queue_delete(topology.queue(*listener))
        channel.queue_delete(topology.UNROUTED_QUEUE)
        channel.connection.close()

    def depth(self, queue: str) -> int:
        """Messages ready in a queue."""
        channel = self.channel()
        found = channel.queue_declare(queue, passive=True).method.message_count
        channel.connection.close()
        return int(found)

    @cached_property
    def environment(self) -> dict[str, str]:
        doors = ",".join(f"{name}={where}" for name, where in self.settings.rpc.items())
        return for_process(self.rig.environment | {"ANJUAN_RPC": doors})

    def start(self, room: str, command: str, **env: str) -> subprocess.Popen[bytes]:
        """A sub-command of a room as its own process."""
        argv = [sys.executable, "-m", "services.kit.tests.rooms", room, command]
        log = (self.rig.place.logs / f"{room}-{command}.log").open("ab")
        child = subprocess.Popen(argv, env=self.environment | env, stderr=log, cwd=Path.cwd())
        log.close()
        self.processes.append(child)
        return child

    def stop(self, process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> int:
        process.send_signal(how)
        return process.wait(timeout=12)

    def engine(self, room: str) -> Engine:
        if room not in self.engines:
            self.engines[room] = open_engine(self.settings, room, pool=4)
        return self.engines[room]

    def host(self, room: Room, scripted: bool = True, driver: str = "psycopg") -> Host:
        """A room's host in this process."""
        self.hosts.append(run.open_host(room, replace(self.settings, scripted=scripted), driver, pool=4))
        return self.hosts[-1]

    def unit(self, room: str) -> UnitOfWork:
        return UnitOfWork(self.engine(room), room, Cause(identity.system("test")))

    def emit(self, count: int, streams: int = 1, first: int = 0, **what: Any) -> None:
        """`count` events of left, in turn over its streams, one transaction."""
        with self.unit("left") as uow:
            for number in range(first, first + count):
                uow.emit(done(number, **what), stream=f"stream-{number % streams}", body_id="b", occurred_on=ON)

    def ask(self, room: str, query: str, **values: Any) -> Any:
        """One value."""
        with self.engine(room).begin() as connection:
            return connection.execute(text(query), values).scalar()

    def noted(self) -> int:
        return int(self.ask("right", "select count(*) from audit where action = 'noted'"))

    def duplicates(self) -> int:
        return int(self.ask("right", "select coalesce(sum(duplicates), 0) from inbox"))

    def unsent(self) -> int:
        return int(self.ask("left", "select count(*) from outbox where sent_at is null"))

    @property
    def token(self) -> str:
        key = (self.rig.place.keys / "token.pem").read_bytes()
        return identity.sign_token(identity.system("test"), self.settings.site, key)

    def settle(self, timeout: float = 90.0) -> None:
        settle(dict(self.settings.rpc), self.token, timeout)

    def await_noted(self, count: int, timeout: float = 90.0) -> None:
        until(lambda: self.noted() >= count, timeout, f"{count} events noted")

    def at_gate(self) -> bool:
        """Somebody waits at the gate."""
        return bool(self.ask("right", "select count(*) from pg_locks where locktype = 'advisory' "
                                      "and objid = :gate and not granted", gate=GATE))  # fmt: skip


def terminate(process: subprocess.Popen[bytes]) -> None:
    """kill -9, as an accident would."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
