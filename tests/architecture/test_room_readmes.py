"""Each room's README names its calls, effects, facts and jobs: exactly those that are there."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.kit.inbox.streams import reaction_name
from services.kit.procedure.registry import effects as kinds
from services.kit.settings import ROOT

ROOMS = sorted(path.parent.name for path in (ROOT / "proto/anjuan").glob("*/v1") if path.parent.name != "kit")


@cache
def told(room: str) -> dict[str, str]:
    """The README's list: `- **Calls:** …` as "Calls" -> its text."""
    text = (ROOT / "services" / room / "README.md").read_text("utf-8")
    return dict(re.findall(r"^- \*\*([\w ]+):?\*\*(.*?)(?=^- |^\n|\Z)", text, re.MULTILINE | re.DOTALL))


def named(room: str, what: str, like: str) -> set[str]:
    """The names in backticks that look like `like`."""
    return set(re.findall(rf"`({like})`", told(room).get(what, "")))


def described(room: str, file: str) -> Any:
    module = Path(ROOT / f"proto/anjuan/{room}/v1/{file}.proto")
    return importlib.import_module(f"anjuan.{room}.v1.{file}_pb2").DESCRIPTOR if module.exists() else None


def events(room: str) -> set[str]:
    """What a room's events.proto declares, parts of other messages left out."""
    declared = described(room, "events")
    messages = declared.message_types_by_name if declared else {}
    parts = {field.message_type.name for m in messages.values() for field in m.fields if field.message_type}
    return set(messages) - parts


@pytest.mark.parametrize("room", ROOMS)
def test_a_readme_tells_what_is_there(room: str) -> None:
    one = importlib.import_module(f"services.{room}.__main__").ROOM
    service = described(room, room).services_by_name.values()
    assert named(room, "Calls", r"[A-Z]\w+") == {m.name for each in service for m in each.methods}
    effects = {name for name, kind in kinds().items() if kind.owner == room}
    assert named(room, "Effects", "[a-z_]+") == effects
    answers = {"EffectDone", "EffectRefused"} if effects and room != "workflow" else set()
    assert named(room, "Events out", r"[A-Z]\w+") == events(room) | answers
    assert named(room, "Jobs", "[a-z_]+") == set(one.jobs)


@pytest.mark.parametrize("room", ROOMS)
def test_a_readme_tells_what_is_heard(room: str) -> None:
    """Sources, and each fact with a reaction of its own; a reaction shared by many facts goes by its first name."""
    one = importlib.import_module(f"services.{room}.__main__").ROOM
    hears = told(room)["Events in"]
    assert {name for name in ROOMS if re.search(rf"\b{name}\b", hears)} == set(one.sources)
    known = {name for source in ROOMS for name in events(source)} | {"EffectDone", "EffectRefused"}
    reactions = {name: getattr(one.consumer, reaction_name(name), None) for name in known}
    own = {name for name, reaction in reactions.items() if getattr(reaction, "__name__", "") == reaction_name(name)}
    assert named(room, "Events in", r"[A-Z]\w+") == own
