"""Data against a JSON Schema 2020-12, every fault in Chinese. References outside the schema are never fetched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry

from services.kit.errors import InvalidInputError

Validator = Draft202012Validator
CHECKER = FormatChecker(("date", "email", "uuid"))
_TYPES = {"string": "文字", "integer": "整数", "number": "数字", "boolean": "是或否", "array": "列表", "object": "对象",
          "null": "空"}  # fmt: skip
_FORMATS = {"date": "日期（如 2025-03-03）", "date-time": "时刻（如 2025-03-03T09:00:00+08:00）"}
_SAID: dict[str, Callable[[Any], str]] = {
    "required": lambda e: f"缺少 {_missing(e)}",
    "additionalProperties": lambda e: f"不认识的项 {'、'.join(sorted(set(e.instance) - set(e.schema['properties'])))}",
    "type": lambda e: f"应为{'或'.join(_TYPES[t] for t in _listed(e.validator_value))}",
    "enum": lambda e: f"应为其中之一：{'、'.join(map(str, e.validator_value))}",
    "const": lambda e: f"应为 {e.validator_value}",
    "pattern": lambda e: f"写法不对，应符合 {e.validator_value}",
    "format": lambda e: f"应为{_FORMATS.get(e.validator_value, e.validator_value)}",
    "minLength": lambda e: "不能为空" if e.validator_value == 1 else f"至少 {e.validator_value} 个字",
    "maxLength": lambda e: f"至多 {e.validator_value} 个字",
    "minimum": lambda e: f"不能小于 {e.validator_value}",
    "maximum": lambda e: f"不能大于 {e.validator_value}",
    "minItems": lambda e: f"至少 {e.validator_value} 项",
    "maxItems": lambda e: f"至多 {e.validator_value} 项",
    "uniqueItems": lambda e: "有重复的项",
    "minProperties": lambda e: f"至少 {e.validator_value} 项",
    "oneOf": lambda e: "与任何一种写法都不符" if e.context else "同时符合多种写法",
    "anyOf": lambda e: "与任何一种写法都不符",
    "not": lambda e: "这里不应填写",
}


@CHECKER.checks("date-time", ValueError)
def _instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _missing(error: Any) -> str:
    """The field that one error of `required` is about: there is an error for each, told apart by its message."""
    absent = [n for n in error.validator_value if n not in error.instance]
    return str(next((n for n in absent if error.message.startswith(repr(n))), absent[0]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def validator(schema: Mapping[str, Any]) -> Validator:
    """A validator that fetches nothing; cached by the schema's text."""
    return _validator(json.dumps(schema, sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=1024)
def _validator(text: str) -> Validator:
    return Validator(json.loads(text), registry=Registry(), format_checker=CHECKER)


def said(error: Any, root: Mapping[str, Any]) -> str:
    """One fault as a Chinese sentence, with the field's title where it has one; `root` is the whole schema."""
    words = _SAID[error.validator](error) if error.validator in _SAID else "不符合要求"
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "required":
        name = _missing(error)
        field = {**root.get("properties", {}), **schema.get("properties", {})}.get(name, {})
        return f"请填写“{field['title']}”" if "title" in field else words
    return f"“{schema['title']}”{words}" if "title" in schema and error.absolute_path else words


def faults_of_form(schema: Mapping[str, Any], data: Any) -> list[dict[str, str]]:
    """Every fault of filled-in data: {"pointer": JSON pointer into it, "detail": Chinese sentence}."""
    errors = sorted(validator(schema).iter_errors(data), key=lambda e: [str(p) for p in e.absolute_path])
    return [{"pointer": _pointer(e), "detail": said(e, schema)} for e in errors]


def _pointer(error: Any) -> str:
    missing = [_missing(error)] if error.validator == "required" else []
    return "".join(f"/{part}" for part in [*error.absolute_path, *missing])


def require_form(schema: Mapping[str, Any] | None, data: Mapping[str, Any]) -> None:
    """Raises InvalidInputError, all faults at once, unless the data fits; a node without a form asks nothing."""
    if schema is None and data:
        raise InvalidInputError("本环节没有需要填写的内容")
    if schema is not None and (faults := faults_of_form(schema, data)):
        raise InvalidInputError("填写的内容有误：" + "；".join(f["detail"] for f in faults[:5]), faults)
