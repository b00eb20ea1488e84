"""One table's rows as records of one kind. Changes are gathered and written before the next read, or at the end."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.database import UnitOfWork
from services.workflow.model.records import Record

R = TypeVar("R", bound=Record)
KEY = "key_of_row"


@cache
def _statements(table: Table) -> tuple[Any, Any]:
    """Insert a row, update the row of a key: made once, because making them is work as well."""
    return insert(table), update(table).where(next(iter(table.primary_key.columns)) == bindparam(KEY))


class Rows(Generic[R]):
    """Read, add and change rows by their key."""

    def __init__(self, uow: UnitOfWork, table: Table, kind: type[R]) -> None:
        self.uow, self.table, self.kind = uow, table, kind
        self.key: Any = next(iter(table.primary_key.columns))
        self._changes: dict[str, dict[str, Any]] = {}
        self._insert, self._update = _statements(table)

    def find(self, key: str) -> R | None:
        """The row, or None."""
        return self.one(self.key == key)

    def one(self, where: ColumnElement[bool]) -> R | None:
        """The only row that fits, or None."""
        self.write()
        row = self.uow.connection.execute(select(self.table).where(where)).one_or_none()
        return None if row is None else self.kind.of(row, self.table)

    def list(self, where: ColumnElement[bool], *order: Any) -> list[R]:
        """Rows that fit, in an order."""
        self.write()
        rows = self.uow.connection.execute(select(self.table).where(where).order_by(*order))
        return [self.kind.of(r, self.table) for r in rows]

    def add(self, **values: Any) -> None:
        """A new row."""
        self.uow.connection.execute(self._insert, values)

    def add_if_new(self, **values: Any) -> bool:
        """A new row unless its key, or another unique value, is there already; whether it was new."""
        row = upsert(self.table).values(**values).on_conflict_do_nothing().returning(self.key)
        return self.uow.connection.execute(row).first() is not None

    def add_all(self, rows: Iterable[dict[str, Any]]) -> None:
        """New rows with the same columns, in one statement."""
        if found := [*rows]:
            self.uow.connection.execute(insert(self.table).values(found))

    def change(self, key: str, **values: Any) -> None:
        """Set columns of one row."""
        self._changes.setdefault(key, {}).update(values)

    def change_where(self, where: ColumnElement[bool], **values: Any) -> set[str]:
        """Set columns of every row that fits; the keys of those."""
        self.write()
        changing = update(self.table).where(where).values(**values).returning(self.key)
        return {str(key) for key in self.uow.connection.execute(changing).scalars()}

    def remove(self, where: ColumnElement[bool]) -> None:
        """Delete every row that fits."""
        self.write()
        self.uow.connection.execute(delete(self.table).where(where))

    def write(self) -> None:
        """Write what was changed."""
        changes, self._changes = self._changes, {}
        for key, values in changes.items():
            reckoned = {name: value for name, value in values.items() if isinstance(value, ColumnElement)}
            plain = {name: value for name, value in values.items() if name not in reckoned}
            changing = self._update.values(reckoned) if reckoned else self._update
            self.uow.connection.execute(changing, {**plain, KEY: key})

    def forget(self) -> None:
        """What was changed and is not written is taken back."""
        self._changes.clear()
