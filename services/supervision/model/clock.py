"""A clock as it is kept, and which clock governs its case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from anjuan.kit.v1.cards_pb2 import SupervisionCard
from services.kit import clock
from services.kit.legal_calendar import working_calendar
from services.kit.procedure.model import LimitRule
from services.supervision.model.fold import Key, Standing
from services.supervision.model.plan import Act, next_act, planned, soon_on
from services.supervision.model.rules import PackLimits

NEVER = date.max
AUTHORITY = "limit-on-authority"


@dataclass(frozen=True)
class Clock:
    """One limit running in one case for one scope; the row of the table `clocks`."""

    clock_id: str
    case_id: str
    body_id: str
    limit_id: str
    scope_id: str
    run: int  # from 1: a clock begun again after its end is another
    scope: str
    pack_id: str
    pack_version: str
    name: str
    kind: str
    unit: str
    law: str
    article: str
    rank: int
    awaited: bool
    state: str = "waiting"
    starts_on: date | None = None
    due_on: date | None = None
    due_at: datetime | None = None
    suspended_on: date | None = None
    stopped_on: date | None = None
    provisional: bool = False
    extensions: int = 0
    governing: bool = False
    soon_on: date | None = None
    calendar: str = ""
    done: tuple[str, ...] = ()
    plan: tuple[Act, ...] = ()
    next_act_on: date | None = None
    next_act_at: datetime | None = None

    @property
    def key(self) -> Key:
        """What it is within its case."""
        return self.limit_id, self.scope_id, self.run

    @property
    def told(self) -> tuple[object, ...]:
        """What others hear of; a change of it is a DueDayChanged."""
        return self.state, self.starts_on, self.due_on, self.due_at, self.provisional

    @property
    def soon(self) -> bool:
        """Whether a reminder of its due day has been told; another due day has reminders of its own."""
        return self.state == "running" and any(key.startswith(f"soon {self.due_on} ") for key in self.done)

    def as_standing(self) -> Standing:
        """How it stands, without its reasons."""
        late = self.stopped_on is not None and self.due_on is not None and self.stopped_on > self.due_on
        expired = late or self.state == "overdue"
        return Standing(self.state, self.starts_on, self.due_on, stopped_on=self.stopped_on, expired=expired)

    def standing(self, standing: Standing, rule: LimitRule) -> Clock:
        """The same clock as the ledger now says it stands, with what is to be told of it."""
        acts = planned(rule, self.unit, standing, self.done)
        day, moment = next_act(acts)
        return replace(
            self, state=standing.state, starts_on=standing.starts_on, due_on=standing.due_on, due_at=standing.due_at,
            suspended_on=standing.suspended_on, stopped_on=standing.stopped_on, provisional=standing.provisional,
            extensions=standing.extensions, soon_on=soon_on(rule, self.unit, standing), plan=tuple(acts),
            next_act_on=day, next_act_at=moment, calendar=working_calendar().span,
        )  # fmt: skip


def new_clock(limits: PackLimits, key: Key, case_id: str, body_id: str, old: Clock | None = None) -> Clock:
    """A clock of a limit of the pack, not yet started; or the old one, now by this version of the pack."""
    limit_id, scope_id, run = key
    law, rule = limits.law(limit_id), limits.rules[limit_id]
    return Clock(
        clock_id=old.clock_id if old else clock.new_id(), done=old.done if old else (),
        case_id=case_id, body_id=old.body_id if old else body_id, limit_id=limit_id, scope_id=scope_id, run=run,
        scope=rule.scope, pack_id=limits.pack_id, pack_version=limits.version, name=law.name, kind=law.kind,
        unit=law.unit, law=law.law.title, article=law.law.article or "", rank=rule.rank,
        awaited=limits.awaits(limit_id),
    )  # fmt: skip


def _runs(one: Clock) -> bool:
    """Whether it can govern: what has run out binds only an authority any longer."""
    overdue = one.state == "overdue" and one.kind == AUTHORITY
    return one.state in ("running", "suspended") or overdue


def governing(clocks: Iterable[Clock]) -> Clock | None:
    """The clock by whose limit the case is led: of those that run, the lowest rank, then the earliest due day."""
    return min(filter(_runs, clocks), key=lambda c: (c.rank, c.due_on or NEVER, c.key), default=None)


def governed(clocks: Sequence[Clock]) -> list[Clock]:
    """The same clocks, `governing` set on one of them at most."""
    leader = governing(clocks)
    return [replace(c, governing=leader is not None and c.clock_id == leader.clock_id) for c in clocks]


def card(clocks: Sequence[Clock], cards: Mapping[str, int]) -> SupervisionCard:
    """The room's part of the case card; `cards` counts those issued by level."""
    counts: dict[str, Any] = {"yellow_cards": cards.get("yellow", 0), "red_cards": cards.get("red", 0)}
    leader = governing(clocks)
    if leader is None:
        ended = min((c for c in clocks if c.state != "waiting"), key=lambda c: (c.rank, c.limit_id), default=None)
        return SupervisionCard(limit_id=ended.limit_id if ended else "", state="stopped" if ended else "", **counts)
    due_on = leader.due_on.isoformat() if leader.due_on else ""
    return SupervisionCard(
        limit_id=leader.limit_id, due_on=due_on, state="due_soon" if leader.soon else leader.state,
        provisional=leader.provisional, unit=leader.unit, **counts,
    )  # fmt: skip
