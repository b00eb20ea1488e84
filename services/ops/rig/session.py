"""Database and broker for one test run, in a temporary folder of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from psycopg import sql

from services.kit.settings import Settings
from services.ops.discover import room_names
from services.ops.rig import ports, process
from services.ops.rig.environment import port_names, variables
from services.ops.rig.keys import ensure_token_key
from services.ops.rig.part import Attended, Part
from services.ops.rig.place import Place, read_json, write_json
from services.ops.rig.postgres import Postgres
from services.ops.rig.rabbitmq import RabbitMQ, ensure_installed

PREFIX = "anjuan-rig-"
MADE: list[Path] = []  # folders of this process


def temporary_place(prefix: str) -> Place:
    """A folder that the servers' account may enter, marked as ours while this process lives."""
    data = Path(tempfile.mkdtemp(prefix=prefix))
    MADE.append(data)
    data.chmod(0o755)
    place = Place.at(data)
    write_json(place.data / "starter.json", {"pid": os.getpid(), "started": process.started_at(os.getpid())})
    return place


def orphans(prefix: str) -> list[Path]:
    """Folders of this user whose starter was killed."""
    return [data for data in Path(tempfile.gettempdir()).glob(f"{prefix}*") if _is_mine(data) and _orphaned(data)]


def _is_mine(data: Path) -> bool:
    try:
        return data.stat().st_uid == os.geteuid()
    except FileNotFoundError:  # another run has just ended
        return False


def _orphaned(data: Path) -> bool:
    starter = read_json(data / "starter.json")
    return starter is not None and process.started_at(starter["pid"]) != starter["started"]


@dataclass(frozen=True)
class Rig:
    """PostgreSQL and RabbitMQ, real ones, each with start(), stop(), kill(), restart()."""

    place: Place
    ports: dict[str, int]
    rooms: tuple[str, ...]
    extra: list[Attended] = field(default_factory=list)

    @classmethod
    def in_temporary_folder(cls) -> Rig:
        """Prepare, start nothing yet. Folders of runs that were killed are cleared first."""
        ensure_installed()
        clear_orphans()
        place = temporary_place(PREFIX)
        rooms = tuple(room_names())
        return cls(place, ports.assign(place, port_names(rooms, "full"), wishes=False), rooms)

    @cached_property
    def environment(self) -> dict[str, str]:
        """ANJUAN_* variables, scripted profile."""
        return variables(self.place, self.ports, self.rooms, scripted=True)

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    @cached_property
    def database(self) -> Postgres:
        return Postgres(self.place, self.ports["postgres"])

    @cached_property
    def broker(self) -> RabbitMQ:
        return RabbitMQ(self.place, self.ports["rabbitmq"], self.ports["rabbitmq_dist"], self.ports["rabbitmq_epmd"])

    @cached_property
    def postgres(self) -> Attended:
        return Attended(self.database, self.place)

    @cached_property
    def rabbitmq(self) -> Attended:
        return Attended(self.broker, self.place)

    def start(self) -> None:
        """Both at once; databases of every room are there afterwards, empty."""
        ensure_token_key(self.place)
        self.rabbitmq.launch()
        self.postgres.start()
        self.database.ensure_databases(self.rooms)
        self.rabbitmq.await_ready()

    def start_extra(self, part: Part) -> Attended:
        """Another real part (object store, index) beside the two; end() stops it."""
        attended = Attended(part, self.place, ready_seconds=90)
        attended.start()
        self.extra.append(attended)
        return attended

    def end(self) -> None:
        """Stop both and remove the folder."""
        for attended in self.extra:
            attended.stop()
        self.rabbitmq.stop()
        self.broker.end_port_mapper()
        self.postgres.stop()
        self.place.erase()

    def fresh_database(self, room: str) -> Settings:
        """Empty database anjuan_<room> (any name): dropped when it was there, connections cut."""
        self.database.drop_database(room)
        self.database.ensure_databases([room])
        return self.settings

    def empty_tables(self, rooms: Iterable[str]) -> None:
        """Truncate every table but the record of migrations."""
        for room in rooms:
            with self.database.connect(f"anjuan_{room}") as admin:
                found = admin.execute(
                    "select relname from pg_class c join pg_namespace n on n.oid = relnamespace "
                    "where relkind in ('r', 'p') and not relispartition and nspname = 'public' "
                    "and relname <> 'alembic_version'"
                ).fetchall()
                names = sql.SQL(", ").join(sql.Identifier(str(row[0])) for row in found)
                if found:
                    admin.execute(sql.SQL("truncate {} restart identity cascade").format(names))

    def purge_queues(self) -> None:
        """Drop every message that waits in a queue."""
        for queue in self.broker.control("list_queues", "--no-table-headers", "name").split():
            self.broker.control("purge_queue", queue)

    def cut_connections(self) -> None:
        """The broker closes every client's connection."""
        self.broker.control("close_all_connections", "cut by a test")


def clear_orphans() -> None:
    """Stop and remove what killed test runs of this user left behind."""
    for data in orphans(PREFIX):
        known = read_json(data / "ports.json") or {}
        if set(port_names([])) <= set(known):
            Rig(Place.at(data), known, ()).end()
