"""How a party stands in an instrument: a court's by its role in the suit, a bureau's by what identifies it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.documents.model.case import Party
from services.kit.numbers import resident_id_fault

_IN_PENALTY = {"legal_representative": "法定代表人（负责人）", "lawyer": "委托诉讼代理人"}
_CALLINGS = {"lawyer": "律师", "legal_worker": "基层法律服务工作者"}
_BORN = re.compile(r"\d{6}(\d{4})(\d{2})(\d{2})")


def in_suit(party: Party, title: str) -> str:
    """In the order of 民事诉讼文书样式 (2016), representatives on lines of their own.

    The numbers are the house's own choice, in place of 民族 and 职业, which the register does not hold.
    原告：张三，男，1980年1月1日出生，住……，公民身份号码……。 / 被告：某公司，住所地……，统一社会信用代码……。
    A telephone number has no place in a judgment.
    """
    told = party.filed
    lines = [_line(title, party.name, *(_unit(told) if _is_unit(told) else _person(told)))]
    return "\n".join([*lines, *(_representative(r, _is_unit(told)) for r in told.get("representatives", ()))])


def _line(title: str, name: str, *said: str) -> str:
    return f"{title}：{'，'.join((name, *said))}。" if title else f"{'，'.join((name, *said))}。"


def _is_unit(told: Mapping[str, Any]) -> bool:
    return bool(told.get("kind") == "organisation")


def _unit(told: Mapping[str, Any]) -> Iterator[str]:
    if told.get("address"):
        yield f"住所地{told['address']}"
    if told.get("id_number"):
        yield f"统一社会信用代码{told['id_number']}"


def _person(told: Mapping[str, Any]) -> Iterator[str]:
    """Sex and day of birth stand in the number of a resident's card (GB 11643), in no other paper's."""
    number = str(told.get("id_number") or "")
    resident = resident_id_fault(number) is None
    if resident and (born := _BORN.match(number)):
        yield "男" if int(number[16]) % 2 else "女"
        yield f"{int(born[1])}年{int(born[2])}月{int(born[3])}日出生"
    if told.get("address"):
        yield f"住{told['address']}"
    if number:
        yield f"{'公民身份号码' if resident else '身份证件号码'}{number}"


def _representative(told: Mapping[str, Any], of_unit: bool) -> str:
    kind, name = told.get("kind", ""), str(told.get("name", ""))
    if kind in ("legal_representative", "guardian"):
        return _line("法定代表人" if of_unit else "法定代理人", name)
    return _line("委托诉讼代理人", name, *([_CALLINGS[kind]] if kind in _CALLINGS else []))


def in_penalty(party: Party) -> str:
    """Name, number, address, telephone and who speaks for it, in one line."""
    return "，".join(_identified(party.name, party.filed))


def _identified(name: str, told: Mapping[str, Any]) -> Iterator[str]:
    yield name
    number = "统一社会信用代码" if _is_unit(told) else "身份证件号码"
    for label, key in ((number, "id_number"), ("住所（住址）", "address"), ("联系电话", "phone")):
        if told.get(key):
            yield f"{label}：{told[key]}"
    for representative in told.get("representatives", ()):
        word = _IN_PENALTY.get(representative.get("kind", ""), "代理人")
        yield f"{word}：{representative.get('name', '')}"
