"""Rooms and people in time: PostgreSQL itself excludes that anything is booked twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, text

from services.kit.database import UnitOfWork
from services.workflow.tables import bookings

_NUMBERS = text("""
    insert into bookable (key) select * from unnest(cast(:keys as text[])) order by 1 on conflict do nothing""")
# Row locks in one order: two who want the same room and person wait for each other instead of deadlocking.
_LOCK = text("select 1 from bookable where key = any(cast(:keys as text[])) order by key for update")
_BOOK = text("""
    insert into bookings (hearing_id, key, who, during)
    select :hearing_id, key, int8range(number, number, '[]'), tstzrange(:starts_at, :ends_at)
    from bookable where key = any(cast(:keys as text[])) order by key""")
_TAKEN = text("""
    select b.key, lower(b.during) as starts_at, upper(b.during) as ends_at, h.room
    from bookings b join hearings h using (hearing_id)
    where b.key = any(cast(:keys as text[])) and b.during && tstzrange(:starts_at, :ends_at)
      and b.hearing_id <> :hearing_id order by b.key, starts_at""")


class Bookings:
    """One booking for each room and person of a hearing."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.uow = uow

    def taken(
        self, hearing_id: str, keys: Sequence[str], starts_at: datetime, ends_at: datetime
    ) -> list[tuple[str, datetime, datetime, str]]:
        """What of it is booked for other hearings at that time: key, start, end, room."""
        wanted = {"hearing_id": hearing_id, "keys": list(keys), "starts_at": starts_at, "ends_at": ends_at}
        return [(r.key, r.starts_at, r.ends_at, r.room) for r in self.uow.connection.execute(_TAKEN, wanted)]

    def book(self, hearing_id: str, keys: Sequence[str], starts_at: datetime, ends_at: datetime) -> None:
        """Book all; sqlalchemy.exc.IntegrityError when another transaction was faster."""
        wanted = {"hearing_id": hearing_id, "keys": sorted(keys), "starts_at": starts_at, "ends_at": ends_at}
        self.uow.connection.execute(_NUMBERS, {"keys": sorted(keys)})
        self.uow.connection.execute(_LOCK, {"keys": sorted(keys)})
        self.uow.connection.execute(_BOOK, wanted)

    def free(self, hearing_id: str) -> None:
        """Give everything back."""
        self.uow.connection.execute(delete(bookings).where(bookings.c.hearing_id == hearing_id))
