"""送达: by which method, proven how, and on which day it counts (民事诉讼法 第八十七条至第九十五条)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from services.documents.model.case import Case, Party
from services.documents.model.fields import instrument_rule
from services.documents.model.instrument import Instrument
from services.kit.errors import ConflictError, InvalidInputError, RuleRefusedError
from services.kit.legal_calendar import Citation, TimeLimit, limit_book, reckon, time_limit
from services.kit.procedure.model import InstrumentRule, Pack

METHODS = {"personal": "直接送达", "electronic": "电子送达", "postal": "邮寄送达", "leaving": "留置送达",
           "entrusted": "委托送达", "publication": "公告送达"}  # fmt: skip
ARTICLES = {"personal": "第八十七条", "electronic": "第九十条", "postal": "第九十一条", "leaving": "第八十九条",
            "entrusted": "第九十一条", "publication": "第九十五条"}  # fmt: skip
PUBLISHED, ABROAD = "deemed-service", "civil-service-announcement-foreign"
GENERAL = "civil-service-announcement"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Serving:
    """One addressee and one method. `state`: started, published, served, failed."""

    serving_id: str
    instrument_id: str
    case_id: str
    body_id: str
    addressee_id: str
    addressee_name: str
    addressee_role: str
    method: str
    started_on: date
    state: str = "started"
    served_on: date | None = None
    left_on: date | None = None
    proof_sha256: str = ""
    consent_sha256: str = ""
    is_abroad: bool = False
    limit_id: str = ""
    is_provisional: bool = False
    note: str = ""
    account_ids: tuple[str, ...] = ()
    limit_rule: Mapping[str, Any] = field(default_factory=dict)  # of a publication, as it stood when it was proven


@dataclass(frozen=True)
class Proof:
    """What a clerk brings: days, the scan's hash, and what happened."""

    served_on: date | None
    left_on: date | None
    proof_sha256: str
    consent_sha256: str
    method: str
    note: str
    failed: bool


@dataclass(frozen=True)
class Wanted:
    """One party to be served, and how."""

    party: Party
    method: str
    consent_sha256: str = ""
    is_abroad: bool = False


def addressees(case: Case, rule: InstrumentRule, asked: Sequence[Any], method: str) -> list[Wanted]:
    """Whom an effect names: party ids, roles, or objects {party_id | role, method?, consent_sha256?, abroad?}.

    Nothing named: the parties in the pack's `serve_to` roles.

    Raises:
        RuleRefusedError: nobody, an unknown party, or a method that the pack does not allow.
    """
    found: dict[tuple[str, str], Wanted] = {}
    for item in asked or rule.serve_to:
        told: Mapping[str, Any] = item if isinstance(item, Mapping) else {"party_id": item}
        how = str(told.get("method") or method or (rule.methods[0] if rule.methods else "personal"))
        _require_method(rule, how)
        for party in _named(case, str(told.get("party_id") or told.get("role") or "")):
            found[party.party_id, how] = Wanted(
                party, how, str(told.get("consent_sha256") or ""), bool(told.get("abroad"))
            )
    if not found:
        raise RuleRefusedError(f"没有写明《{rule.title}》送达给谁")
    return list(found.values())


def _named(case: Case, name: str) -> list[Party]:
    found = [p for p in case.parties if name in (p.party_id, p.role)]
    if not found:
        raise RuleRefusedError(f"本案没有当事人“{name}”，不能送达")
    return found


def _require_method(rule: InstrumentRule, method: str) -> None:
    if method not in METHODS:
        raise InvalidInputError(f"没有送达方式“{method}”，可用：{'、'.join(METHODS)}")
    if rule.methods and method not in rule.methods:
        allowed = "、".join(METHODS[m] for m in rule.methods)
        raise RuleRefusedError(f"《{rule.title}》不适用{METHODS[method]}，可用：{allowed}")


def proven(serving: Serving, proof: Proof, pack: Pack, instrument: Instrument, today: date) -> Serving:
    """The serving as the proof leaves it: served, published (the day will come), or failed.

    Raises:
        ConflictError: it is proven already.
        RuleRefusedError: the law fixes another day, a proof or consent is missing, or the days cannot be.
    """
    if serving.state in ("served", "published"):
        raise ConflictError(f"对{serving.addressee_name}的送达已有证明，不能更改")
    if proof.failed:
        _say(bool(proof.note.strip()), "请写明未能送达的原因")
        return replace(serving, state="failed", note=proof.note)
    method = proof.method or serving.method
    _require_method(instrument_rule(pack, instrument.instrument), method)
    serving = replace(
        serving, method=method, note=proof.note, proof_sha256=proof.proof_sha256, left_on=proof.left_on,
        consent_sha256=proof.consent_sha256 or serving.consent_sha256,
    )  # fmt: skip
    _require_proof(serving, proof)
    _require_days(proof, instrument, today)
    return _DAY[method](serving, proof, pack)


def _say(holds: bool, otherwise: str, method: str = "") -> None:
    if not holds:
        raise RuleRefusedError(otherwise + (f"（《中华人民共和国民事诉讼法》{ARTICLES[method]}）" if method else ""))


