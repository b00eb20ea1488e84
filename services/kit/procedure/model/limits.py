"""How facts move clocks and indicators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.kit.procedure.model.nodes import ActorRule


@dataclass(frozen=True)
class FactRule:
    """A fact on the bus: event type, CEL match, CEL day and CEL key; or the expiry of other limits."""

    event: str = ""
    match: str = ""
    day: str = ""
    key: str = ""
    after_expiry_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class SpanRule:
    """A period that does not count (or suspends), by ground."""

    ground: str
    since: FactRule
    until: FactRule


@dataclass(frozen=True)
class ExtensionRule:
    """The nth extension of the domain rule, granted by a fact."""

    nth: int
    on: FactRule
    amount: str = ""
    unit: str = ""


@dataclass(frozen=True)
class CardRule:
    """A yellow or red card by a monitoring rule of domain/indicators.yaml."""

    level: Literal["yellow", "red"]
    when: Literal["due_soon", "expired"]
    rule: str
    remaining: int = 0
    to: tuple[ActorRule, ...] = ()


@dataclass(frozen=True)
class LimitRule:
    """How facts move the clocks of one limit of domain/deadlines.yaml; the lowest rank governs."""

    limit: str
    scope: Literal["case", "node", "party", "instrument"]
    rank: int
    starts: tuple[FactRule, ...]
    stops: tuple[FactRule, ...]
    excludes: tuple[SpanRule, ...] = ()
    suspends: tuple[SpanRule, ...] = ()
    extends: tuple[ExtensionRule, ...] = ()
    due_soon: tuple[int, ...] = ()
    cards: tuple[CardRule, ...] = ()


@dataclass(frozen=True)
class IndicatorRule:
    """Counts of facts over counts of facts."""

    id: str
    title: str
    numerator: tuple[FactRule, ...]
    denominator: tuple[FactRule, ...]
    source: str = ""
    direction: str = "neutral"
