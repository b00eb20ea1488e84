"""Supervision's part of a play: facts move clocks, days pass, clocks run out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from services.kit.errors import RuleRefusedError
from services.kit.legal_calendar import Exclusion, Extension, Reckoning, TimeLimit, reckon, remaining
from services.kit.procedure.conditions import evaluate, holds
from services.kit.procedure.model import FactRule, LimitRule, Pack

_KEYS = {"node": "visit_id", "party": "party_id", "instrument": "instrument_id"}
Fact = Mapping[str, Any]


@dataclass
class Clock:
    """One running limit."""

    rule: LimitRule
    law: TimeLimit
    key: str
    start: date | datetime
    exclusions: list[Exclusion] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    stopped_on: date | None = None
    expired: bool = False
    known: tuple[Any, Reckoning] | None = None

    @property
    def due(self) -> Reckoning:
        """How it stands by law; counted anew only when something was added."""
        asked = (self.start, tuple(self.exclusions), tuple(self.extensions))
        if self.known is None or self.known[0] != asked:
            self.known = (asked, reckon(self.law, self.start, exclusions=self.exclusions, extensions=self.extensions))
        return self.known[1]

    def view(self) -> dict[str, Any]:
        """As examples state it."""
        due = self.due
        state = "suspended" if due.due_on is None else "overdue" if self.expired else "running"
        start = self.start.date() if isinstance(self.start, datetime) else self.start
        return {
            "limit": self.rule.limit, "key": self.key, "state": "stopped" if self.stopped_on else state,
            "starts_on": start.isoformat(), "provisional": due.provisional, "due_on": str(due.due_on or ""),
            "due_at": due.due_at.isoformat() if due.due_at else "", "stopped_on": str(self.stopped_on or ""),
        }  # fmt: skip


class Clocks:
    """All clocks of one case."""

    def __init__(self, pack: Pack, today: date) -> None:
        self.laws = {limit: TimeLimit.from_data(rule) for limit, rule in pack.deadlines.items()}
        self.rules, self.today = pack.time_limits, today
        self.all: list[Clock] = []
        self.cards: list[dict[str, str]] = []
        self.fired: set[str] = set()  # "<limit> <what>" for coverage

    def on(self, event: Fact) -> None:
        """A fact: ends first, then periods and extensions, then beginnings."""
        for rule in self.rules:
            live = [c for c in self.all if c.rule is rule and not c.stopped_on]
            for stop in rule.stops:
                for clock in self._meant(stop, rule, event, live):
                    clock.stopped_on = _day(stop, event)
                    self.fired.add(f"{rule.limit} stops")
            for span in (*rule.excludes, *rule.suspends):
                for clock in self._meant(span.until, rule, event, live):
                    self._resume(clock, span.ground, _day(span.until, event))
                for clock in self._meant(span.since, rule, event, live):
                    clock.exclusions.append(Exclusion(_day(span.since, event), None, span.ground))
            for more in rule.extends:
                for clock in self._meant(more.on, rule, event, live):
                    amount = int(evaluate(more.amount, {"event": event})) if more.amount else None
                    self._extend(clock, more.nth, amount, more.unit, _day(more.on, event))
            for start in rule.starts:
                self._start(rule, start, event)

    def _meant(self, fact: FactRule, rule: LimitRule, event: Fact, live: list[Clock]) -> list[Clock]:
        if event["type"] != fact.event or not holds(fact.match, {"event": event}):
            return []
        keys = _keys(fact, rule, event)
        return [c for c in live if not c.stopped_on and (not keys or c.key in keys)]

    def _start(self, rule: LimitRule, fact: FactRule, event: Fact) -> None:
        if fact.after_expiry_of:
            day = self._after(fact.after_expiry_of) if event["type"] == "TimeLimitExpired" else None
            found: list[tuple[str, date | datetime]] = [("", day)] if day else []
        elif event["type"] == fact.event and holds(fact.match, {"event": event}):
            law = self.laws[rule.limit]
            at = _moment(fact, event) if law.unit == "hour" else _day(fact, event)
            found = [(key, at) for key in _keys(fact, rule, event) or [""]]
        else:
            return
        for key, start in found:
            if not any(c.rule is rule and c.key == key and not c.stopped_on for c in self.all):
                self.all.append(Clock(rule, self.laws[rule.limit], key, start))
                self.fired.add(f"{rule.limit} starts")

    def _after(self, limits: tuple[str, ...]) -> date | None:
        begun = [c for c in self.all if c.rule.limit in limits]
        if any(not c.stopped_on and not c.expired for c in begun):
            return None
        return max((d for c in begun if c.expired and (d := c.due.due_on)), default=None)

    def _resume(self, clock: Clock, ground: str, on: date) -> None:
        for index, gap in enumerate(clock.exclusions):
            if gap.reason == ground and gap.until_on is None:
                clock.exclusions[index] = replace(gap, until_on=on)

    def _extend(self, clock: Clock, nth: int, amount: int | None, unit: Any, on: date) -> date:
        due = clock.due.due_on
        if nth != len(clock.extensions) + 1:
            raise RuleRefusedError(f"已延长{len(clock.extensions)}次，不能办理第{nth}次延长")
        if due and on > due:
            raise RuleRefusedError(f"依《{clock.law.law.title}》，延长须在期限届满前批准：已于{due}届满")
        extension = Extension(amount, unit or None)
        new = reckon(clock.law, clock.start, exclusions=clock.exclusions, extensions=[*clock.extensions, extension])
        clock.extensions.append(extension)
        self.fired.add(f"{clock.rule.limit} extends")
        return new.due_on or on

    def perform(self, effect: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """extend_clock, exclude_period or resume_period; returns due_on.

        Raises:
            RuleRefusedError: no such clock runs, or the law does not allow it.
        """
        meant = [c for c in self.all if c.rule.limit == params["limit_id"] and not c.stopped_on
                 and c.key == params.get("scope_id", c.key)]  # fmt: skip
        if not meant:
            raise RuleRefusedError(f"没有正在计算的期限 {params['limit_id']}")
        clock, until = meant[-1], params.get("to_on")
        if effect == "extend_clock":
            on = date.fromisoformat(params["granted_on"])
            self._extend(clock, params["nth"], params.get("amount"), params.get("unit"), on)
        elif effect == "exclude_period":
            last = date.fromisoformat(until) if until else None
            clock.exclusions.append(Exclusion(date.fromisoformat(params["from_on"]), last, params["ground"]))
        else:
            self._resume(clock, params["ground"], date.fromisoformat(params["to_on"]))
        return {"due_on": str(clock.due.due_on)} if clock.due.due_on else {}

    def pass_to(self, moment: datetime) -> Iterator[dict[str, Any]]:
        """Let time pass; yields each TimeLimitExpired, told on the day after the last one (hours: at once)."""
        while self.today < moment.date():
            yield from self._expire(datetime.combine(self.today, time.max, moment.tzinfo))
            self.today += timedelta(days=1)
            for clock in [c for c in self.all if not c.stopped_on and not c.expired]:
                due = clock.due
                left = None if due.due_on is None or due.unit == "hour" else remaining(due, due.unit, self.today)
                self._cards(clock, "due_soon", left)
            yield from self._expire(datetime.combine(self.today, time.min, moment.tzinfo))
        yield from self._expire(moment)

    def _expire(self, moment: datetime) -> Iterator[dict[str, Any]]:
        for clock in [c for c in self.all if not c.stopped_on and not c.expired]:
            due = clock.due
            if (due.due_at is not None and due.due_at > moment) or due.due_on is None:
                continue
            if due.due_at is not None or self.today > due.due_on:
                clock.expired = True
                self._cards(clock, "expired", None)
                self.fired.add(f"{clock.rule.limit} expires")
                yield {"type": "TimeLimitExpired", "occurred_on": self.today.isoformat(), "scope_id": clock.key,
                       "limit_id": clock.rule.limit, "due_on": str(due.due_on)}  # fmt: skip

    def _cards(self, clock: Clock, when: str, left: int | None) -> None:
        known = [(c["level"], c["limit"], c["key"]) for c in self.cards]
        for card in clock.rule.cards:
            meant = card.when == when and (when == "expired" or card.remaining == left)
            if meant and (card.level, clock.rule.limit, clock.key) not in known:
                self.cards.append({"level": card.level, "limit": clock.rule.limit, "key": clock.key,
                                   "on": self.today.isoformat()})  # fmt: skip


def _keys(fact: FactRule, rule: LimitRule, event: Fact) -> list[str]:
    if rule.scope == "case":
        return []
    found = evaluate(fact.key, {"event": event}) if fact.key else event.get(_KEYS[rule.scope], [])
    return [str(k) for k in (found if isinstance(found, list) else [found])]


def _day(fact: FactRule, event: Fact) -> date:
    return date.fromisoformat(str(evaluate(fact.day, {"event": event}) if fact.day else event["occurred_on"])[:10])


def _moment(fact: FactRule, event: Fact) -> datetime:
    return datetime.fromisoformat(str(evaluate(fact.day, {"event": event}) if fact.day else event["at"]))
