"""Small changes of a pack that change the law: at least one example must notice each of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from services.kit.procedure.model import Pack
from services.kit.procedure.play import PlayError, play

_CONDITIONS = frozenset({"when", "match"})


def mutants(pack: Pack) -> Iterator[tuple[str, Pack]]:
    """Each used limit one unit longer and shorter, each effect dropped, each condition negated."""
    for limit, law in pack.deadlines.items():
        if any(rule.limit == limit for rule in pack.time_limits):
            for step in (1, -1):
                changed = {**pack.deadlines, limit: {**law, "amount": law["amount"] + step}}
                yield f"{limit} {step:+d}", dataclasses.replace(pack, deadlines=changed, sha256="")
    for node, rule in pack.nodes.items():
        for effect in rule.effects:
            left = tuple(
                dataclasses.replace(e, after=tuple(a for a in e.after if a != effect.id))
                for e in rule.effects if e is not effect
            )  # fmt: skip
            nodes = {**pack.nodes, node: dataclasses.replace(rule, effects=left, awaits=None)}
            yield f"without {effect.id}", dataclasses.replace(pack, nodes=nodes, sha256="")
    for name, value in (("nodes", pack.nodes), ("time_limits", pack.time_limits)):
        for at, negated in _negated(value, name):
            yield f"not {at}", dataclasses.replace(pack, **{name: negated}, sha256="")
    yield from _flows(pack)


def _negated(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Copies of a part of the pack with one condition negated each."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ((path, {**value, key: new}) for path, new in _negated(inner, f"{at}.{key}"))
    elif isinstance(value, tuple):
        for i, inner in enumerate(value):
            copies = _negated(inner, f"{at}.{i}")
            yield from ((path, (*value[:i], new, *value[i + 1 :])) for path, new in copies)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for f in dataclasses.fields(value):
            inner, path = getattr(value, f.name), f"{at}.{f.name}"
            if f.name in _CONDITIONS and inner and type(value).__name__ != "CardRule":
                yield path, dataclasses.replace(value, **{f.name: f"!({inner})"})
            yield from ((p, dataclasses.replace(value, **{f.name: new})) for p, new in _negated(inner, path))


def _flows(pack: Pack) -> Iterator[tuple[str, Pack]]:
    text = pack.files["process.bpmn"].decode()
    for found in re.finditer(r"(<conditionExpression[^>]*>)(.*?)(</conditionExpression>)", text):
        new = text[: found.start(2)] + f"!({found[2]})" + text[found.end(2) :]
        files = {**pack.files, "process.bpmn": new.encode()}
        yield f"not {found[2]}", dataclasses.replace(pack, files=files, sha256="")


def survives(name: str, mutant: Pack) -> bool:
    """Whether every example of a changed pack still plays as it says; those that speak of what was changed first."""
    words = set(re.findall(r"[a-z][a-z_]*[a-z]|[a-z]+(?:-[a-z0-9]+)+", name))

    def speaks(script: dict[str, Any]) -> tuple[int, int]:
        text = str(script)
        return -sum(word in text for word in words), len(script["acts"])

    for script in sorted(mutant.examples.values(), key=speaks):
        try:
            play(mutant, script)
        except PlayError:
            return False
    return True
