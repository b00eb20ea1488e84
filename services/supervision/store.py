"""The room's unit of work and its repositories: rows <-> model."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Connection, Table, Text, TextClause, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit import events
from services.kit.database import UnitOfWork
from services.kit.errors import UnavailableError
from services.kit.procedure.model import Pack
from services.supervision import tables
from services.supervision.model.clock import Clock
from services.supervision.model.ledger import Entry
from services.supervision.model.plan import Act
from services.supervision.model.rules import PackLimits, plain

R = TypeVar("R")
Locked = Callable[[], dict[str, int]]
_CLOCK_COLUMNS = [f.name for f in fields(Clock)]
_ENTRY_COLUMNS = [f.name for f in fields(Entry)]


def _among(name: str) -> ColumnElement[Any]:
    return func.any(bindparam(name, type_=ARRAY(Text)))


# what every fact asks is a statement made once
_SHA256 = text("select sha256 from pack_limits where pack_id = :pack_id and version = :version")
_LIMITS = text("select time_limits, deadlines from pack_limits where pack_id = :pack_id and version = :version")
_COUNTS = text("select level, count(*) from alert_cards where case_id = :case_id group by level")
_OF_CASE = (
    select(tables.ledger.c.case_id, *(tables.ledger.c[name] for name in _ENTRY_COLUMNS))
    .where(tables.ledger.c.case_id == _among("case_ids")).order_by(tables.ledger.c.entry_id)
)  # fmt: skip
_OF_CASES = (
    select(*(tables.clocks.c[name] for name in _CLOCK_COLUMNS)).order_by(tables.clocks.c.clock_id)
    .where(tables.clocks.c.case_id == _among("case_ids"))
)  # fmt: skip


def bulk(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], conflict: str = "") -> Any:
    """Insert any number of rows with the same columns in one statement; `conflict` is what follows `on conflict`."""
    if not rows:
        return ()
    return connection.execute(_bulk(table.name, tuple(rows[0]), conflict), {"rows": as_json(rows)})


@cache
def _bulk(table: str, columns: tuple[str, ...], conflict: str) -> TextClause:
    names = ", ".join(f'"{name}"' for name in columns)
    return text(
        f"insert into {table} ({names}) select {names} "  # noqa: S608
        f"from jsonb_populate_recordset(null::{table}, cast(:rows as jsonb))"
        + (f" on conflict {conflict}" if conflict else "")
    )


def as_json(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as one parameter; days and instants in ISO form."""
    return json.dumps(rows, ensure_ascii=False, default=lambda value: value.isoformat())


class Packs:
    """What is known of published packs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._asked: dict[tuple[str, str], PackLimits] = {}  # in this transaction

    def put(self, pack: Pack) -> None:
        """Keep a pack's limits; a pack once published never changes."""
        statement = upsert(tables.pack_limits).values(
            pack_id=pack.id, version=pack.version, sha256=pack.sha256, time_limits=plain(pack.time_limits),
            deadlines=pack.deadlines,
        )  # fmt: skip
        self.connection.execute(statement.on_conflict_do_nothing())

    def limits(self, pack_id: str, version: str) -> PackLimits:
        """The limits of a version.

        Raises:
            UnavailableError: not loaded yet; the event is tried again.
        """
        if (pack_id, version) not in self._asked:
            self._asked[pack_id, version] = self._limits({"pack_id": pack_id, "version": version})
        return self._asked[pack_id, version]

    def _limits(self, mine: dict[str, str]) -> PackLimits:
        pack_id, version = mine.values()
        sha256 = self.connection.execute(_SHA256, mine).scalar()
        if sha256 is None:
            raise UnavailableError(f"程序包 {pack_id} {version} 尚未装入督办服务，稍后自动重试")
        if (pack_id, version, sha256) not in _LOADED:
            row = self.connection.execute(_LIMITS, mine).one()
            _LOADED[pack_id, version, sha256] = PackLimits.of(pack_id, version, row.time_limits, row.deadlines)
        return _LOADED[pack_id, version, sha256]


_LOADED: dict[tuple[str, str, str], PackLimits] = {}  # immutable packs: a process loads each once


class OfCases(Generic[R]):
    """What cases have. That of all cases that the transaction has locked is read at once, for nobody else moves it.

    Once: what is asked for again after a write is read by itself, else many writes would read all cases each time.
    """

    def __init__(self, read: Callable[[Collection[str]], Iterable[tuple[str, R]]], locked: Locked) -> None:
        self.read, self.locked = read, locked
        self.known: dict[str, list[R]] = {}
        self.ahead: set[str] = set()

    def get(self, case_ids: Collection[str]) -> list[R]:
        """All of these cases."""
        found: dict[str, list[R]] = {}
        if missing := set(case_ids) - self.known.keys():
            locked = self.locked()
            wanted = missing | (locked.keys() - self.ahead)
            self.ahead |= wanted
            found = {case_id: [] for case_id in wanted}
            for case_id, one in self.read(wanted):
                found[case_id].append(one)
            self.known |= {case_id: ones for case_id, ones in found.items() if case_id in locked}
        return [one for case_id in case_ids for one in found.get(case_id, self.known.get(case_id, ()))]


