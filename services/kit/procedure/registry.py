"""What the house can do and tell: effects with their performers, facts and their fields, fields of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.kit.procedure.model import typed

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Emits:
    """A fact that follows a performed effect; `play` tells it in the owner's place."""

    event: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EffectKind:
    """One effect: the room that performs it, its parameters and results by type (a name with ? may be missing)."""

    owner: str
    title: str
    params: dict[str, str]
    results: dict[str, str]
    emits: tuple[Emits, ...] = ()


@dataclass(frozen=True)
class FactKind:
    """One event type: who tells it, and its fields."""

    source: str
    fields: tuple[str, ...]


def _read(name: str) -> Any:
    return yaml.load((HERE / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@cache
def effects() -> dict[str, EffectKind]:
    """Every effect by name."""
    found: dict[str, EffectKind] = typed(dict[str, EffectKind], _read("effects.yaml")["effects"])
    return found


@cache
def facts() -> dict[str, FactKind]:
    """Every event type a pack may name."""
    found: dict[str, FactKind] = typed(dict[str, FactKind], _read("facts.yaml")["facts"])
    return found


@cache
def fields() -> dict[str, frozenset[str]]:
    """Fields of the variables `case` and `act`, and those that every event has."""
    return {name: frozenset(names) for name, names in _read("facts.yaml")["fields"].items()}


@cache
def cards() -> dict[str, frozenset[str]]:
    """Fields of `event.card` by the room that tells the fact."""
    return {name: frozenset(names) for name, names in _read("facts.yaml")["cards"].items()}


@cache
def _house() -> frozenset[str]:
    return frozenset(_read("facts.yaml")["house"])


def by_house(field_name: str) -> bool:
    """Whether the documents room fills in a required field; 当事人（基本情况） counts as 当事人."""
    return field_name.split("（")[0] in _house()
