"""A procedure pack in memory: what the schemas in schemas/ allow, typed. No I/O.

Expressions: `when`, `match`, `day`, `key`, `of`, `amount` are CEL; a value of `with` or `fields` is CEL when it is
a string that begins with `=`, else literal. See conditions.py for the variables.
"""

from __future__ import annotations

from services.kit.procedure.model.faults import Finding, PackError
from services.kit.procedure.model.limits import CardRule, ExtensionRule, FactRule, IndicatorRule, LimitRule, SpanRule
from services.kit.procedure.model.nodes import ActorRule, ApprovalRule, Article, EffectRule, EndRule, Level, NodeRule
from services.kit.procedure.model.nodes import RefusalRule as RefusalRule
from services.kit.procedure.model.nodes import RequestRule as RequestRule
from services.kit.procedure.model.nodes import WaitRule as WaitRule
from services.kit.procedure.model.pack import Channel, Departments, Law, Pack, PartyRole, pack_of, typed
from services.kit.procedure.model.records import ChecklistItem, InstrumentRule, NumberRule, VolumeItem, VolumePlace
from services.kit.procedure.model.records import VolumeRule as VolumeRule

__all__ = [
    "ActorRule", "ApprovalRule", "Article", "CardRule", "Channel", "ChecklistItem", "Departments", "EffectRule",
    "EndRule", "ExtensionRule", "FactRule", "Finding", "IndicatorRule", "InstrumentRule", "Law", "Level", "LimitRule",
    "NodeRule", "NumberRule", "Pack", "PackError", "PartyRole", "RefusalRule", "RequestRule", "SpanRule",
    "VolumeItem", "VolumePlace", "VolumeRule", "WaitRule", "pack_of", "typed",
]  # fmt: skip