def _require_proof(serving: Serving, proof: Proof) -> None:
    papers = {"publication": "公告的样张或截图", "postal": "回执", "electronic": "到达记录"}
    what = papers.get(serving.method, "送达回证")
    _say(bool(_SHA256.fullmatch(proof.proof_sha256)), f"请先上传{what}，并填写其 SHA-256", serving.method)
    if serving.method == "electronic":
        _say(bool(serving.consent_sha256), "电子送达须经受送达人同意，请附其确认书的 SHA-256", "electronic")
    if serving.method in ("leaving", "publication"):
        what = "拒收事由和见证人（或拍照录像情况）" if serving.method == "leaving" else "公告的原因和经过"
        _say(bool(proof.note.strip()), f"{METHODS[serving.method]}须记明{what}", serving.method)


def _require_days(proof: Proof, instrument: Instrument, today: date) -> None:
    if (issued_on := instrument.issued_on) is None:
        raise RuleRefusedError(f"《{instrument.title}》尚未制发，不能送达")
    for day in filter(None, (proof.served_on, proof.left_on)):
        _say(day >= issued_on, f"送达的日期（{day}）早于文书制发的日期（{issued_on}）")
        _say(day <= today, f"日期（{day}）晚于今天（{today}），尚未发生的事不能证明")


def _by_receipt(serving: Serving, proof: Proof, pack: Pack) -> Serving:
    """The day on the receipt: signed for, or arrived in the addressee's system."""
    day = "到达受送达人系统的日期" if serving.method == "electronic" else "回证（回执）上的签收日期"
    if proof.served_on is None:
        raise RuleRefusedError(f"请填写{day}（《中华人民共和国民事诉讼法》{ARTICLES[serving.method]}）")
    _say(proof.left_on is None or proof.left_on <= proof.served_on, "签收日期不能早于交寄日期", serving.method)
    return replace(serving, state="served", served_on=proof.served_on)


def _by_leaving(serving: Serving, proof: Proof, pack: Pack) -> Serving:
    """The day on which it was left."""
    if proof.left_on is None:
        raise RuleRefusedError("请填写文书留置的日期（《中华人民共和国民事诉讼法》第八十九条）")
    same = proof.served_on in (None, proof.left_on)
    _say(same, f"留置送达以留置之日（{proof.left_on}）为送达日期，不能另填", "leaving")
    return replace(serving, state="served", served_on=proof.left_on)


def _by_publication(serving: Serving, proof: Proof, pack: Pack) -> Serving:
    """Published on `left_on`; counts as served when the period of the law has run out, never on a typed day."""
    if proof.left_on is None:
        raise RuleRefusedError("请填写公告发布的日期（《中华人民共和国民事诉讼法》第九十五条）")
    limit = publication_rule(pack, serving.is_abroad)
    day, provisional = deemed_on(limit, proof.left_on)
    own = proof.served_on in (None, day)
    _say(own, f"公告送达自公告之日起满法定期间视为送达（{day}），由系统计算，不能另填", "publication")
    rule = asdict(replace(limit, extensions=()))
    return replace(serving, state="published", served_on=day, limit_id=limit.id, is_provisional=provisional,
                   limit_rule=rule)  # fmt: skip


_DAY = {"personal": _by_receipt, "electronic": _by_receipt, "postal": _by_receipt, "entrusted": _by_receipt,
        "leaving": _by_leaving, "publication": _by_publication}  # fmt: skip


def publication_rule(pack: Pack, abroad: bool) -> TimeLimit:
    """The rule of publication that governs: the longer one for parties without domicile here, else that of the
    procedure's own law, else the general one."""
    if abroad:
        return rule_of(pack, ABROAD)
    laws = {basis.law.strip("《》") for basis in pack.legal_basis}
    own = [
        limit.id for limit in limit_book().limits.values()
        if limit.kind == PUBLISHED and limit.law.title in laws and limit.id not in (ABROAD, GENERAL)
    ]  # fmt: skip
    return rule_of(pack, own[0] if own else GENERAL)


def rule_of(pack: Pack, limit_id: str) -> TimeLimit:
    """A rule as frozen in the pack, else of the domain folder."""
    frozen = pack.deadlines.get(limit_id)
    return TimeLimit.from_data(frozen) if frozen else time_limit(limit_id)


def kept_rule(serving: Serving) -> TimeLimit:
    """The rule by which a publication was reckoned when it was proven: a later one does not govern it."""
    told = serving.limit_rule
    data: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
    return TimeLimit(**{**data, "law": Citation(**told["law"])})


def deemed_on(limit: TimeLimit, published_on: date) -> tuple[date, bool]:
    """The day on which the publication counts as serving, and whether it lies beyond the published calendar."""
    found = reckon(limit, published_on)
    if found.due_on is None:
        raise RuleRefusedError(f"“{limit.name}”算不出届满日")
    return found.due_on, found.provisional


def all_served(expected: Sequence[str], servings: Sequence[Serving]) -> bool:
    """Whether every addressee has it by at least one method."""
    served = {s.addressee_id for s in servings if s.state == "served"}
    return bool(served) and {*expected, *(s.addressee_id for s in servings)} <= served
