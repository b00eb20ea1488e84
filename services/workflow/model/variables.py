"""What conditions of a pack may ask of a case: plain data, kept with the instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from services.kit.effects import plain
from services.kit.events import Event
from services.kit.procedure import registry


def whole(message: Message) -> dict[str, Any]:
    """A message as plain data: every field is there, numbers are numbers."""
    found = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return _numbers(message, found)


def _numbers(message: Message, found: dict[str, Any]) -> dict[str, Any]:
    # protobuf writes 64-bit integers as text
    for field in message.DESCRIPTOR.fields:
        if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64) and field.name in found:
            found[field.name] = int(found[field.name])
    return found


def case_of_filing(event: Event) -> dict[str, Any]:
    """The variable `case` as FilingSubmitted makes it: the register's card, and the filing."""
    return _filing(event) | {"reported_by_name": event.data.reported_by_name} | case_of_card(event, {})


def case_of_card(event: Event, known: Mapping[str, Any]) -> dict[str, Any]:
    """What an event of intake says anew of a case `known` so far; parties keep what the card does not tell."""
    found = (_filing(event) if "filing" in event.raw else {}) | _known(whole(event.data.card))
    told = _filing(event).get("parties", []) if "filing" in event.raw else known.get("parties", [])
    before = {p["party_id"]: p for p in told}
    found["parties"] = [before.get(p["party_id"], {}) | p for p in found["parties"]] or told
    return found


def _filing(event: Event) -> dict[str, Any]:
    content = plain(event.data.filing.content)
    request = content if event.data.filing.channel == "request" else {}
    return _known(whole(event.data.filing) | {"content": content, "request": request})


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if k in registry.fields()["case"]}


def fact_of(event: Event) -> dict[str, Any]:
    """The variable `event`: the fact's fields with type, source, occurred_on, at, actor, body_id; `card` is
    added when it is offered."""
    return fact(event.source, event.type, whole(event.data), event.occurred_on.isoformat(), event.at.isoformat(),
                event.actor.as_dict(), event.body_id)  # fmt: skip


def fact(source: str, type_: str, fields: Mapping[str, Any], occurred_on: str, at: str,
         actor: Mapping[str, Any], body_id: str) -> dict[str, Any]:  # fmt: skip
    """The same from its parts."""
    inner = {k: v for k, v in fields.items() if k != "card"}
    return inner | {"type": type_, "source": source, "occurred_on": occurred_on, "at": at, "actor": dict(actor),
                    "body_id": body_id}  # fmt: skip
