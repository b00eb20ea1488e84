"""The facts that move a clock, in the one order that does not depend on when they arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from services.kit.procedure.registry import facts

Kind = Literal["started", "stopped", "excluded", "suspended", "resumed", "extended", "expired", "requested", "answered"]
EVERY = "*"  # scope_id of a fact that speaks to all clocks of its limit


@dataclass(frozen=True)
class Entry:
    """One fact. `from_on` is its legal day, `moment` (hours only) its minute; `to_on` ends a closed period.

    `at` is the instant at which the fact was told; with `event_id` it orders facts of one day. `detail` of
    an extension: nth, amount, unit, approver, approver_relation, article, faults. What was asked of a superior
    (requested) and what came back (answered) moves nothing: it explains.
    """

    entry_id: str
    limit_id: str
    scope_id: str
    kind: Kind
    from_on: date
    occurred_on: date
    at: datetime
    event_id: str
    event_type: str
    to_on: date | None = None
    moment: datetime | None = None
    ground: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    entered_at: datetime | None = None

    def order(self, backward: bool = False) -> tuple[date, datetime, bool, str]:
        """By legal day, then as told; of one event the end comes before the new beginning.

        A limit counted back begins with a day to come: there the day of the fact itself orders.
        """
        begins = self.kind in ("started", "excluded", "suspended")
        day = self.occurred_on if backward and self.kind == "started" else self.from_on
        return day, self.at, begins, self.event_id

    @property
    def room(self) -> str:
        """Who told it; an effect's entry is the procedure's."""
        kind = facts().get(self.event_type)
        return kind.source if kind else "workflow"

    def day(self, backward: bool = False) -> date:
        """The day by which it is ordered."""
        return self.order(backward)[0]


Run = tuple[Entry, Entry | None]


def paired(entries: Iterable[Entry], backward: bool = False) -> list[Run]:
    """Beginnings with their ends. A beginning inside an open run is part of it; so is an end without a run.

    An end that met no run on its day waits for a beginning of that day by another room: rooms tell independently of
    each other, each in its own order.
    """
    runs: list[Run] = []
    open_: Entry | None = None
    early: Entry | None = None
    for entry in sorted(entries, key=lambda e: e.order(backward)):
        if entry.kind in ("stopped", "resumed"):
            if open_ is not None:
                runs.append((open_, entry))
            elif entry.scope_id != EVERY and not _was_open(runs, entry.day(backward)):
                early = early if early and early.day() == entry.day() else entry
            open_ = None
        elif open_ is None:
            if early and early.day() == entry.day(backward) and early.room != entry.room:
                runs.append((entry, early))
            else:
                open_ = entry
            early = None
    return [*runs, (open_, None)] if open_ else runs


def _was_open(runs: list[Run], day: date) -> bool:
    return bool(runs) and runs[-1][1] is not None and runs[-1][1].day() == day
