"""One table's rows as records of one kind. What is added and changed is gathered, and written before the next read."""

from __future__ import annotations

from collections.abc import Iterable, Set
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.database import UnitOfWork, together
from services.kit.projections import Statement
from services.workflow.model.records import Record
from services.workflow.store.gathered import Gathered
from services.workflow.tables import NO_DAY

R = TypeVar("R", bound=Record)
# A suspended clock has no day; the list then sorts it last.
_REDATE = text("""
    update task_audience a set due_on = n.due_on, due_state = n.due_state
    from (select case_id, coalesce(due_on, :no_day) as due_on, due_state from case_card
          where case_id = any(cast(:case_ids as text[]))) n
    where a.case_id = n.case_id and (a.due_on, a.due_state) is distinct from (n.due_on, n.due_state)""")


class Writing(UnitOfWork):
    """A unit of work that gathers what its repositories write; whoever takes its connection finds it written."""

    @cached_property
    def gathered(self) -> Gathered:
        """What is to be written."""
        return Gathered()

    @property
    def connection(self) -> Connection:
        """The open transaction's connection."""
        if self._depth and not self._failed:  # the outermost end writes by itself, or not at all
            self.write()
        return super().connection

    @property
    def locked(self) -> Set[str]:
        """Streams whose row locks are held."""
        return self._locked.keys()

    def beside(self) -> list[Statement]:
        """What is gathered goes with what is told, unless days are to be set on it."""
        if self.gathered.redated:
            self.write()
        found, self.gathered = self.gathered.parts(), Gathered()
        return found

    def write(self) -> None:
        """Write what is gathered now, in one statement; the days of tasks in another, for it has to see them."""
        gathered, self.gathered = self.gathered, Gathered()
        if found := gathered.parts():
            values = {name: value for _, values in found for name, value in values.items()}
            super().connection.execute(together(tuple(sql for sql, _ in found)), values)
        if gathered.redated:
            super().connection.execute(_REDATE, {"case_ids": sorted(gathered.redated), "no_day": NO_DAY})


class Rows(Generic[R]):
    """Read, add and change rows by their key."""

    def __init__(self, uow: Writing, table: Table, kind: type[R]) -> None:
        self.uow, self.table, self.kind = uow, table, kind
        self.key: Any = next(iter(table.primary_key.columns))

    def find(self, key: str) -> R | None:
        """The row, or None."""
        return self.one(self.key == key)

    def one(self, where: ColumnElement[bool]) -> R | None:
        """The only row that fits, or None."""
        row = self.uow.connection.execute(select(self.table).where(where)).one_or_none()
        return None if row is None else self.kind.of(row, self.table)

    def list(self, where: ColumnElement[bool], *order: Any) -> list[R]:
        """Rows that fit, in an order."""
        rows = self.uow.connection.execute(select(self.table).where(where).order_by(*order))
        return [self.kind.of(r, self.table) for r in rows]

    def add(self, **values: Any) -> None:
        """A new row."""
        self.uow.gathered.add(self.table, values, values.get(self.key.name, ""))

    def add_if_new(self, **values: Any) -> bool:
        """A new row unless its key, or another unique value, is there already; whether it was new."""
        row = upsert(self.table).values(**values).on_conflict_do_nothing().returning(self.key)
        return self.uow.connection.execute(row).first() is not None

    def add_all(self, rows: Iterable[dict[str, Any]]) -> None:
        """New rows."""
        for row in rows:
            self.add(**row)

    def change(self, key: str, *, raised: str = "", **values: Any) -> None:
        """Set columns of one row; a column that is `raised` goes up by one."""
        if not self.uow.gathered.takes(self.table, key, values, raised):
            self.uow.write()
        self.uow.gathered.change(self.table, key, values, raised)

    def change_where(self, where: ColumnElement[bool], **values: Any) -> set[str]:
        """Set columns of every row that fits; the keys of those."""
        changing = update(self.table).where(where).values(**values).returning(self.key)
        return {str(key) for key in self.uow.connection.execute(changing).scalars()}

    def remove(self, where: ColumnElement[bool]) -> None:
        """Delete every row that fits."""
        self.uow.connection.execute(delete(self.table).where(where))
