"""Conditions and values of a pack: CEL over plain data, nothing else is ever evaluated.

Variables: case (intake's card and filing), forms (node -> latest data), form and approvals (the node being
completed; level -> {person_id, name, decision, text}), results (effect id -> answer), params (inside `emits` only),
act (node_id, visit_id, person_id, name, people, occurred_on, at), event (a fact's data with type, source,
occurred_on, at, actor, body_id).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import cel

from services.kit.errors import RuleRefusedError

VARIABLES = frozenset({"case", "forms", "form", "approvals", "results", "params", "act", "event"})
FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string", "type"})
LENGTH = 1000
# Three nested comprehensions over lists of a thousand already cost seconds.
MACROS = re.compile(r"\.(all|exists|exists_one|map|filter)\s*\(")
BOUND = re.compile(r"\.(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_PATHS = re.compile(r"(?<![\w.])(\w+(?:\.\w+)+)")


class Scope(dict[str, Any]):
    """Data that is asked more than once and does not change meanwhile: CEL takes it over once."""

    @cached_property
    def taken(self) -> cel.Context:
        """As CEL has it; nearly all of what an expression costs is this."""
        return cel.Context(variables=dict(self))

    def _fixed(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a Scope does not change")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _fixed


class ConditionError(RuleRefusedError):
    """A condition that cannot be decided from the data: the pack is at fault, not the person."""


@lru_cache(maxsize=4096)
def program(text: str) -> cel.Program:
    """The compiled expression.

    Raises:
        ValueError: not CEL, too long, unknown variable or function; says which.
    """
    if len(text) > LENGTH:
        raise ValueError(f"表达式超过 {LENGTH} 个字符")
    bare = _LITERAL.sub("''", text)
    if len(MACROS.findall(bare)) > 2:
        raise ValueError("表达式中的 all/exists/map/filter 不得超过两个")
    if re.search(r"\b(forms|results|case|event)\s*\[", bare):
        raise ValueError("不得用 [] 取 forms、results、case、event 的字段，请写成 forms.<环节>.<字段>")
    try:
        compiled = cel.compile(text)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"不是有效的 CEL：{str(error).splitlines()[0]}") from error
    _names(compiled, set(BOUND.findall(bare)))
    return compiled


def _names(compiled: cel.Program, bound: set[str]) -> None:
    strange = set(compiled.variables()) - VARIABLES - bound
    if strange:
        raise ValueError(f"不认识的变量 {'、'.join(sorted(strange))}")
    calls = {name for name in compiled.functions() if name.isidentifier()} - FUNCTIONS
    if calls:
        raise ValueError(f"不认识的函数 {'、'.join(sorted(calls))}")


def references(text: str) -> list[tuple[str, ...]]:
    """Dotted paths in an expression that begin with a variable: forms.verify.outcome -> (forms, verify, outcome)."""
    paths = (tuple(path.split(".")) for path in _PATHS.findall(_LITERAL.sub("''", text)))
    return [path for path in paths if path[0] in VARIABLES]


def evaluate(text: str, scope: Mapping[str, Any]) -> Any:
    """The value of an expression.

    Raises:
        ConditionError: a field is missing or types do not fit.
    """
    try:
        return program(text).execute(scope.taken if isinstance(scope, Scope) else dict(scope))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ConditionError(f"程序包中的条件无法判断：{text}（{error}）", expression=text) from error


def holds(text: str, scope: Mapping[str, Any]) -> bool:
    """Whether a condition holds; an empty one does.

    Raises:
        ConditionError: it cannot be decided, or is no yes-or-no.
    """
    if not text:
        return True
    value = evaluate(text, scope)
    if not isinstance(value, bool):
        raise ConditionError(f"程序包中的条件不是真假值：{text}", expression=text)
    return value


def is_expression(value: Any) -> bool:
    """Whether a value of `with` or `fields` is CEL."""
    return isinstance(value, str) and value.startswith("=")


def resolve(value: Any, scope: Mapping[str, Any]) -> Any:
    """A literal as it is, `=…` evaluated; inside objects and lists too."""
    if isinstance(value, dict):
        return {k: resolve(v, scope) for k, v in value.items()}
    if isinstance(value, list):
        return [resolve(v, scope) for v in value]
    return evaluate(value[1:], scope) if is_expression(value) else value


def expressions(value: Any) -> Iterable[str]:
    """Every CEL text inside a value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from expressions(inner)
    elif is_expression(value):
        yield value[1:]


def scope_of(nodes: Iterable[str], effects: Iterable[str], data: Mapping[str, Any]) -> Scope:
    """Data completed so that `has(forms.x.y)` and `has(results.e.z)` may be asked of what has not happened yet."""
    forms: dict[str, Any] = {node: {} for node in nodes} | dict(data.get("forms") or {})
    results: dict[str, Any] = {effect: {} for effect in effects} | dict(data.get("results") or {})
    return Scope({name: {} for name in VARIABLES} | dict(data) | {"forms": forms, "results": results})
