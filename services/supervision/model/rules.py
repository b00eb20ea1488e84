"""What this room knows of a published pack: which facts move which clock, and the law behind each limit."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.kit.legal_calendar import TimeLimit, limit_book
from services.kit.procedure.model import FactRule, LimitRule, typed
from services.supervision.model.ledger import Kind

EXPIRED = "TimeLimitExpired"  # the one fact of our own that a clock may be tied to


@dataclass(frozen=True)
class Trigger:
    """One way in which a fact speaks to a limit."""

    rule: LimitRule
    kind: Kind
    fact: FactRule
    ground: str = ""
    nth: int = 0
    amount: str = ""
    unit: str = ""


def _triggers(rule: LimitRule) -> Iterator[Trigger]:
    for fact in rule.starts:
        yield Trigger(rule, "started", fact)
    for fact in rule.stops:
        yield Trigger(rule, "stopped", fact)
    for kind, spans in (("excluded", rule.excludes), ("suspended", rule.suspends)):
        for span in spans:
            yield Trigger(rule, "excluded" if kind == "excluded" else "suspended", span.since, span.ground)
            yield Trigger(rule, "resumed", span.until, span.ground)
    for more in rule.extends:
        yield Trigger(rule, "extended", more.on, nth=more.nth, amount=more.amount, unit=more.unit)


@dataclass(frozen=True)
class PackLimits:
    """The limits of one version of a pack. `deadlines`: limit id -> its rule of law, frozen in the pack."""

    pack_id: str
    version: str
    rules: Mapping[str, LimitRule]
    deadlines: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, pack_id: str, version: str, time_limits: Any, deadlines: Mapping[str, Any]) -> PackLimits:
        """From the JSON kept in the database."""
        rules: tuple[LimitRule, ...] = typed(tuple[LimitRule, ...], time_limits)
        return cls(pack_id, version, {rule.limit: rule for rule in rules}, deadlines)

    @cached_property
    def triggers(self) -> Mapping[str, list[Trigger]]:
        """By event type."""
        found: dict[str, list[Trigger]] = defaultdict(list)
        for trigger in (t for rule in self.rules.values() for t in _triggers(rule)):
            if trigger.fact.event:
                found[trigger.fact.event].append(trigger)
        return found

    @cached_property
    def anchors(self) -> Mapping[str, frozenset[str]]:
        """Limit -> those after whose expiry it starts; only limits that start so."""
        found = {r.limit: frozenset(a for f in r.starts for a in f.after_expiry_of) for r in self.rules.values()}
        return {limit: anchors for limit, anchors in found.items() if anchors}

    def awaits(self, limit_id: str) -> bool:
        """Whether the expiry of a limit may move another one."""
        return EXPIRED in self.triggers or any(limit_id in anchors for anchors in self.anchors.values())

    def with_dependents(self, limit_ids: Collection[str]) -> frozenset[str]:
        """These limits and all that begin, at last, with the expiry of one of them."""
        wanted = frozenset(limit_ids) & self.rules.keys()
        while more := {limit for limit, anchors in self.anchors.items() if anchors & wanted} - wanted:
            wanted |= more
        return wanted

    def law(self, limit_id: str) -> TimeLimit:
        """The rule of law of a limit: as frozen in the pack, else of the domain folder (lead times)."""
        frozen = self.deadlines.get(limit_id)
        return TimeLimit.from_data(frozen) if frozen else limit_book().limit(limit_id)


def plain(rules: tuple[LimitRule, ...]) -> list[dict[str, Any]]:
    """Rules as JSON; PackLimits.of reads it."""
    made: list[dict[str, Any]] = json.loads(json.dumps([dataclasses.asdict(rule) for rule in rules]))
    return made
