"""制发, first half: the effect's own transaction checks everything, takes the 文号 and puts the work off to a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.documents.model.approval import next_seat, seats
from services.documents.model.case import Case
from services.documents.model.fields import checked, instrument_rule, missing, require_complete, values
from services.documents.model.instrument import Instrument
from services.documents.model.numbering import series_of, written
from services.documents.model.serving import addressees
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases.draft import new_instrument
from services.documents.usecases.telling import case_of_effect, record
from services.kit import jobs
from services.kit.effects import EffectCall
from services.kit.errors import ConflictError, RuleRefusedError
from services.kit.events import Event
from services.kit.procedure.model import InstrumentRule, Pack

ISSUE = "issue_instrument"


def issue_instrument(packs: Packs, uow: DocumentsUnit, call: EffectCall) -> None:
    """Answered later, by the job.

    Raises:
        RuleRefusedError: not signed yet, something required is missing, or there can be no number.
        ConflictError: one of this kind is being issued already.
        UnavailableError: the case or its pack has not arrived here yet.
    """
    uow.lock(call.case_id)
    case, pack = case_of_effect(uow, call.case_id), packs.pinned(uow.connection, call.pack)
    rule = instrument_rule(pack, str(call.params.get("instrument") or ""))
    case = replace(case, results={**case.results, **call.answers})
    found = _to_issue(uow, pack, rule, case, call).settled()
    require_complete(rule.title, missing(pack, rule, case, found.fields, found.marked))
    named = call.params.get("addressees") or []
    to = [w.party.party_id for w in addressees(case, rule, named, "")] if named else []
    number = _number(uow, rule, case, found, call.occurred_on.year)
    found = uow.instruments.save(replace(
        found, state="issuing", number=number, issued_on=call.occurred_on, node_id=call.node_id,
        effect_id=call.effect_id, attempts=0, reason="", addressees=[{"party_id": p} for p in to],
    ))  # fmt: skip
    record(uow, "number_instrument", found, {"number": number, "approved": found.approved_sha256})
    jobs.add(uow, ISSUE, {
        "instrument_id": found.instrument_id, "call": call.as_payload(), "actor": uow.cause.actor.as_dict(),
    })  # fmt: skip


def withdraw_issue(uow: DocumentsUnit, event: Event) -> None:
    """Given up while its job waits or works: the job finds it so in its last transaction, and seals nothing that
    counts. What is issued already stays issued. The number stays with the instrument while the case goes on."""
    uow.lock(event.case_id)
    found = uow.instruments.issuing_for(event.case_id, event.data.effect_id)
    if found is None:
        return
    state = "approved" if found.approved_sha256 else "draft"
    found = uow.instruments.save(replace(found, state=state, effect_id="", reason=f"制发已撤回：{event.data.reason}"))
    record(uow, "withdraw_issue", found, {"reason": event.data.reason, "number_kept": found.number})
    void_numbers(uow, event.case_id)


def void_numbers(uow: DocumentsUnit, case_id: str) -> None:
    """Once the procedure has ended, numbers of what will never be issued are given up, each with a trace."""
    uow.lock(case_id)
    case = uow.cases.find(case_id)
    if case is None or not case.card["concluded"]:
        return
    for found in uow.instruments.unissued(case_id):
        if (kept := uow.numbers.kept(found.instrument_id)) is not None:
            uow.numbers.void(found.instrument_id, "程序终结，该文书没有制发")
            uow.instruments.save(replace(found, number=""))
            record(uow, "void_number", found, {"number": kept[0]})


def _to_issue(uow: DocumentsUnit, pack: Pack, rule: InstrumentRule, case: Case, call: EffectCall) -> Instrument:
    """The signed draft; without any draft, one that the job makes from the node's own data."""
    given: Mapping[str, Any] = checked(call.params.get("fields") or {})
    wanted = seats(pack, rule, case)
    found = uow.instruments.open_of(case.case_id, rule.id)
    if found is not None and found.state == "issuing":
        raise ConflictError(f"《{rule.title}》正在制发，请稍候")
    if found is None or not (versions := uow.instruments.versions(found.instrument_id)):
        return _undrafted(uow, pack, rule, case, call, given, found)
    if wanted and found.state != "approved":
        seat = next_seat(wanted, uow.instruments.signatures(found.instrument_id))
        whose = seat.title if seat else "签批人"
        raise RuleRefusedError(f"《{rule.title}》已有拟稿，尚未签发：现应由{whose}审阅现行版本并签署")
    return found if wanted else replace(found, state="approved", approved_sha256=versions[-1].sha256)


def _undrafted(
    uow: DocumentsUnit, pack: Pack, rule: InstrumentRule, case: Case, call: EffectCall, given: Mapping[str, Any],
    known: Instrument | None,
) -> Instrument:  # fmt: skip
    """From the node's data alone: only where the node's own approval is the instrument's.

    Raises:
        RuleRefusedError: people must sign a text, so there must be one.
    """
    if rule.signed_by or rule.approved_in not in ("", call.node_id):
        raise RuleRefusedError(f"《{rule.title}》应当先拟稿并签发，现在还没有拟稿")
    effective = values(pack, rule, case, given, call.occurred_on, call.node_id)
    if known is not None:
        return replace(known, fields=effective)
    fresh = new_instrument(pack, rule, case, effective)
    uow.instruments.add(fresh)
    return fresh


def _number(uow: DocumentsUnit, rule: InstrumentRule, case: Case, found: Instrument, year: int) -> str:
    """The number it keeps from an attempt that failed, or the next of its series; last of all locks."""
    if rule.number is None:
        return case.case_number if case.body.kind == "court" else ""
    series = series_of(rule.number, case, year)
    kept = uow.numbers.kept(found.instrument_id)
    if kept is not None and kept[1] == series.year:
        return kept[0]
    if kept is not None:
        uow.numbers.void(found.instrument_id, f"制发未成，跨年后改用 {year} 年文号")
        record(uow, "void_number", found, {"number": kept[0]})
    serial = uow.numbers.next(series)
    number = written(rule.number, case, year, serial)
    uow.numbers.book(series, serial, number, found.instrument_id)
    return number
