"""Whom the law names to approve, and what is asked of and answered by a superior. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.legal_calendar.model import UNIT_WORDS
from services.kit.procedure.model import ActorRule

PACK = "superior-approval"
WITHDRAWN = "withdrawn"  # the end of a request that was taken back below: no answer is told
GRANTED = "granted"  # the end of a request's procedure that says yes; every other end says no
_OWN = ("own-president", "own-head", "own-deputy-head-in-charge")
_ONE_UP = ("one-tier-up", "procuratorate-one-tier-up")
_TIERS = {"high-court": "high", "supreme-court": "supreme"}
# approvers that work with paper: no body of a site is a procuratorate of the province or a government
_ELSEWHERE = ("provincial-procuratorate", "same-level-government")
RELATIONS = (*_OWN, *_ONE_UP, *_TIERS, *_ELSEWHERE)  # of domain/deadlines.yaml, those that name a body
# Who records a paper answer, beside those who asked.
CLERKS = (ActorRule(relation="case_officer"), ActorRule(relation="court_clerk"), ActorRule(role="registrar"))
_TOLD = ("amount", "unit", "reason")


@dataclass(frozen=True)
class Tier:
    """A body with its place in the tree."""

    body_id: str
    name: str
    tier: str


def approver(relation: str, chain: Sequence[Tier]) -> Tier | None:
    """The body that a relation means; `chain`: the asking body, then those above it. None: not of this tree.

    Raises:
        RuleRefusedError: the relation names no body (group discussion, no approval needed …).
    """
    if relation not in RELATIONS:
        raise RuleRefusedError(f"批准关系“{relation}”不是报请某一机关批准，不能报请（程序包有误）")
    if relation in _OWN:
        return chain[0]
    if relation in _ONE_UP:
        return next(iter(chain[1:]), None)
    return next((b for b in chain if b.tier == _TIERS.get(relation)), None)


def request_case(effect_id: str) -> str:
    """The id of the case by which the asked body decides: one effect, one case, however often it is told."""
    return str(uuid5(UUID(effect_id), "request"))


def content(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the asking node says, every field there."""
    blank = {"matter": "", "limit_id": "", "nth": 0, "reason": "", "amount": 0, "unit": "", "attachments": []}
    return {name: params.get(name, empty) for name, empty in blank.items()}


def decides(form: Mapping[str, Any]) -> bool:
    """Whether a filled-in form says something of the answer."""
    return "granted" in form or any(form.get(name) for name in _TOLD)


def answer(
    outcome: str, decided: Mapping[str, Any], decided_on: str, asked_on: str, results: Mapping[str, Any]
) -> dict[str, Any]:
    """Results of ask_superior from the end of the request's procedure: the deciding form, and its instrument."""
    told = {name: decided[name] for name in _TOLD if decided.get(name)}
    issued = [r["instrument_id"] for r in results.values() if isinstance(r, Mapping) and r.get("instrument_id")]
    days = {"decided_on": decided_on, "asked_on": asked_on}
    return {"granted": outcome == GRANTED} | days | told | ({"instrument_id": issued[-1]} if issued else {})


def paper_answer(
    form: Mapping[str, Any], asked: Mapping[str, Any], asked_on: str, today: date
) -> dict[str, Any]:
    """The same from a paper 批复, dated by the paper. `asked`: what the asking node said.

    Raises:
        InvalidInputError: it is dated before the asking or after today, or grants what was not asked for.
    """
    found = [*_wrong_days(form["decided_on"], asked_on, today), *_wrong_terms(form, asked)]
    if found:
        wrong = [{"pointer": f"/data/{name}", "detail": said} for name, said in found]
        raise InvalidInputError("；".join(said for _, said in found), wrong)
    kept = {name: form[name] for name in (*_TOLD, "number", "scan") if form.get(name)}
    return {"granted": form["granted"], "decided_on": form["decided_on"], "asked_on": asked_on} | kept


def _wrong_days(decided_on: str, asked_on: str, today: date) -> Iterator[tuple[str, str]]:
    if date.fromisoformat(decided_on) > today:
        yield "decided_on", f"批复日期不得晚于今天 {today}"
    if decided_on < asked_on:
        yield "decided_on", f"批复日期不得早于报请之日 {asked_on}"


def _wrong_terms(form: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and fault; months and days cannot be compared, so the paper's term is written in the unit asked for."""
    amount, unit = form.get("amount"), form.get("unit")
    most, asked_unit = asked.get("amount") or 0, str(asked.get("unit") or "")
    if not form["granted"]:
        if amount or unit:
            yield "amount", "未批准的，不填写批准的时长"
    elif bool(amount) != bool(unit):
        yield "amount" if unit else "unit", "批准的时长和时长单位应当一并填写"
    elif amount and asked_unit and unit != asked_unit:
        yield "unit", f"批复的时长请按报请的单位“{UNIT_WORDS.get(asked_unit, asked_unit)}”填写"
    elif amount and most and amount > most:
        yield "amount", f"批准的时长不能超过报请的 {most}{UNIT_WORDS.get(asked_unit, asked_unit)}"


_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
REPLY_FORM: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "登记上级批复", "type": "object",
    "additionalProperties": False, "required": ["granted", "decided_on", "number", "scan"],
    "properties": {
        "granted": {"title": "是否批准", "type": "boolean"},
        "decided_on": {"title": "批复日期", "type": "string", "format": "date", "x-widget": "date"},
        "number": {"title": "批复文号", "type": "string", "minLength": 1, "maxLength": 100},
        "amount": {"title": "批准的时长", "type": "integer", "minimum": 1, "maximum": 999},
        "unit": {"title": "时长单位", "enum": list(UNIT_WORDS)},
        "reason": {"title": "批复意见", "type": "string", "maxLength": 2000, "x-widget": "textarea"},
        "scan": {"title": "批复扫描件（上传后的 SHA-256）", **_HASH},
    },
}  # fmt: skip
