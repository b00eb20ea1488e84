"""What a room is, and the processes it runs as: serve, consume, relay, work, tick, migrate."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import grpc
from sqlalchemy import Engine

from services.kit import logs, topology
from services.kit.database import Cause, UnitOfWork, open_engine
from services.kit.identity import Actor, system
from services.kit.objects import ObjectStore, open_store
from services.kit.settings import Settings

COLLECTOR = 20_000, 50, 100  # of the garbage collector: by its own a quarter of a large tick was spent in it
# eventlet wants to be first in a process; a room's own modules come after it
_GREEN = """
import warnings; warnings.filterwarnings("ignore", message=r"\\s*Eventlet is deprecated")
import eventlet; eventlet.monkey_patch()
import runpy, sys; runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


class UnitFactory(Protocol):
    """A room's own UnitOfWork subclass (store.py)."""

    def __call__(self, engine: Engine, service: str, cause: Cause) -> UnitOfWork: ...


@dataclass(frozen=True)
class Host:
    """What the doors of one room are given: where its things are, and how to begin a unit of work."""

    name: str
    settings: Settings
    engine: Engine
    objects: ObjectStore
    unit: UnitFactory

    def begin(self, actor: Actor, event_id: str = "") -> Any:
        """A new unit of work of the room's own class, not yet opened, in the actor's name."""
        return self.unit(self.engine, self.name, Cause(actor, event_id))

    def begin_as_system(self, rule: str) -> Any:
        """The same, in the platform's own name; `rule` says by which rule it acts."""
        return self.begin(system(rule))


@dataclass(frozen=True)
class Room:
    """One service, as its __main__.py declares it.

    `rpc(host)` gives functions that add the room's servicers to a grpc.Server. `consumer(host)` gives an
    object with `sources` and `on_<event>(event, uow)` methods. `jobs` maps a kind to its work, run in a
    killable child: work(host, payload). `tick(uow, root_id)` does what is due on the legal date of one
    scripted tree, or of all bodies without one (root_id None). `next_due(uow, root_id, after)` tells the
    next day on which tick would have work for that tree. `unanswered(uow)` counts effects requested and
    not yet answered. A job is killed after `job_seconds`.
    """

    name: str
    unit: UnitFactory
    migrations: Path
    rpc: Callable[[Host], Sequence[Callable[[grpc.Server], None]]]
    consumer: Callable[[Host], Any]
    sources: tuple[str, ...]
    jobs: Mapping[str, Callable[[Host, Mapping[str, Any]], None]] = field(default_factory=dict)
    tick: Callable[[Any, str | None], None] | None = None
    next_due: Callable[[Any, str, date], date | None] | None = None
    unanswered: Callable[[Any], int] | None = None
    job_seconds: float = 900.0


def open_host(room: Room, settings: Settings, driver: str = "psycopg", pool: int | None = None) -> Host:
    """The room's host in this process; connects to nothing yet."""
    engine = open_engine(settings, room.name, driver, pool)
    return Host(room.name, settings, engine, open_store(settings.objects), room.unit)


def _run(name: str, rooms: Sequence[Room], settings: Settings, add: Callable[[Any, Room], object]) -> None:
    from services.kit.process import Process

    logs.configure(name)
    gc.set_threshold(*COLLECTOR)
    process = Process(settings)
    for room in rooms:
        add(process, room)
    process.run()


def run_servers(rooms: Sequence[Room], settings: Settings) -> None:
    """gRPC servers of the rooms in this process, until SIGTERM."""
    _run("servers", rooms, settings, lambda process, room: process.serve(room, open_host(room, settings)))


def run_relays(rooms: Sequence[Room], settings: Settings) -> None:
    """Relays and tickers of the rooms: they share no interpreter with those who answer calls."""

    def add(process: Any, room: Room) -> None:
        process.relay(room)
        process.tick(room, open_host(room, settings, pool=2))

    _run("relays", rooms, settings, add)


def run_workers(rooms: Sequence[Room], settings: Settings) -> None:
    """A worker for each room that has jobs, until SIGTERM."""
    _run("workers", [room for room in rooms if room.jobs], settings, lambda process, room: process.work(room))


def run_consumers(rooms: Sequence[Room], settings: Settings, name: str = "consumers") -> None:
    """Consumers of the rooms, until SIGTERM; the caller has monkey-patched before its first import.

    Raises:
        RuntimeError: the process is not monkey-patched; it would stall silently.
    """
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is None or not patcher.is_monkey_patched("socket"):
        raise RuntimeError("eventlet.monkey_patch() must come before every other import of a consumer")
    from services.kit.health import listen
    from services.kit.inbox import entrypoint
    from services.kit.inbox.streams import Listener

    logs.configure(name)
    if settings.metrics_port:
        listen(settings, {name: lambda: True})
    listeners = [Listener.of(room, open_host(room, settings, "psycopg2", pool=3)) for room in rooms]
    gc.freeze()  # what is loaded stays: looking through it again and again took a tenth of a busy consumer
    entrypoint.run(listeners, settings)


def migrate(room: Room, settings: Settings) -> None:
    """Bring the room's database to the newest revision, and make the outbox's partitions."""
    from services.kit.migration import upgrade

    upgrade(room, settings)


def rooms_of(settings: Settings, without: Collection[str] = ()) -> list[Room]:
    """Every room that has an address in this installation, save those left out."""
    names = [name for name in sorted(settings.rpc) if name not in without]
    return [importlib.import_module(f"services.{name}.__main__").ROOM for name in names]


def declare_topology(rooms: Sequence[Room], settings: Settings) -> None:
    """Exchanges and queues between these rooms; before any of their relays runs."""
    topology.declare(settings.amqp, topology.generate({room.name: room.sources for room in rooms}))


def _consume(room: Room, settings: Settings) -> None:
    if "eventlet" not in sys.modules:
        module = sys.modules["__main__"].__spec__
        name = module.name if module else sys.argv[0]
        os.execv(sys.executable, [sys.executable, "-c", _GREEN, name.removesuffix(".__main__"), *sys.argv[1:]])  # noqa: S606
    run_consumers([room], settings)


def main(room: Room, arguments: Sequence[str] | None = None) -> None:
    """`python -m services.<room> serve|consume|relay|work|tick|migrate`; settings from the environment."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{room.name}")
    parser.add_argument("command", choices=("serve", "consume", "relay", "work", "tick", "migrate"))
    command = parser.parse_args(arguments).command
    settings = Settings.from_environment()
    logs.configure(room.name)
    if command == "migrate":
        migrate(room, settings)
        # the queues of all: what this room's relay sends before a neighbour has its queue would never reach it
        declare_topology(rooms_of(settings), settings)
    elif command == "work":
        run_workers([room], settings)
    elif command == "consume":
        _consume(room, settings)
    else:
        _run(room.name, [room], settings, {
            "serve": lambda process, room: process.serve(room, open_host(room, settings)),
            "relay": lambda process, room: process.relay(room),
            "tick": lambda process, room: process.tick(room, open_host(room, settings)),
        }[command])  # fmt: skip
