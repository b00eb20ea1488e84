"""Do expressions ask only for what is there? Variables by place, forms' fields, effects' results, facts' fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.kit.procedure import registry
from services.kit.procedure.conditions import references
from services.kit.procedure.graph import FILE, Graph
from services.kit.procedure.load import cel_texts
from services.kit.procedure.model import Finding, Pack
from services.kit.procedure.source import Source

_MEMBERS = frozenset(
    {"all", "exists", "exists_one", "map", "filter", "size", "contains", "startsWith", "endsWith", "matches"}
)
_NODE = frozenset({"case", "forms", "form", "approvals", "results", "act"})
_ALLOWED = {"time_limits.yaml": frozenset({"event"}), "indicators.yaml": frozenset({"event"}),
            "checklist.yaml": frozenset({"case"}), "instruments.yaml": _NODE - {"form", "approvals"}}  # fmt: skip


def findings(pack: Pack, sources: Mapping[str, Source], graph: Graph) -> Iterator[Finding]:
    """Every reference to a variable or field that will not be there."""
    for source in sources.values():
        for path, text in cel_texts(source):
            allowed, node = _ALLOWED.get(source.file, _NODE), str(path[1]) if source.file == "nodes.yaml" else ""
            event = _event(source, path)
            if source.file == "nodes.yaml" and "waits_for" in path:
                allowed = frozenset({"case", "forms", "results", "event"})
            for wrong, mend in _wrong(pack, text, allowed, node, event):
                yield source.fault(f"{text}：{wrong}", mend, *path)
    for flow in graph.flows.values():
        for wrong, mend in _wrong(pack, flow.condition, frozenset({"case", "forms", "results"}), "", ""):
            yield Finding(FILE, flow.line, f"顺序流 {flow.id}：{wrong}", mend, "reference")


def _event(source: Source, path: tuple[str | int, ...]) -> str:
    part: Any = source.data
    for key in path[:-1]:
        part = part[key]
    return str(part.get("event", "")) if isinstance(part, dict) else ""


def _wrong(pack: Pack, text: str, allowed: frozenset[str], node: str, event: str) -> Iterator[tuple[str, str]]:
    for variable, *rest in references(text):
        if variable not in allowed:
            yield f"这里没有变量 {variable}", f"可用：{'、'.join(sorted(allowed))}"
        elif rest and rest[0] not in _MEMBERS:
            known = _fields(pack, variable, rest, node, event)
            deep = len(rest) > 1 and (rest[0] in _top(pack, variable) or (variable, rest[0]) == ("event", "card"))
            missing = rest[1] if deep else rest[0]
            if known is not None and missing not in known and missing not in _MEMBERS:
                yield f"没有 {variable}.{'.'.join(rest)}", f"可用：{'、'.join(sorted(known)[:20])}"


def _top(pack: Pack, variable: str) -> list[str]:
    return (
        list(pack.forms.keys() & pack.nodes.keys() | pack.nodes.keys()) if variable == "forms" else list(pack.effects)
    )


def _fields(pack: Pack, variable: str, rest: list[str], node: str, event: str) -> list[str] | None:
    if variable == "form":
        return _form(pack, node) if node in pack.nodes else None
    if variable == "approvals":
        return [level.id for level in pack.nodes[node].approval.levels] if node in pack.nodes else None
    if variable == "event":
        kind = registry.facts().get(event)
        if kind and rest[0] == "card" and len(rest) > 1:
            return list(registry.cards().get(kind.source, ()))
        return [*registry.fields()["event"], *kind.fields] if kind else None
    if variable in ("case", "act"):
        return list(registry.fields()[variable])
    if variable == "params":
        return None
    if rest[0] not in _top(pack, variable):
        return _top(pack, variable)
    if len(rest) == 1:
        return [rest[0]]
    if variable == "forms":
        return _form(pack, rest[0])
    kind_of = registry.effects().get(pack.effects[rest[0]][1].effect)
    return [name.rstrip("?") for name in kind_of.results] if kind_of else None


def _form(pack: Pack, node: str) -> list[str]:
    return list((pack.form_of(node) or {}).get("properties", {}))
