"""What tick will have to tell about a clock, and on which day; written with the clock, read in one pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.kit.legal_calendar import LEGAL_ZONE, working_calendar
from services.kit.procedure.model import LimitRule
from services.supervision.model.fold import Standing

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Act:
    """Something to tell: `kind` soon, expire or card. Due on a legal day, for hours at a moment.

    `key` is told once: for each due day, a card once for the clock's whole life.
    """

    key: str
    kind: str
    on: date
    at: datetime | None = None
    remaining: int = 0
    level: str = ""
    rule: str = ""

    def plain(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self) | {"on": self.on.isoformat(), "at": self.at and self.at.isoformat()}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Act:
        """The reverse."""
        at = data["at"] and datetime.fromisoformat(data["at"])
        return cls(**data | {"on": date.fromisoformat(data["on"]), "at": at})


def threshold(standing: Standing, unit: str, remaining: int) -> tuple[date, datetime | None]:
    """The first day (for hours: the moment) on which no more than so much is left; month limits count days."""
    if standing.due_on is None:
        raise ValueError("a clock that stands still has no due day")
    if standing.due_at is not None:
        at = standing.due_at - timedelta(hours=remaining)
        return at.astimezone(LEGAL_ZONE).date(), at
    if unit != "working-day":
        return standing.due_on - DAY * remaining, None
    day, calendar = standing.due_on, working_calendar()
    while remaining:
        remaining -= calendar.is_working_day(day)
        day -= DAY
    while not calendar.is_working_day(day):
        day -= DAY
    return day, None


def planned(rule: LimitRule, unit: str, standing: Standing, done: Collection[str]) -> list[Act]:
    """What is still to be told of a clock, in order. A clock stopped too late has expired all the same."""
    due_on = standing.due_on
    late = standing.state == "stopped" and standing.expired
    if due_on is None or (standing.state not in ("running", "overdue") and not late):
        return []
    after, at = due_on + DAY, standing.due_at
    over = due_on if at else after
    acts = [Act(f"expire {due_on}", "expire", over, at)]
    for card in rule.cards:
        on, moment = threshold(standing, unit, card.remaining) if card.when == "due_soon" else (over, at)
        acts.append(Act(f"card {card.rule}", "card", on, moment, card.remaining, card.level, card.rule))
    for left in rule.due_soon:
        acts.append(Act(f"soon {due_on} {left}", "soon", *threshold(standing, unit, left), left))
    passed = standing.state == "overdue" or late
    acts = [a for a in acts if a.key not in done and not (passed and a.on < over)]
    return sorted(acts, key=lambda a: (a.on, a.kind != "soon", a.kind, -a.remaining))


def soon_on(rule: LimitRule, unit: str, standing: Standing) -> date | None:
    """From which day a running clock counts as due soon."""
    if standing.state != "running" or not rule.due_soon:
        return None
    return threshold(standing, unit, max(rule.due_soon))[0]


def next_act(acts: Iterable[Act]) -> tuple[date | None, datetime | None]:
    """Day and, when hours are waited for, moment of the first act."""
    first = min(acts, key=lambda a: (a.on, a.at.timestamp() if a.at else 0.0), default=None)
    return (first.on, first.at) if first else (None, None)
