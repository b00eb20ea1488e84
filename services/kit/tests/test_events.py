"""Events: the short way to a message gives what the long one gives."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.kit import clock, events, identity
from services.kit.settings import ROOT

SAID = {"名": ["值", 1.5, None, {"fields": True}]}
VALUES: dict[int, Any] = {
    FieldDescriptor.CPPTYPE_STRING: "某某", FieldDescriptor.CPPTYPE_BOOL: True,
    FieldDescriptor.CPPTYPE_INT64: 2**53 + 1, FieldDescriptor.CPPTYPE_UINT64: 7,
    FieldDescriptor.CPPTYPE_INT32: -3, FieldDescriptor.CPPTYPE_UINT32: 3,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.25, FieldDescriptor.CPPTYPE_FLOAT: 0.5,
}  # fmt: skip


def kinds() -> Iterator[tuple[str, type[Message]]]:
    """Every event of every room, with its source."""
    for told in [*(ROOT / "proto" / "anjuan").glob("*/v1/events.proto"), Path("kit/v1/effects.proto")]:
        source = told.parts[-3]
        module = importlib.import_module(f"anjuan.{source}.v1.{told.stem}_pb2")
        for name in module.DESCRIPTOR.message_types_by_name:
            yield source, getattr(module, name)


def fill(message: Any, depth: int = 4) -> Any:
    """A value in every field."""
    for field in message.DESCRIPTOR.fields:
        inner = getattr(message, field.name)
        if field.message_type is None:
            inner.extend([VALUES[field.cpp_type]] * 2) if field.is_repeated else setattr(
                message, field.name, VALUES[field.cpp_type]
            )
        elif field.message_type.full_name == "google.protobuf.Struct" and not field.is_repeated:
            inner.update(SAID)
        elif depth:
            fill(inner.add() if field.is_repeated else inner, depth - 1)
    return message


def event(source: str, kind: str, raw: dict[str, Any]) -> events.Event:
    """As it comes from the bus."""
    sent = events.Event(event_id="e", source=source, type=kind, aggregate_id="a", seq=1, occurred_on=clock.today(),
                        at=clock.now(), actor=identity.system("test"), raw=raw)  # fmt: skip
    return events.decode(events.encode(sent))


@pytest.mark.parametrize(("source", "kind"), [pytest.param(s, k, id=k.DESCRIPTOR.full_name) for s, k in kinds()])
def test_both_ways_to_a_message_agree(source: str, kind: type[Message]) -> None:
    told = fill(kind())
    assert events.to_raw(told) == json_format.MessageToDict(told, preserving_proto_field_name=True)
    raw = events.to_raw(told) | {"of_tomorrow": {"a": 1}}
    assert event(source, kind.DESCRIPTOR.name, raw).data == told
    assert events._told(kind.DESCRIPTOR, json.loads(json.dumps(raw))).keys() == set(raw) - {"of_tomorrow"}
    assert kind(**events._told(kind.DESCRIPTOR, raw)) == told  # the short way, no fall back


def test_what_is_no_such_message_is_an_error() -> None:
    good = event("identity", "BodyChanged", {"body": {"name": "某局", "of_tomorrow": 1}})
    assert good.data.body.name == "某局"
    with pytest.raises(json_format.ParseError):
        assert replace(good, raw={"body": {"name": 5}}).data
