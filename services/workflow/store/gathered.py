"""What a unit of work is to write, gathered: one statement for all of it, for each has its price at the client."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Table

from services.kit.projections import Statement


@dataclass
class Change:
    """Columns of one row; `raised` is a column that goes up by one."""

    table: Table
    key: str
    values: dict[str, Any]
    raised: str = ""


@dataclass
class Gathered:
    """Rows added, rows changed, tasks taken off the work lists; no row is in two of these. Last, cases to redate."""

    _added: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = field(default_factory=dict)
    _fresh: dict[tuple[Table, str], dict[str, Any]] = field(default_factory=dict)
    _changes: dict[tuple[Table, str], Change] = field(default_factory=dict)
    _unseated: set[str] = field(default_factory=set)
    redated: set[str] = field(default_factory=set)

    def add(self, table: Table, row: dict[str, Any], key: str = "") -> None:
        """A new row; with its key it can still be changed. Raises ValueError for a column that there is not."""
        _require_columns(table, row)
        self._added.setdefault((table, tuple(row)), []).append(row)
        if key:
            self._fresh[table, key] = row

    def takes(self, table: Table, key: str, values: Mapping[str, Any], raised: str = "") -> bool:
        """Whether a change of this row can be gathered before what is gathered has been written."""
        fresh = self._fresh.get((table, key))
        return fresh is None or (not raised and fresh.keys() >= values.keys())

    def change(self, table: Table, key: str, values: Mapping[str, Any], raised: str = "") -> None:
        """Columns of a row, one that is itself still to be written among them; ValueError as for `add`."""
        _require_columns(table, values)
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

    def parts(self) -> list[Statement]:
        """All of it."""
        found: list[Statement] = []
        for (table, columns), rows in self._added.items():
            found.append((_adding(len(found), table.name, columns), {f"v{len(found)}": _json(rows)}))
        for one in self._changes.values():
            at, key = len(found), next(iter(one.table.primary_key.columns)).name
            found.append((_changing(at, one.table.name, key, one.raised, tuple(one.values)),
                          {f"v{at}": _json(one.values), f"k{at}": one.key}))  # fmt: skip
        if self._unseated:
            found.append((_UNSEAT, {"unseated": sorted(self._unseated)}))
        return found


def _require_columns(table: Table, named: Iterable[str]) -> None:
    if unknown := set(named).difference(table.c.keys()):
        raise ValueError(f"{table.name} has no {', '.join(sorted(unknown))}")


_UNSEAT = "delete from task_audience where task_id = any(cast(:unseated as text[]))"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_day)


def _day(value: Any) -> str:
    return str(value.isoformat())


@lru_cache(maxsize=256)
def _adding(at: int, table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    return (f"insert into {table} ({names}) select {names} "  # noqa: S608 - names of our own tables
            f"from json_populate_recordset(null::{table}, cast(:v{at} as json))")  # fmt: skip


@lru_cache(maxsize=256)
def _changing(at: int, table: str, key: str, raised: str, columns: tuple[str, ...]) -> str:
    new = ", ".join([f"{name} = n.{name}" for name in columns] + ([f"{raised} = t.{raised} + 1"] if raised else []))
    return (f"update {table} t set {new} "  # noqa: S608 - names of our own tables
            f"from json_populate_record(null::{table}, cast(:v{at} as json)) n where t.{key} = :k{at}")  # fmt: skip
