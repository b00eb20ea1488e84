"""What completed nodes decide of a filing or a case: effects of workflow, each once, dated by the act."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from anjuan.intake.v1 import events_pb2 as events
from services.intake import messages
from services.intake.model import notice
from services.intake.model.filing import Defect
from services.intake.model.link import CaseLink
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.docket import allot
from services.intake.usecases.telling import tell
from services.kit import clock
from services.kit.effects import EffectCall
from services.kit.errors import RuleRefusedError
from services.kit.numbers.case_number import BRACKETS

Results = Mapping[str, Any]


def _text(call: EffectCall, name: str, missing: str) -> str:
    """A parameter that must say something; raises RuleRefusedError with `missing`."""
    if not (text := str(call.params.get(name) or "").strip()):
        raise RuleRefusedError(missing)
    return text


def _day(call: EffectCall, name: str) -> date | None:
    """A parameter that is a day, if it is given."""
    if not (text := call.params.get(name)):
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise RuleRefusedError(f"“{text}”不是日期，应写成 2025-01-31 的样子") from error


def accept_filing(uow: IntakeUnit, call: EffectCall) -> Results:
    """受理."""
    before = uow.locked(call.case_id)
    after = before.accepted()
    uow.cases.save(before, after)
    fact = events.FilingAccepted(filing_id=after.filing.filing_id)
    tell(uow, "accept_filing", after, fact, call.occurred_on, {"reason": call.params.get("reason", "")})
    return {"accepted_on": call.occurred_on.isoformat()}


def decline_filing(uow: IntakeUnit, call: EffectCall) -> Results:
    """不予受理, with its reason."""
    reason, article = _text(call, "reason", "不予受理应当说明理由"), str(call.params.get("article") or "")
    before = uow.locked(call.case_id)
    after = before.declined()
    uow.cases.save(before, after)
    fact = events.FilingDeclined(filing_id=after.filing.filing_id, reason=reason, article=article)
    tell(uow, "decline_filing", after, fact, call.occurred_on, {"reason": reason, "article": article})
    return {"declined_on": call.occurred_on.isoformat()}


def refuse_docketing(packs: Packs, uow: IntakeUnit, call: EffectCall) -> Results:
    """不予立案, with its reason; `numbered` with the next number of those docketed, of the year of the act."""
    reason, article = _text(call, "reason", "不予立案应当说明理由"), str(call.params.get("article") or "")
    before = uow.locked(call.case_id)
    before.may("refuse")
    number = allot(packs, uow, before, call.occurred_on.year) if call.params.get("numbered") else None
    after = before.refused(number)
    uow.cases.save(before, after)
    fact = events.DocketingRefused(reason=reason, article=article)
    given = {"case_number": number} if number else {}
    tell(uow, "refuse_docketing", after, fact, call.occurred_on, {"reason": reason, "article": article, **given})
    return {"refused_on": call.occurred_on.isoformat(), **given}


def issue_deficiency_notice(packs: Packs, uow: IntakeUnit, call: EffectCall) -> Results:
    """一次性告知: all defects at once, an old one never again."""
    told = tuple(
        Defect(str(d.get("checklist_item") or ""), str(d.get("detail") or "").strip())
        for d in call.params.get("defects") or ()
    )
    before = uow.locked(call.case_id)
    after = before.notified(told)
    pack = packs.pinned(uow.connection, before.pack)
    seen = notice.prints((i.id for i in pack.checklist), before.parties, before.materials, before.filing.content)
    notice.check(told, before.filing.open_items, seen, uow.notices.last(before.case_id))
    due_on = _day(call, "due_on")
    issued = notice.Notice(clock.new_id(), call.occurred_on, due_on, told, seen)
    uow.notices.add(before.case_id, issued)
    uow.cases.save(before, after)
    fact = events.DeficiencyNoticeIssued(
        filing_id=after.filing.filing_id, notice_id=issued.notice_id, due_on=due_on.isoformat() if due_on else "",
        defects=messages.defect_messages(told),
    )  # fmt: skip
    tell(uow, "issue_deficiency_notice", after, fact, call.occurred_on, {"notice_id": issued.notice_id})
    return {"notice_id": issued.notice_id}


def close_case(uow: IntakeUnit, call: EffectCall) -> Results:
    """结案 on the day that domain/closing.yaml names, not that of the act."""
    disposition = _text(call, "disposition", "结案应当写明结案方式")
    closed_on, closing = _day(call, "closed_on") or call.occurred_on, str(call.params.get("closing") or "")
    if closed_on > call.occurred_on:
        raise RuleRefusedError(f"结案日期（{closed_on}）不能晚于办理结案的日期（{call.occurred_on}）")
    before = uow.locked(call.case_id)
    after = before.closed(closed_on, disposition)
    uow.cases.save(before, after)
    fact = events.CaseClosed(closed_on=closed_on.isoformat(), disposition=disposition, closing=closing)
    tell(uow, "close_case", after, fact, call.occurred_on, {"disposition": disposition, "closing": closing})
    return {"closed_on": closed_on.isoformat()}


def link_case(uow: IntakeUnit, call: EffectCall) -> Results:
    """关联案件: by the other's number, whether or not it is in this register."""
    number = _text(call, "case_number", "关联案件应当写明对方案号").translate(BRACKETS)
    case = uow.locked(call.case_id)
    other = uow.cases.id_of_number(number)
    if other == case.case_id:
        raise RuleRefusedError("案件不能与自身关联")
    link = CaseLink(
        clock.new_id(), _text(call, "relation", "关联案件应当写明关系"), number, other,
        str(call.params.get("reason") or ""), call.occurred_on,
    )  # fmt: skip
    uow.links.add(case.case_id, link)
    fact = events.CaseLinked(link=messages.link_message(link))
    tell(uow, "link_case", case, fact, call.occurred_on, {"case_number": number, "relation": link.relation})
    return {"link_id": link.link_id}
