"""Wall time and a body's legal date. Nothing else in the house asks the machine what time it is."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import uuid_utils

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LEGAL_ON = "select legal_on from legal_dates where root_id = (select root_id from body_tree where body_id = :body_id)"
CHINA = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The instant, aware, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds for measuring spans."""
    return time.monotonic()


def today() -> date:
    """The calendar day in China by wall time."""
    return datetime.now(CHINA).date()


def legal_on(connection: Connection, body_id: str) -> date:
    """The legal date of a body: that of its scripted tree, else the calendar day in China."""
    from sqlalchemy import text  # scanning stations have a clock, and no database

    found = connection.execute(text(_LEGAL_ON), {"body_id": body_id}).scalar()
    return found if found is not None else today()


def new_id() -> str:
    """An opaque, time-ordered id (UUIDv7)."""
    return str(uuid_utils.uuid7())
