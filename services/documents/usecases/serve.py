"""送达: begun by the procedure, proven by a clerk, or deemed by the running out of a period."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from prometheus_client import Counter

from anjuan.documents.v1 import documents_pb2 as pb
from anjuan.documents.v1.events_pb2 import InstrumentPublished, InstrumentServed
from services.documents.model.fields import instrument_rule
from services.documents.model.instrument import Instrument
from services.documents.model.serving import (
    Proof,
    Serving,
    Wanted,
    addressees,
    all_served,
    deemed_on,
    kept_rule,
    proven,
)
from services.documents.model.upload import Files, Upload, papers, require_sent
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases.telling import case_of_effect, record, tell
from services.kit import access, clock
from services.kit.effects import EffectCall
from services.kit.errors import CaseNotKnownError, DomainError, InvalidInputError, RuleRefusedError
from services.kit.legal_calendar import time_limit

UNRECKONED = Counter("anjuan_documents_unreckoned", "Attempts at a published serving whose day cannot be reckoned")
log = logging.getLogger("anjuan.documents")
AT_ONCE = 200  # servings of one transaction


def serve_instrument(packs: Packs, uow: DocumentsUnit, call: EffectCall) -> Mapping[str, Any]:
    """Effect: one serving for each addressee and method.

    Raises:
        RuleRefusedError: it is not issued, another case's, or nobody is named.
    """
    uow.lock(call.case_id)
    case, pack = case_of_effect(uow, call.case_id), packs.pinned(uow.connection, call.pack)
    found = _named(uow, call)
    if found.state != "issued":
        raise RuleRefusedError(f"《{found.title}》尚未制发，不能送达")
    rule, method = instrument_rule(pack, found.instrument), str(call.params.get("method") or "")
    asked = call.params.get("addressees") or [a["party_id"] for a in found.addressees]
    known = {(s.addressee_id, s.method): s for s in uow.servings.of([found.instrument_id])}
    begun = [
        _begin(uow, found, wanted, known.get((wanted.party.party_id, wanted.method)), call.occurred_on)
        for wanted in addressees(case, rule, asked, method)
    ]
    record(uow, "serve_instrument", found, {"servings": [s.serving_id for s in begun]})
    return {"serving_ids": [s.serving_id for s in begun],
            "begun": [{"instrument_id": s.instrument_id, "party_id": s.addressee_id} for s in begun]}  # fmt: skip


def _named(uow: DocumentsUnit, call: EffectCall) -> Instrument:
    """The instrument that the effect names, or that the effect before it issued."""
    issued = (a.get("instrument_id") for a in call.answers.values() if isinstance(a, Mapping))
    instrument_id = str(call.params.get("instrument_id") or next(filter(None, issued), ""))
    try:
        found = uow.instruments.get(instrument_id)
    except CaseNotKnownError:
        found = None
    if found is None or found.case_id != call.case_id:
        raise RuleRefusedError("没有写明送达哪一份文书，或该文书不属于本案")
    return found


def _begin(
    uow: DocumentsUnit, instrument: Instrument, wanted: Wanted, known: Serving | None, on: date
) -> Serving:
    """A new serving; one of the same kind that failed begins anew, one under way or done stays as it is."""
    if known is not None and known.state != "failed":
        return known
    party = wanted.party
    fresh = Serving(
        serving_id=known.serving_id if known else clock.new_id(), instrument_id=instrument.instrument_id,
        case_id=instrument.case_id, body_id=instrument.body_id, addressee_id=party.party_id, addressee_name=party.name,
        addressee_role=party.role, method=wanted.method, started_on=on, consent_sha256=wanted.consent_sha256,
        is_abroad=wanted.is_abroad, account_ids=party.account_ids,
    )  # fmt: skip
    if known:
        uow.servings.save(fresh)
    else:
        uow.servings.add(fresh)
    return fresh


def prepare_proof(
    uow: DocumentsUnit, files: Files, token: str, request: pb.ProveServingRequest
) -> tuple[Serving, Sequence[Upload]]:
    """Before the transaction: the serving as it stands, and what archive has of the papers.

    Raises:
        CaseNotKnownError, NotAllowedError: not the caller's case.
        UnavailableError: archive cannot be asked.
    """
    proof = _proof(request)
    with uow:
        found = uow.servings.get(request.serving_id)
        access.require(uow.connection, uow.cause.actor, "work_case", case_id=found.case_id)
    return found, files.sent(papers(proof, found).values(), token)


def prove_serving(
    uow: DocumentsUnit, packs: Packs, request: pb.ProveServingRequest, made: tuple[Serving, Sequence[Upload]]
) -> Serving:
    """A clerk proves a serving; the law fixes the day. `made`: of prepare_proof.

    Raises:
        RuleRefusedError, ConflictError: see model.serving.proven.
        InvalidInputError: a paper has not come.
    """
    proof, (found, sent) = _proof(request), made
    with uow:
        instrument = uow.instruments.get(found.instrument_id)
        pack = packs.pinned(uow.connection, instrument.pack)
        uow.lock(found.case_id)
        today = uow.legal_on(found.body_id)
        before = uow.servings.get(request.serving_id)
        after = proven(before, proof, pack, instrument, today)
        require_sent(papers(proof, before), sent, found.body_id)
        _require_free(uow, after)
        uow.servings.save(after)
        record(uow, "prove_serving", instrument, {"serving_id": after.serving_id, "state": after.state,
                                                  "method": after.method, "proof": after.proof_sha256})  # fmt: skip
        if after.state == "published":
            tell(uow, instrument, _published(instrument, after), after.left_on or today)
            after = _deem(uow, instrument, after, today)
        elif after.state == "served":
            _tell_served(uow, instrument, after)
        return after


def _proof(request: pb.ProveServingRequest) -> Proof:
    return Proof(
        served_on=_day(request.served_on, "served_on"), left_on=_day(request.left_on, "left_on"),
        proof_sha256=request.proof_sha256, consent_sha256=request.consent_sha256, method=request.method,
        note=request.note, failed=request.failed,
    )  # fmt: skip


def _day(text: str, name: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        wrong = [{"pointer": f"/{name}", "detail": "应为 YYYY-MM-DD 的日期"}]
        raise InvalidInputError(f"“{text}”不是日期，应写成 2025-01-31 的样子", wrong) from error


def _require_free(uow: DocumentsUnit, serving: Serving) -> None:
    """A method changed on the way must not be another serving's."""
    for other in uow.servings.of([serving.instrument_id]):
        same = (other.addressee_id, other.method) == (serving.addressee_id, serving.method)
        if same and other.serving_id != serving.serving_id:
            raise RuleRefusedError("对该受送达人已另有一次这种方式的送达，请在那一次上填写证明")


