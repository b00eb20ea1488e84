"""What an instrument must say: required fields of domain/documents.yaml, what the house fills in, what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.documents.model.case import Case
from services.documents.model.parties import in_penalty, in_suit
from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.procedure.conditions import ConditionError, resolve, scope_of
from services.kit.procedure.model import InstrumentRule, Pack

NUMBERS, DAYS, SIGNERS, SEALS = ("文号", "案号"), ("日期",), ("署名",), ("机关印章", "院印")
BODIES = ("机关名称", "法院名称")
OURS = frozenset((*NUMBERS, *DAYS, *SIGNERS, *SEALS))  # nobody else fills these in
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_DIGITS = "〇一二三四五六七八九"


def template_name(name: str) -> str:
    """A field's name as a template writes it: what stands before a bracket, other signs as underscores.

    当事人（自然人/单位基本情况） is 当事人; 序号、名称、规格 is 序号_名称_规格.
    """
    return re.sub(r"[^\w]+", "_", re.split(r"[（(]", name)[0]).strip("_") or re.sub(r"[^\w]+", "_", name).strip("_")


def instrument_rule(pack: Pack, instrument: str) -> InstrumentRule:
    """The pack's rule of an instrument.

    Raises:
        InvalidInputError: this procedure has no such instrument.
    """
    found = next((rule for rule in pack.instruments if rule.id == instrument), None)
    if found is None:
        offered = "、".join(f"{r.title}（{r.id}）" for r in pack.instruments) or "无"
        detail = f"“{pack.title}”没有文书“{instrument}”，可制发的有：{offered}"
        raise InvalidInputError(detail, [{"pointer": "/instrument", "detail": detail}])
    return found


def required(pack: Pack, rule: InstrumentRule) -> list[str]:
    """Required fields of the instrument, by domain/documents.yaml as frozen in the pack.

    An instrument that by the catalogue carries no 文号, and to which the pack gives none, needs none.
    """
    entry = pack.documents.get(rule.id, {})
    unnumbered = not entry.get("number_format") and rule.number is None
    return [f for f in entry.get("required_fields", ()) if not (unnumbered and f == "文号")]


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that a person gives.

    Raises:
        InvalidInputError: one of them is filled in by the house alone, or a name is none.
    """
    wrong = [
        {"pointer": f"/fields/{name}", "detail": "由系统在制发时填写" if name in OURS else "字段名称不合规范"}
        for name in fields if name in OURS or not re.fullmatch(r"[^\x00-\x1f]{1,100}", name)
    ]  # fmt: skip
    if wrong:
        raise InvalidInputError("有字段不能填写，请删去后重新提交", wrong)
    return {name: clean(value) for name, value in fields.items()}


def clean(value: Any) -> Any:
    """Text without control characters, which neither XML nor the database can hold; in lists and objects too."""
    if isinstance(value, str):
        return _CONTROL.sub("", value)
    if isinstance(value, dict):
        return {clean(str(k)): clean(v) for k, v in value.items()}
    return [clean(v) for v in value] if isinstance(value, list) else value


def values(
    pack: Pack, rule: InstrumentRule, case: Case, given: Mapping[str, Any], on: date, node: str
) -> dict[str, Any]:
    """Fields in order of strength: what is given, what the pack says, what the register knows.

    A value of the pack that cannot be reckoned yet is left out, and so counts as missing.
    """
    told = {"forms": case.forms, "results": case.results, **case.scope(on, node)}
    scope = scope_of(pack.nodes, pack.effects, told)
    found = _known(pack, case, rule)
    for name, value in rule.fields.items():
        try:
            found[name] = resolve(value, scope)
        except ConditionError:
            continue
    return {k: clean(v) for k, v in (found | dict(given)).items() if k not in OURS}


def _known(pack: Pack, case: Case, rule: InstrumentRule) -> dict[str, Any]:
    described = "\n".join(_described(pack, case))
    if not described and not rule.serve_to:  # a lead may name nobody yet; what is served must
        described = "待查"
    names = "、".join(p.name for p in case.parties)
    found: dict[str, Any] = dict.fromkeys(BODIES, case.body.name)
    return found | {
        "当事人": described, "当事人名称": names, "案由": case.card["cause"], "案件名称": case.card["title"],
        "文书名称": rule.title,
    }  # fmt: skip


def _described(pack: Pack, case: Case) -> Iterator[str]:
    """A court names each party by its role in the suit, a bureau its one party by what the regulation asks for."""
    titles = pack.labels.get("party_roles", {})
    for party in case.parties:
        yield in_suit(party, titles.get(party.role, "")) if case.body.kind == "court" else in_penalty(party)


def is_empty(value: Any) -> bool:
    """Whether a field says nothing."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def by_template(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by their names in a template; a later and longer name never hides a filled one."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if is_empty(found.get(template_name(name))):
            found[template_name(name)] = value
    return found


@dataclass(frozen=True)
class Marked:
    """What a docx version still marks as 待填, and what the house's last rendering had marked."""

    gaps: tuple[str, ...] = ()
    rendered: tuple[str, ...] = ()


def missing(
    pack: Pack, rule: InstrumentRule, case: Case, fields: Mapping[str, Any], marked: Marked
) -> list[str]:
    """Everything that must still be filled in, at once.

    A field left empty counts as filled when the house had marked its place and a person has written over the mark.
    """
    named = by_template(fields)
    found = []
    for name in required(pack, rule):
        short = template_name(name)
        if name in OURS:
            found += [] if _ours(name, rule, case) else [name]
        elif is_empty(named.get(short)) and (short in marked.gaps or short not in marked.rendered):
            found.append(name)
    known = {template_name(name) for name in found}
    return found + [gap for gap in marked.gaps if gap not in known]


def _ours(name: str, rule: InstrumentRule, case: Case) -> bool:
    if name in SEALS:
        return rule.sealed
    if name == "案号" or (name == "文号" and rule.number is None):
        return bool(case.case_number)
    return True


def require_complete(title: str, lacking: Iterable[str]) -> None:
    """Refuse an instrument that lacks something.

    Raises:
        RuleRefusedError: naming all of it.
    """
    if names := list(lacking):
        raise RuleRefusedError(
            f"《{title}》缺少必备内容：{'、'.join(names)}。请补齐后再办理",
            [{"pointer": f"/fields/{n}", "detail": "必备内容，不能为空"} for n in names],
        )


def written_day(day: date, kind: str) -> str:
    """The day as the kind of body writes it: courts in Chinese numerals, bureaus in figures (GB/T 9704)."""
    if kind != "court":
        return f"{day.year}年{day.month}月{day.day}日"
    year = "".join(_DIGITS[int(d)] for d in str(day.year))
    return f"{year}年{numeral(day.month)}月{numeral(day.day)}日"


def numeral(number: int) -> str:
    """1 to 99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "") if number else "〇"
