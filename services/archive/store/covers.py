"""Printed separator sheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.archive.model import covers
from services.archive.tables import separator_sheets


@dataclass(frozen=True)
class Sheet:
    """One printed sheet: pages behind it belong to this case; `volume` and `seq` when it is for one item."""

    token: str
    case_id: str
    body_id: str
    volume: str
    seq: int
    is_internal: bool


def _sheet(row: Any) -> Sheet:
    return Sheet(row.token, row.case_id, row.body_id, row.volume, row.seq, row.is_internal)


class Covers:
    """A sheet printed again is the same sheet."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def ensure(
        self, case_id: str, body_id: str, volume: str = "", seq: int = 0, is_internal: bool = False
    ) -> Sheet:
        """The sheet for a case, or for one catalogue item of it."""
        table = separator_sheets
        mine = {"case_id": case_id, "volume": volume, "seq": seq}
        fresh = upsert(table).values(token=covers.new_token(), body_id=body_id, is_internal=is_internal, **mine)
        self.connection.execute(fresh.on_conflict_do_nothing(index_elements=list(mine)))
        return _sheet(self.connection.execute(select(table).filter_by(**mine)).one())

    def find(self, token: str) -> Sheet | None:
        """None: nothing of this site."""
        found = select(separator_sheets).where(separator_sheets.c.token == token)
        row = self.connection.execute(found).one_or_none()
        return None if row is None else _sheet(row)
