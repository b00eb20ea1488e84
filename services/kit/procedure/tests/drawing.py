"""Draws small processes for tests: one line an element, `a -> b : condition` a flow."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from services.kit.procedure.model import Pack, pack_of

_TAGS = {"task": "userTask", "wait": "receiveTask", "catch": "intermediateCatchEvent", "xor": "exclusiveGateway",
         "par": "parallelGateway", "race": "eventBasedGateway", "start": "startEvent", "end": "endEvent"}  # fmt: skip
_MESSAGE = "<messageEventDefinition/>"


def draw(text: str) -> bytes:
    """`task a b`, `xor g`, `edge x on a` (`edge! x on a` interrupts), `sub s {` … `}`, `event! s {`, `stop e`."""
    body = "".join(_line(line.strip(), number) for number, line in enumerate(text.strip().splitlines()))
    return (f'<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">'
            f'<process id="main" isExecutable="true">{body}</process></definitions>').encode()  # fmt: skip


def _line(line: str, number: int) -> str:
    word, _, rest = line.partition(" ")
    if "->" in line:
        return _arrows(line, number)
    if word in _TAGS:
        inner = _MESSAGE if word == "catch" else ""
        return "".join(f"<{_TAGS[word]} id={quoteattr(i)}>{inner}</{_TAGS[word]}>" for i in rest.split())
    if word.startswith("edge"):
        ident, _, host = rest.partition(" on ")
        cancel = "true" if word.endswith("!") else "false"
        return (
            f'<boundaryEvent id="{ident}" attachedToRef="{host}" cancelActivity="{cancel}">{_MESSAGE}</boundaryEvent>'
        )
    if word == "stop":
        return f'<endEvent id="{rest}"><terminateEventDefinition/></endEvent>'
    return _block(word, rest)


def _block(word: str, rest: str) -> str:
    name = rest.removesuffix("{").strip()
    if word == "sub":
        return f'<subProcess id="{name}">'
    if word.startswith("event"):
        interrupts = "true" if word.endswith("!") else "false"
        return (f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="{name}_start" '
                f'isInterrupting="{interrupts}">{_MESSAGE}</startEvent>')  # fmt: skip
    return "</subProcess>" if word == "}" else ""


def _arrows(line: str, number: int) -> str:
    path, _, condition = line.partition(" : ")
    names = [name.strip() for name in path.split("->")]
    inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
    return "".join(
        f'<sequenceFlow id="f{number}_{i}" sourceRef="{a}" targetRef="{b}">{inner}</sequenceFlow>'
        for i, (a, b) in enumerate(pairwise(names))
    )  # fmt: skip


def pack(text: str, waits: dict[str, dict[str, Any]] | None = None, sha256: str = "", **extra: Any) -> Pack:
    """A pack with this process; `waits`: node -> the rest of its rule."""
    nodes = {name: {"title": name, "stage": "s", "articles": []} | rule for name, rule in (waits or {}).items()}
    parts = {
        "id": "tiny", "version": "1.0.0", "valid_from": "2025-01-01", "title": "小程序", "kind": "any",
        "legal_basis": [], "channels": {}, "roles": [], "stages": ["s"], "nodes": nodes,
        "files": {"process.bpmn": draw(text)}, "sha256": sha256,
    }  # fmt: skip
    return pack_of(parts | extra)
