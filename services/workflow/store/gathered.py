"""What a unit of work is to write, gathered: one statement for all of it, for each has its price at the client."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, TextClause, text

Part = tuple[str, ...]  # what is done, to which table, then names of columns


@dataclass
class Change:
    """Columns of one row; `raised` is a column that goes up by one."""

    table: Table
    key: str
    values: dict[str, Any]
    raised: str = ""


@dataclass
class Gathered:
    """Rows added, rows changed, tasks taken off the work lists; no row is in two of these."""

    _added: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = field(default_factory=dict)
    _fresh: dict[tuple[Table, str], dict[str, Any]] = field(default_factory=dict)
    _changes: dict[tuple[Table, str], Change] = field(default_factory=dict)
    _unseated: set[str] = field(default_factory=set)

    def add(self, table: Table, row: dict[str, Any], key: str = "") -> None:
        """A new row; with its key it can still be changed."""
        self._added.setdefault((table, tuple(row)), []).append(row)
        if key:
            self._fresh[table, key] = row

    def takes(self, table: Table, key: str, values: Mapping[str, Any], raised: str = "") -> bool:
        """Whether a change of this row can be gathered before what is gathered has been written."""
        fresh = self._fresh.get((table, key))
        return fresh is None or (not raised and fresh.keys() >= values.keys())

    def change(self, table: Table, key: str, values: Mapping[str, Any], raised: str = "") -> None:
        """Columns of a row, one that is itself still to be written among them."""
        if (fresh := self._fresh.get((table, key))) is not None:
            fresh.update(values)
            return
        known = self._changes.setdefault((table, key), Change(table, key, {}))
        known.values.update(values)
        known.raised = known.raised or raised

    def adds_to(self, table: Table) -> bool:
        """Whether rows of a table are still to be added."""
        return any(one is table for one, _ in self._added)

    def unseat(self, task_ids: Sequence[str]) -> None:
        """Tasks leave every work list."""
        self._unseated.update(task_ids)

    def unseats(self, task_id: str) -> bool:
        """Whether that is still to be done."""
        return task_id in self._unseated

    def statement(self) -> tuple[TextClause, dict[str, Any]] | None:
        """All of it with its values; None when there is nothing."""
        parts: list[Part] = []
        values: dict[str, Any] = {}
        for (table, columns), rows in self._added.items():
            values[f"v{len(parts)}"] = _json(rows)
            parts.append(("add", table.name, *columns))
        for one in self._changes.values():
            values |= {f"v{len(parts)}": _json(one.values), f"k{len(parts)}": one.key}
            key = next(iter(one.table.primary_key.columns)).name
            parts.append(("change", one.table.name, key, one.raised, *one.values))
        if self._unseated:
            values[f"v{len(parts)}"] = sorted(self._unseated)
            parts.append(("unseat", "task_audience"))
        return (_statement(tuple(parts)), values) if parts else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_day)


def _day(value: Any) -> str:
    return str(value.isoformat())


@lru_cache(maxsize=512)
def _statement(parts: tuple[Part, ...]) -> TextClause:
    """Made once for each shape."""
    written = [_WAYS[part[0]](at, *part[1:]) for at, part in enumerate(parts)]
    before = ", ".join(f"w{at} as ({one})" for at, one in enumerate(written[:-1]))
    return text(f"with {before} {written[-1]}" if before else written[-1])


def _adding(at: int, table: str, *columns: str) -> str:
    names = ", ".join(columns)
    return (f"insert into {table} ({names}) select {names} "  # noqa: S608 - names of our own tables
            f"from json_populate_recordset(null::{table}, cast(:v{at} as json))")  # fmt: skip


def _changing(at: int, table: str, key: str, raised: str, *columns: str) -> str:
    new = ", ".join([f"{name} = n.{name}" for name in columns] + ([f"{raised} = t.{raised} + 1"] if raised else []))
    return (f"update {table} t set {new} "  # noqa: S608 - names of our own tables
            f"from json_populate_record(null::{table}, cast(:v{at} as json)) n where t.{key} = :k{at}")  # fmt: skip


def _unseating(at: int, table: str) -> str:
    return f"delete from {table} where task_id = any(cast(:v{at} as text[]))"  # noqa: S608 - our own table


_WAYS: dict[str, Callable[..., str]] = {"add": _adding, "change": _changing, "unseat": _unseating}
