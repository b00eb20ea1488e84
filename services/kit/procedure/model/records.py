"""Materials, instruments and volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from services.kit.procedure.model.nodes import ActorRule, Article


@dataclass(frozen=True)
class ChecklistItem:
    """A material that a filing must bring; `when` (CEL over case) says when."""

    id: str
    title: str
    basis: tuple[Article, ...]
    when: str = ""
    optional: bool = False
    copies: int = 1
    per_party: str = ""
    internal: bool = False
    defect: str = ""


@dataclass(frozen=True)
class NumberRule:
    """How a number is written: pattern with {机关代字} {文种} {year} {serial}."""

    pattern: str
    series: str
    kind_code: str = ""


@dataclass(frozen=True)
class VolumePlace:
    """Volume id and catalogue item."""

    id: str
    seq: int


@dataclass(frozen=True)
class InstrumentRule:
    """An instrument of domain/documents.yaml: template, number, fields, who signs, to whom it is served."""

    id: str
    title: str
    template: str
    fields: dict[str, Any]
    volume: VolumePlace
    number: NumberRule | None = None
    approved_in: str = ""
    signed_by: tuple[ActorRule, ...] = ()
    sealed: bool = True
    serve_to: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class VolumeItem:
    """What a catalogue item takes."""

    seq: int
    instruments: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    rest: bool = False


@dataclass(frozen=True)
class VolumeRule:
    """main 正卷 or internal 副卷, after a catalogue of domain/volumes.yaml."""

    id: str
    kind: Literal["main", "internal"]
    catalogue: str
    takes: tuple[VolumeItem, ...]
