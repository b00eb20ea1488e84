"""The pack as a whole, and how plain data becomes it."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

from services.kit.procedure.model.limits import IndicatorRule, LimitRule
from services.kit.procedure.model.nodes import EffectRule, EndRule, NodeRule
from services.kit.procedure.model.records import ChecklistItem, InstrumentRule, NumberRule, VolumeRule


@dataclass(frozen=True)
class Law:
    """One enactment the procedure rests on."""

    law: str
    version: str = ""
    articles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Departments:
    """Kinds of the lead and of the assisting departments."""

    lead: str = ""
    assisting: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel:
    """A way in: who may submit, which form, whether a reporter may be named."""

    who: tuple[str, ...]
    form: str = "filing"
    reporter: bool = False


@dataclass(frozen=True)
class PartyRole:
    """How many parties of a role a filing must have."""

    min: int = 0
    max: int | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pack:
    """One version of a procedure; immutable. `sha256` is that of its bundle.

    `deadlines`: limit id -> frozen rule of domain/deadlines.yaml; `documents` and `catalogues` likewise.
    `files`: every file of the bundle by its path; `examples`: file name -> script.
    """

    id: str
    version: str
    valid_from: date
    title: str
    kind: Literal["court", "bureau", "any"]
    legal_basis: tuple[Law, ...]
    channels: dict[str, Channel]
    roles: tuple[str, ...]
    stages: tuple[str, ...]
    case_type_code: str = ""
    docketing_number: NumberRule | None = None
    party_roles: dict[str, PartyRole] = field(default_factory=dict)
    departments: Departments = field(default_factory=Departments)
    secrecy_level: int = 1
    nodes: dict[str, NodeRule] = field(default_factory=dict)
    ends: dict[str, EndRule] = field(default_factory=dict)
    time_limits: tuple[LimitRule, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    instruments: tuple[InstrumentRule, ...] = ()
    volumes: tuple[VolumeRule, ...] = ()
    indicators: tuple[IndicatorRule, ...] = ()
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    deadlines: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    catalogues: dict[str, dict[str, Any]] = field(default_factory=dict)
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    sha256: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Identity of the engine's cached form."""
        return self.id, self.version, self.sha256

    @cached_property
    def effects(self) -> dict[str, tuple[str, EffectRule]]:
        """Effect id -> (node id, rule)."""
        return {e.id: (node, e) for node, rule in self.nodes.items() for e in rule.effects}

    def form_of(self, node_id: str) -> dict[str, Any] | None:
        """The JSON Schema a node asks, or None."""
        return self.forms.get(self.nodes[node_id].form or node_id)

    def limit(self, limit_id: str) -> LimitRule:
        """The rule by which a limit's clocks move here."""
        return next(rule for rule in self.time_limits if rule.limit == limit_id)


_RENAMED = {"in": "in_", "with": "with_", "from": "from_"}


def typed(hint: Any, value: Any) -> Any:
    """Plain data that its schema has passed -> dataclasses by type hint; one object stands for a list of one."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        named = {_RENAMED.get(k, k): v for k, v in value.items()}
        return hint(**{name: typed(hints[name], v) for name, v in named.items()})
    if origin is tuple:
        return tuple(typed(args[0], v) for v in (value if isinstance(value, list) else [value]))
    if origin is dict:
        return {k: typed(args[1], v) for k, v in value.items()}
    if args and type(None) in args:
        return None if value is None else typed(next(a for a in args if a is not type(None)), value)
    if hint is date:
        return date.fromisoformat(str(value))
    return value


def pack_of(documents: Mapping[str, Any]) -> Pack:
    """A Pack from its parts: attribute name -> plain data."""
    return typing.cast(Pack, typed(Pack, documents))