class Gathering(ABC, Generic[R]):
    """Rows of cases. What is added is gathered, and written with what else the transaction has gathered."""

    def __init__(self, connection: Connection, locked: Locked) -> None:
        self.connection = connection
        self._of_cases = OfCases(self._read, locked)
        self.gathered: dict[Any, R] = {}  # by what the table holds once

    def forget(self) -> None:
        """Drop what is gathered, and what was read of cases that it may have moved."""
        self.gathered = {}
        self._of_cases.known.clear()

    @abstractmethod
    def _read(self, case_ids: Collection[str]) -> Iterator[tuple[str, R]]:
        """What the table has of these cases, with the case."""


class Ledger(Gathering[Entry]):
    """The immutable entries."""

    def add(self, case_id: str, entries: Iterable[Entry]) -> None:
        """Add entries; a fact that two rules of a limit name is entered once."""
        for one in entries:
            self.gathered.setdefault(_once(case_id, one), one)

    def of_case(self, case_id: str, limit_ids: Collection[str]) -> list[Entry]:
        """What the ledger says of some limits of a case."""
        known = {_once(case_id, one): one for one in self._of_cases.get([case_id])}
        added = {key: one for key, one in self.gathered.items() if key[0] == case_id}
        whole = sorted((added | known).values(), key=lambda one: one.entry_id)
        return [one for one in whole if one.limit_id in limit_ids]

    def _read(self, case_ids: Collection[str]) -> Iterator[tuple[str, Entry]]:
        for row in self.connection.execute(_OF_CASE, {"case_ids": list(case_ids)}).mappings():
            yield row["case_id"], Entry(**{name: row[name] for name in _ENTRY_COLUMNS})

    def write(self) -> None:
        """Write what is gathered."""
        gathered, self.gathered = self.gathered, {}
        rows = [{"case_id": case_id, **asdict(one)} for (case_id, *_), one in gathered.items()]
        for row in rows:
            del row["entered_at"]
        bulk(self.connection, tables.ledger, rows, "do nothing")
        self._of_cases.known.clear()


def _once(case_id: str, one: Entry) -> tuple[Any, ...]:
    return case_id, one.limit_id, one.scope_id, one.kind, one.ground, one.event_id, one.from_on


class Clocks(Gathering[Clock]):
    """The clocks derived from it."""

    def of_cases(self, case_ids: Collection[str]) -> list[Clock]:
        """Every clock of the cases."""
        known = {clock.clock_id: clock for clock in self._of_cases.get(case_ids)}
        known |= {clock_id: one for clock_id, one in self.gathered.items() if one.case_id in case_ids}
        return [known[clock_id] for clock_id in sorted(known)]

    def _read(self, case_ids: Collection[str]) -> Iterator[tuple[str, Clock]]:
        for row in self.connection.execute(_OF_CASES, {"case_ids": list(case_ids)}).mappings():
            yield row["case_id"], clock_of(row)

    def put(self, clocks: Sequence[Clock]) -> None:
        """Clocks, new or known."""
        self.gathered |= {clock.clock_id: clock for clock in clocks}

    def write(self) -> None:
        """Write what is gathered."""
        gathered, self.gathered = self.gathered, {}
        rows = [row_of(clock) for _, clock in sorted(gathered.items())]
        new = ", ".join(f"{name} = excluded.{name}" for name in _CLOCK_COLUMNS if name != "clock_id")
        bulk(self.connection, tables.clocks, rows, f"(clock_id) do update set {new}")
        self._of_cases.known.clear()


def clock_of(row: Any) -> Clock:
    """A row of `clocks` as a Clock."""
    values = {name: row[name] for name in _CLOCK_COLUMNS}
    return Clock(**values | {"done": tuple(row["done"]), "plan": tuple(Act.of(a) for a in row["plan"])})


def row_of(clock: Clock) -> dict[str, Any]:
    """The reverse."""
    values = {name: getattr(clock, name) for name in _CLOCK_COLUMNS}
    return values | {"done": list(clock.done), "plan": [act.plain() for act in clock.plan]}


class AlertCards:
    """Cards that were issued."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def counts(self, case_id: str) -> dict[str, int]:
        """How many of each level a case has."""
        rows = self.connection.execute(_COUNTS, {"case_id": case_id})
        return {level: int(number) for level, number in rows}


class SupervisionUnit(UnitOfWork):
    """The room's unit of work. Ledger and clocks gather; who asks their tables past them calls `write` first."""

    @cached_property
    def packs(self) -> Packs:
        return Packs(self.connection)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.connection, lambda: self._locked)

    @cached_property
    def clocks(self) -> Clocks:
        return Clocks(self.connection, lambda: self._locked)

    @cached_property
    def cards(self) -> AlertCards:
        return AlertCards(self.connection)

    def write(self) -> None:
        """Write what is gathered: the ledger first, for the clocks are derived from it."""
        for name in ("ledger", "clocks"):
            if name in self.__dict__:
                self.__dict__[name].write()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """As kit's; what the block gathered goes with it."""
        self.write()
        try:
            with super().savepoint():
                yield
        except BaseException:
            self.ledger.forget()
            self.clocks.forget()
            raise

    def flush(self) -> list[events.Event]:
        """As kit's, with what is gathered."""
        self.write()
        return super().flush()
