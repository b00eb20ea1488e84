"""文号: without gap or double, and none given up without a trace."""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.documents.model.numbering import Series
from services.documents.tables import number_series, numbers
from services.kit.errors import RuleRefusedError


class Numbers:
    """The series' row stays locked until the transaction ends; a rollback gives the number back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def next(self, series: Series) -> int:
        """The next of a series, from 1; to be called last in a transaction."""
        table = number_series
        first = upsert(table).values(body_id=series.body_id, name=series.name, year=series.year, last=1)
        following = first.on_conflict_do_update(index_elements=list(table.primary_key), set_={"last": table.c.last + 1})
        return int(self.connection.execute(following.returning(table.c.last)).scalar_one())

    def book(self, series: Series, serial: int, number: str, instrument_id: str) -> None:
        """Write down to which instrument a number went.

        Raises:
            RuleRefusedError: another series has written the same number: two packs disagree.
        """
        row = upsert(numbers).values(
            body_id=series.body_id, number=number, instrument_id=instrument_id, name=series.name, year=series.year,
            serial=serial,
        )  # fmt: skip
        if self.connection.execute(row.on_conflict_do_nothing().returning(numbers.c.number)).first() is None:
            raise RuleRefusedError(f"文号“{number}”已被使用：两个程序包给同一文种规定了不同的编号系列，请联系管理员")

    def kept(self, instrument_id: str) -> tuple[str, int] | None:
        """The number that an instrument holds, and its year."""
        t = numbers.c
        query = select(t.number, t.year).where(t.instrument_id == instrument_id, t.void_reason == "")
        row = self.connection.execute(query).one_or_none()
        return None if row is None else (str(row.number), int(row.year))

    def void(self, instrument_id: str, reason: str) -> None:
        """Give up the number that an instrument holds, with the reason."""
        t = numbers.c
        mine = update(numbers).where(t.instrument_id == instrument_id, t.void_reason == "")
        self.connection.execute(mine.values(void_reason=reason))


