"""From a fact on the bus to entries of the ledger: the pack's CEL over the event's data, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from google.protobuf import json_format

from services.kit import clock
from services.kit.effects import plain
from services.kit.events import Event
from services.kit.legal_calendar import LEGAL_ZONE
from services.kit.procedure.conditions import ConditionError, Scope, evaluate, holds
from services.supervision.model.ledger import EVERY, Entry
from services.supervision.model.rules import PackLimits, Trigger

_KEYS = {"node": "visit_id", "party": "party_id", "instrument": "instrument_id"}


def fact_of(event: Event) -> dict[str, Any]:
    """What `event` means in a condition: every field of the fact, and type, source, occurred_on, at, actor, body_id."""
    told = json_format.MessageToDict(
        event.data, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    structs = {
        f.name: plain(getattr(event.data, f.name))
        for f in event.data.DESCRIPTOR.fields
        if f.message_type is not None and f.message_type.full_name == "google.protobuf.Struct"
    }
    return told | structs | {
        "type": event.type, "source": event.source, "occurred_on": event.occurred_on.isoformat(),
        "at": event.at.isoformat(), "actor": event.actor.as_dict(), "body_id": event.body_id,
    }  # fmt: skip


def entries_of(limits: PackLimits, event: Event) -> list[Entry]:
    """The entries that the event makes; none when no limit of the pack listens to it.

    Raises:
        ConditionError: a condition of the pack cannot be decided from the event.
    """
    triggers = limits.triggers.get(event.type, ())
    if not triggers:
        return []
    scope = Scope(event=fact_of(event))
    matching = (t for t in triggers if holds(t.fact.match, scope))
    return [entry for trigger in matching for entry in _entries(limits, trigger, event, scope)]


def _entries(limits: PackLimits, trigger: Trigger, event: Event, scope: Mapping[str, Any]) -> Iterator[Entry]:
    hours = limits.law(trigger.rule.limit).unit == "hour"
    moment = _moment(trigger, event, scope) if hours and trigger.kind in ("started", "stopped") else None
    detail: dict[str, Any] = {"nth": trigger.nth} if trigger.nth else {}
    if trigger.amount:
        detail |= {"amount": int(evaluate(trigger.amount, scope)), "unit": trigger.unit}
    for key in _keys(trigger, scope):
        yield Entry(
            entry_id=clock.new_id(), limit_id=trigger.rule.limit, scope_id=key, kind=trigger.kind,
            from_on=moment.date() if moment else _day(trigger, event, scope), moment=moment,
            occurred_on=event.occurred_on, at=event.at, event_id=event.event_id, event_type=event.type,
            ground=trigger.ground, detail=detail,
        )  # fmt: skip


def _keys(trigger: Trigger, scope: Mapping[str, Any]) -> list[str]:
    """Which clocks of the limit are meant: `key`, else the field of the scope; ends without either mean all."""
    if trigger.rule.scope == "case":
        return [""]
    if trigger.fact.key:
        found = evaluate(trigger.fact.key, scope)
        return [str(key) for key in (found if isinstance(found, list) else [found])]
    key = scope["event"].get(_KEYS[trigger.rule.scope], "")
    if not key and trigger.kind == "started":
        limit, fact = trigger.rule.limit, trigger.fact.event
        raise ConditionError(f"程序包中期限“{limit}”按对象计算，但事实“{fact}”没有说明对象（key）")
    return [str(key) if key else EVERY]


def _day(trigger: Trigger, event: Event, scope: Mapping[str, Any]) -> date:
    if not trigger.fact.day:
        return event.occurred_on
    told = _instant(trigger, scope)
    return told.date() if isinstance(told, datetime) else told


def _moment(trigger: Trigger, event: Event, scope: Mapping[str, Any]) -> datetime | None:
    """When a limit in hours starts or stops: as the pack names it, else the fact's own instant.

    An instant of another day than the legal one says nothing of the hour: a beginning takes it all the same,
    moved to its day, an end then counts by its day.
    """
    if trigger.fact.day:
        named = _instant(trigger, scope)
        if not isinstance(named, datetime) and trigger.kind == "started":
            raise ConditionError(f"程序包中期限“{trigger.rule.limit}”以小时计，day 须给出时刻：{trigger.fact.day}")
        return named if isinstance(named, datetime) else None
    told = event.at.astimezone(LEGAL_ZONE)
    if told.date() == event.occurred_on:
        return told
    return datetime.combine(event.occurred_on, told.timetz()) if trigger.kind == "started" else None


def _instant(trigger: Trigger, scope: Mapping[str, Any]) -> date | datetime:
    value = evaluate(trigger.fact.day, scope)
    try:
        if isinstance(value, str) and len(value) == len("2025-01-01"):
            return date.fromisoformat(value)
        told = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        limit, day = trigger.rule.limit, trigger.fact.day
        raise ConditionError(f"程序包中期限“{limit}”的 day 不是日期：{day} = {value}") from error
    return told.replace(tzinfo=LEGAL_ZONE) if told.tzinfo is None else told.astimezone(LEGAL_ZONE)
