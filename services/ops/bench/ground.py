"""Where it is measured: database and broker, and (for most) the whole platform, in a throw-away folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil
from sqlalchemy import Engine

from anjuan.kit.v1.operations_pb2 import Balance
from services.kit import clock, run
from services.kit.balance import open_items
from services.kit.database import open_engine
from services.kit.run import Room
from services.kit.settings import Settings
from services.kit.testing import balances
from services.ops import lifecycle
from services.ops.bench.crowd import Crowd
from services.ops.demo.stage import Stage, open_stage
from services.ops.installation import Installation
from services.ops.rig import process
from services.ops.rig.postgres import Postgres
from services.ops.rig.session import Rig
from services.ops.rig.wait import until

Size = TypeVar("Size", int, float)


@dataclass
class Ground:
    """`quick` measures shortly, for a look; `long` adds the five minutes."""

    settings: Settings
    postgres: Postgres
    installation: Installation | None
    stage: Stage | None
    quick: bool = False
    long: bool = False

    def size(self, whole: Size, quick: Size) -> Size:
        """How much to do."""
        return quick if self.quick else whole

    @property
    def runs(self) -> int:
        return self.size(3, 1)

    @property
    def platform(self) -> Installation:
        """Raises RuntimeError where only database and broker run."""
        if self.installation is None:
            raise RuntimeError("this measurement needs the whole platform")
        return self.installation

    @cached_property
    def crowd(self) -> Crowd:
        """The people who file and complete."""
        if self.stage is None:
            raise RuntimeError("this measurement needs the whole platform")
        return Crowd.brought_in(self.stage, self.size(8, 2))

    def engine(self, room: str, pool: int = 4) -> Engine:
        """On a room's own database."""
        return open_engine(self.settings, room, pool=pool)

    def scratch(self, room: Room, name: str) -> Engine:
        """An empty database with a room's tables, beside the room's own."""
        self.postgres.drop_database(name)
        self.postgres.ensure_databases([name])
        run.migrate(replace(room, name=name), self.settings)
        return self.engine(name)

    def fill(self, room: str, *statements: str, **values: Any) -> None:
        """Rows made by the server itself."""
        with self.postgres.connect(f"anjuan_{room}") as admin:
            for statement in statements:
                admin.execute(statement.encode(), values or None)

    def books(self) -> dict[str, Balance]:
        """The books of each room."""
        token = self.stage.operator.token() if self.stage else ""
        return balances(dict(self.settings.rpc), token)

    def _books_at_rest(self) -> dict[str, Balance] | None:
        """None while something is open; RuntimeError when something is parked: waiting would not help."""
        books = self.books()
        if parked := [f"{book.service} {one.type}: {one.error}" for book in books.values() for one in book.parked]:
            raise RuntimeError(f"parked: {'; '.join(parked[:3])}")
        return None if open_items(books.values()) else books

    def settle(self, seconds: float = 900, every: float = 0.05) -> float:
        """Wait until everything has arrived everywhere, seen the same twice; seconds until it was first seen."""
        began = seen_at = clock.monotonic()
        before: dict[str, Balance] | None = None

        def still_at_rest() -> bool:
            nonlocal before, seen_at
            now = self._books_at_rest()
            if now is not None and now == before:
                return True
            before, seen_at = now, clock.monotonic()
            return False

        until(still_at_rest, seconds, "the backlog is drained", every)
        return seen_at - began

    def hold(self, *names: str) -> None:
        lifecycle.hold(self.platform, names)

    def release(self, *names: str) -> None:
        lifecycle.release(self.platform, names)

    def recover(self) -> None:
        """What a failed measurement left standing still runs again, and its backlog is gone."""
        if self.installation is None:
            return
        held = [part.name for part in self.platform.programs() if self.platform.place.hold(part.name).exists()]
        if held:
            self.release(*held)
        self.settle()

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time of each part and its children so far, and of this process without the parts,
        which are its children."""
        place = self.platform.place
        pids = {part.name: process.pid_of(place, part.name) for part in self.platform.parts()}
        own = psutil.Process().cpu_times()
        return {name: _cpu(pid) for name, pid in pids.items() if pid} | {"this command": own.user + own.system}


def _cpu(pid: int) -> float:
    total = 0.0
    try:
        root = psutil.Process(pid)
        ended = root.cpu_times()
        total += ended.children_user + ended.children_system
        for one in (root, *root.children(recursive=True)):
            times = one.cpu_times()
            total += times.user + times.system
    except psutil.NoSuchProcess:
        return total
    return total


@contextmanager
def backing_only(quick: bool) -> Iterator[Ground]:
    """Database and broker in a temporary folder."""
    rig = Rig.in_temporary_folder()
    try:
        rig.start()
        yield Ground(rig.settings, rig.database, None, None, quick)
    finally:
        rig.end()


@contextmanager
def whole_platform(data: Path, profile: str, quick: bool, long: bool) -> Iterator[Ground]:
    """The platform in a folder that is emptied first and removed afterwards."""
    if (data / "environment.json").exists():
        lifecycle.erase(data)
    installation = lifecycle.up(data, profile)
    try:
        with open_stage(installation) as stage:
            settings = Settings.from_environment(installation.variables)
            yield Ground(settings, installation.postgres, installation, stage, quick, long)
    finally:
        lifecycle.erase(data)