def _tell_served(uow: DocumentsUnit, instrument: Instrument, serving: Serving) -> None:
    expected = [str(a["party_id"]) for a in instrument.addressees]
    done = all_served(expected, uow.servings.of([instrument.instrument_id]))
    fact = InstrumentServed(
        instrument_id=instrument.instrument_id, instrument=instrument.instrument, serving_id=serving.serving_id,
        party_id=serving.addressee_id, role=serving.addressee_role, method=serving.method,
        served_on=_text(serving.served_on), left_on=_text(serving.left_on), all_served=done,
        proof_sha256=serving.proof_sha256, number=instrument.number, node_id=instrument.node_id,
        account_ids=serving.account_ids,
    )  # fmt: skip
    tell(uow, instrument, fact, serving.served_on or uow.legal_on(instrument.body_id))


def _published(instrument: Instrument, serving: Serving) -> InstrumentPublished:
    return InstrumentPublished(
        instrument_id=instrument.instrument_id, instrument=instrument.instrument, serving_id=serving.serving_id,
        party_id=serving.addressee_id, role=serving.addressee_role, published_on=_text(serving.left_on),
        deemed_on=_text(serving.served_on), provisional=serving.is_provisional, limit_id=serving.limit_id,
        proof_sha256=serving.proof_sha256,
    )  # fmt: skip


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


def _deem(uow: DocumentsUnit, instrument: Instrument, serving: Serving, today: date) -> Serving:
    """Served by now, when the period has run out; a provisional day is reckoned anew by the calendar of today."""
    if serving.is_provisional and serving.left_on is not None:
        rule = kept_rule(serving) if serving.limit_rule else time_limit(serving.limit_id)
        day, provisional = deemed_on(rule, serving.left_on)
        serving = replace(serving, served_on=day, is_provisional=provisional)
    if serving.served_on is not None and serving.served_on <= today:
        serving = replace(serving, state="served")
    uow.servings.save(serving)
    if serving.state == "served":
        record(uow, "deem_served", instrument, {"serving_id": serving.serving_id, "limit": serving.limit_id})
        _tell_served(uow, instrument, serving)
    return serving


def deem_published(uow: DocumentsUnit, root_id: str | None) -> None:
    """Tick: publications whose period has run out by the legal date of the tree, or of today."""
    while _deem_some(uow, root_id):
        pass  # each some in a transaction of its own; what was tried is not due any more on this day


def _deem_some(uow: DocumentsUnit, root_id: str | None) -> bool:
    with uow:
        bodies = uow.cases.root_bodies(root_id)
        today = clock.today() if root_id is None else uow.legal_on(root_id)
        due = uow.servings.published(bodies, today, AT_ONCE)
        uow.lock(*(serving.case_id for serving in due))
        for serving in (uow.servings.get(s.serving_id) for s in due):
            if serving.state == "published":
                with _apart(uow, serving, today):
                    _deem(uow, uow.instruments.get(serving.instrument_id), serving, today)
        return len(due) == AT_ONCE


@contextmanager
def _apart(uow: DocumentsUnit, serving: Serving, today: date) -> Iterator[None]:
    """One that cannot be reckoned stays as it was, is tried and named once a legal day, and holds up no other."""
    try:
        with uow.savepoint():
            yield
    except (DomainError, LookupError, TypeError, ValueError) as error:
        UNRECKONED.inc()
        uow.servings.put_off(serving.serving_id, today)
        log.error("serving_not_reckoned", extra={
            "serving_id": serving.serving_id, "case_id": serving.case_id, "limit_id": serving.limit_id,
            "error": f"{type(error).__name__}: {error}",
        })  # fmt: skip


def next_deemed(uow: DocumentsUnit, root_id: str, after: date) -> date | None:
    """The next day on which a publication of a scripted tree counts as serving."""
    with uow:
        return uow.servings.next_deemed(uow.cases.root_bodies(root_id), after)
