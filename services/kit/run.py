"""What a room is, and the processes it runs as: serve, consume, relay, work, tick, migrate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import grpc
from sqlalchemy import Engine

from services.kit.database import Cause, UnitOfWork
from services.kit.identity import Actor, system
from services.kit.objects import ObjectStore
from services.kit.settings import Settings


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
    next day on which tick would have work for that tree.
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
