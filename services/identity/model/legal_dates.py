"""Moving the legal date of a scripted tree: forward only, stopping on each day on which something is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol


class Rooms(Protocol):
    """All rooms of the site, seen from outside."""

    def settle(self) -> None:
        """Return when every fact has had all its consequences.

        Raises:
            ConflictError: that does not happen, with the reason.
        """

    def due_days(self, root_id: str, after: date) -> Iterable[date]:
        """The next day after that one on which each room has work for the tree, where it has any."""


def next_stop(current: date, to: date, due: Iterable[date]) -> date:
    """The earliest day due after the current one, at most the target."""
    return min([to, *(day for day in due if day > current)])
