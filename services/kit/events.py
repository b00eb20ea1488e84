"""Facts on the bus: protobuf messages as JSON in CloudEvents 1.0 (structured mode)."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache, partial
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.kit.identity import Actor

_EXTENSIONS = (("bodyid", "body_id"), ("caseid", "case_id"), ("causeid", "cause_id"),
               ("packid", "pack_id"), ("packversion", "pack_version"), ("traceparent", "traceparent"))  # fmt: skip
_LONG = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)  # words in JSON


@dataclass(frozen=True)
class Event:
    """One fact. `aggregate_id` and `seq` place it in its source's stream; `occurred_on` is the legal day.

    `raw` is the JSON object of `data`; `data` parses it on first use into the source's message and
    ignores unknown fields.
    """

    event_id: str
    source: str
    type: str
    aggregate_id: str
    seq: int
    occurred_on: date
    at: datetime
    actor: Actor
    raw: dict[str, Any] = field(repr=False)
    body_id: str = ""
    case_id: str = ""
    cause_id: str = ""
    pack_id: str = ""
    pack_version: str = ""
    traceparent: str = ""

    @cached_property
    def data(self) -> Any:
        """The message, parsed: by the constructor in C, an eighth of the time; what it cannot, by the JSON format."""
        wanted = message_class(self.source, self.type)
        try:
            return wanted(**_told(wanted.DESCRIPTOR, self.raw))
        except (TypeError, ValueError, AttributeError):
            return json_format.ParseDict(self.raw, wanted(), ignore_unknown_fields=True)


def _told(message: Any, raw: Any) -> dict[str, Any]:
    """A JSON object as the constructor takes it; unknown fields are left out."""
    ways = _ways(message)
    return {name: way(value) if (way := ways[name]) else value for name, value in raw.items() if name in ways}


@lru_cache(maxsize=1024)
def _ways(message: Any) -> dict[str, Any]:
    """By field what must become of its value; None: nothing. A Struct may be given as it is."""
    return {field.name: _way(field, field.message_type) for field in message.fields}


def _way(field: Any, message: Any) -> Any:
    is_ours = message is not None and not message.full_name.startswith("google.")
    one: Any = partial(_told, message) if is_ours else int if field.cpp_type in _LONG else None
    return partial(_each, one) if one and field.is_repeated else one


@lru_cache(maxsize=1024)
def message_class(source: str, type_: str) -> type[Message]:
    """The protobuf class of an event: the source's own, else kit's effect answers.

    Raises:
        LookupError: no such event in this version of the code.
    """
    for module in (f"anjuan.{source}.v1.events_pb2", "anjuan.kit.v1.effects_pb2"):
        try:
            found = getattr(importlib.import_module(module), type_, None)
        except ModuleNotFoundError:
            continue
        if found is not None:
            return found  # type: ignore[no-any-return]
    raise LookupError(f"event {source}.{type_} is not in this version of the code")


def to_raw(message: Message) -> dict[str, Any]:
    """Message -> JSON object as json_format makes it, proto field names kept; in a third of its time."""
    return {field.name: way(value) if (way := _out(field)) else value for field, value in message.ListFields()}


@lru_cache(maxsize=4096)
def _out(field: FieldDescriptor) -> Any:
    """Events have no map, no bytes and no enumeration (tests/test_events.py sees to it)."""
    one: Any = str if field.cpp_type in _LONG else None
    if field.message_type is not None:
        one = json_format.MessageToDict if field.message_type.full_name.startswith("google.") else to_raw
    return partial(_each, one) if one and field.is_repeated else list if field.is_repeated else one


def _each(one: Any, values: Any) -> list[Any]:
    return [one(value) for value in values]


def encode(event: Event) -> bytes:
    """The CloudEvent as it lies in the outbox and travels on the bus."""
    envelope = {
        "specversion": "1.0", "id": event.event_id, "source": event.source, "type": event.type,
        "subject": event.aggregate_id, "sequence": event.seq, "time": event.at.isoformat(),
        "occurredon": event.occurred_on.isoformat(), "actor": event.actor.as_dict(),
        "datacontenttype": "application/json", "data": event.raw,
    }  # fmt: skip
    envelope |= {key: value for key, name in _EXTENSIONS if (value := getattr(event, name))}
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes) -> Event:
    """The reverse of encode; unknown attributes are ignored.

    Raises:
        ValueError: not a CloudEvent of ours (also json.JSONDecodeError, KeyError as ValueError).
    """
    try:
        e = json.loads(body)
        wrong = [k for k in ("id", "source", "type", "subject") if not isinstance(e[k], str) or b"\0" in e[k].encode()]
        if wrong or not 1 <= int(e["sequence"]) < 2**63 or not isinstance(e["data"], dict):
            raise ValueError(f"not an event of ours: {wrong or 'sequence or data'}")
        return Event(
            event_id=e["id"], source=e["source"], type=e["type"], aggregate_id=e["subject"], seq=int(e["sequence"]),
            occurred_on=date.fromisoformat(e["occurredon"]), at=datetime.fromisoformat(e["time"]),
            actor=Actor.from_dict(e["actor"]), raw=e["data"],
            **{name: e.get(key, "") for key, name in _EXTENSIONS},
        )  # fmt: skip
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not an event of ours: {error!r}") from error
