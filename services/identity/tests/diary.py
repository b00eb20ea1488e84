"""A small real room: three days a year on which something is due, and a mark for every tick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from services.kit import run
from services.kit.database import UnitOfWork
from services.kit.run import Host, Room
from services.kit.tests import rooms

DAYS = (date(2025, 3, 10), date(2025, 3, 31), date(2025, 6, 2))


class Diary:
    """Hears of legal dates; kit ticks."""

    sources = ("identity",)

    def __init__(self, host: Host) -> None:
        self.host = host


def _no_doors(host: Host) -> Sequence[Any]:
    return []


def tick(uow: UnitOfWork, root_id: str | None) -> None:
    """Note the day."""
    if root_id:
        uow.record("ticked", root_id, legal_on=uow.legal_on(root_id))


def next_due(uow: UnitOfWork, root_id: str, after: date) -> date | None:
    """The next of its days."""
    return min((day for day in DAYS if day > after), default=None)


ROOM = Room("diary", UnitOfWork, Path(rooms.__file__).parent / "migrations", _no_doors, Diary, ("identity",), tick=tick,
            next_due=next_due)  # fmt: skip

if __name__ == "__main__":
    run.main(ROOM, sys.argv[1:])
