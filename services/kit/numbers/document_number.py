"""文号: 机关代字 (of a court its 法院代字) + 文种代字 + 年份 + 顺序号 (domain/case-number.yaml, GB/T 9704)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from services.kit.errors import InvalidInputError
from services.kit.settings import domain_dir

BRACKETS = str.maketrans("[]［］【】", "〔〕〔〕〔〕")
PARTS = {
    "{机关代字}": "body_code", "{court}": "court_code", "{文种}": "kind_code", "{year}": "year", "{serial}": "serial",
}  # fmt: skip
SHAPES = {"body_code": r"[\u4e00-\u9fa5]{1,8}", "court_code": r"最高法|[\u4e00-\u9fa5](?:\d{2}|\d{4})?",
          "kind_code": r"[\u4e00-\u9fa5]{1,6}", "year": r"\d{4}", "serial": r"[1-9]\d{0,7}"}  # fmt: skip


@dataclass(frozen=True)
class DocumentPattern:
    """How a kind of agency numbers its instruments; braces stand for the variable parts."""

    agency: str
    pattern: str


@cache
def _load(path: Path) -> tuple[DocumentPattern, ...]:
    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["administrative_document_numbers"]
    return tuple(DocumentPattern(row["agency"], row["pattern"]) for row in rows)


def document_patterns() -> tuple[DocumentPattern, ...]:
    """The patterns of the domain folder; a body may configure its own."""
    return _load(domain_dir() / "case-number.yaml")


@cache
def _grammar(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{[^{}]*\})", pattern)
    if unknown := [p for p in pieces[1::2] if p not in PARTS]:
        raise InvalidInputError(f"文号样式“{pattern}”中的“{unknown[0]}”无法识别，可用：{'、'.join(PARTS)}。")
    if not {"{year}", "{serial}"} <= set(pieces) or len(pieces[1::2]) != len(set(pieces[1::2])):
        raise InvalidInputError(f"文号样式“{pattern}”须有且只有一个年份和一个顺序号。")
    named = (f"(?P<{PARTS[p]}>{SHAPES[PARTS[p]]})" if p in PARTS else re.escape(p) for p in pieces)
    return re.compile("".join(named), re.ASCII)


def parse_document_number(pattern: str, text: str) -> dict[str, str]:
    """The parts (body_code, kind_code, year, serial) of a 文号; half-width brackets are put right first.

    Raises:
        InvalidInputError: the text does not have the pattern's shape.
    """
    found = _grammar(pattern).fullmatch(text.strip().translate(BRACKETS))
    if not found:
        raise InvalidInputError(f"文号“{text}”不合样式“{pattern}”：六角括号年份四位，顺序号不编虚位。")
    return found.groupdict()


def format_document_number(pattern: str, *, year: int, serial: int, body_code: str = "", kind_code: str = "") -> str:
    """A 文号 by its pattern, e.g. 江市监处罚〔2025〕12号; `body_code` is 机关代字, of a court 法院代字 ({court}).

    Raises InvalidInputError when a part is missing or misshapen."""
    values = {"body_code": body_code, "court_code": body_code, "kind_code": kind_code, "year": str(year)}
    values, grammar, text = values | {"serial": str(serial)}, _grammar(pattern), pattern
    for place, name in PARTS.items():
        if place in pattern and not re.fullmatch(SHAPES[name], values[name], re.ASCII):
            raise InvalidInputError(f"文号样式“{pattern}”的{place}不能是“{values[name]}”。")
        text = text.replace(place, values[name])
    if not grammar.fullmatch(text):
        raise InvalidInputError(f"文号“{text}”不合样式“{pattern}”。")
    return text
