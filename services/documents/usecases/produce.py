"""制发, second half, a job: text with number and day -> PDF/A -> seal and signature -> store; safe to run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from anjuan.documents.v1.events_pb2 import InstrumentIssued
from services.documents.model.approval import signers_text
from services.documents.model.case import Case
from services.documents.model.fields import instrument_rule, require_complete, required, written_day
from services.documents.model.instrument import DOCX, Instrument, Version
from services.documents.render import fonts, marks
from services.documents.render.check import check_docx
from services.documents.settings import KNOBS
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases.compose import compose
from services.documents.usecases.issue import void_numbers
from services.documents.usecases.telling import case_of_effect, record, tell
from services.kit import clock, effects
from services.kit.effects import EffectCall
from services.kit.errors import DomainError, RuleRefusedError, UnavailableError
from services.kit.identity import Actor
from services.kit.objects import put_bytes
from services.kit.procedure.model import InstrumentRule, Pack
from services.kit.run import Host

if TYPE_CHECKING:
    from services.documents.render.pdf import Reading


@dataclass(frozen=True)
class Order:
    """All that the work needs, read in one transaction."""

    instrument: Instrument
    pack: Pack
    rule: InstrumentRule
    case: Case
    issued_on: date
    text_sha256: str  # the approved docx; empty: still to be rendered
    signers: str


@dataclass(frozen=True)
class Product:
    """What the work made; every hash lies in the store."""

    approved_sha256: str
    docx_sha256: str
    pdf_sha256: str
    reading: Reading


def produce(host: Host, payload: Mapping[str, Any]) -> None:
    """Job. An unfinished attempt is made again by the worker; after the last the effect is refused.

    Raises:
        UnavailableError: a store does not answer; tried for ever, counts as no attempt.
        OfficeError: LibreOffice failed; tried again.
    """
    call, packs = EffectCall.from_payload(payload["call"]), Packs(host.objects)
    uow: DocumentsUnit = host.begin(Actor.from_dict(payload["actor"]))
    order = _begin(uow, packs, call, str(payload["instrument_id"]))
    if order is None:
        return
    try:
        made = _make(host, packs, order)
    except UnavailableError:
        _give_attempt_back(uow, call, order.instrument)
        raise
    except DomainError as refusal:
        _give_up(uow, call, order.instrument, refusal)
        return
    _finish(uow, call, order, made)


def _begin(uow: DocumentsUnit, packs: Packs, call: EffectCall, instrument_id: str) -> Order | None:
    """Count the attempt before it begins, so that one that kills its process counts as well."""
    with uow:
        uow.lock(call.case_id)
        found = uow.instruments.get(instrument_id)
        if found.state != "issuing" or found.effect_id != call.effect_id:
            return None
        if found.attempts >= KNOBS.issue_attempts:
            reason = RuleRefusedError(f"《{found.title}》多次制发未成，请检查文书内容后重新办理，仍不成请联系运维人员")
            _refuse(uow, call, found, reason)
            return None
        found = uow.instruments.save(replace(found, attempts=found.attempts + 1))
        case, pack = case_of_effect(uow, call.case_id), packs.pinned(uow.connection, call.pack)
        signed = uow.instruments.signatures(found.instrument_id)
        rule = instrument_rule(pack, found.instrument)
        signers = signers_text(signed, case.body.name)
        return Order(found, pack, rule, case, call.occurred_on, found.approved_sha256, signers)


def _give_attempt_back(uow: DocumentsUnit, call: EffectCall, instrument: Instrument) -> None:
    with uow:
        uow.lock(call.case_id)
        found = uow.instruments.get(instrument.instrument_id)
        if found.state == "issuing" and found.effect_id == call.effect_id:  # else it was given up meanwhile
            uow.instruments.save(replace(found, attempts=max(found.attempts - 1, 0)))


def _give_up(uow: DocumentsUnit, call: EffectCall, instrument: Instrument, refusal: DomainError) -> None:
    with uow:
        uow.lock(call.case_id)
        found = uow.instruments.get(instrument.instrument_id)
        if found.state == "issuing" and found.effect_id == call.effect_id:  # else it was given up meanwhile
            _refuse(uow, call, found, refusal)


def _refuse(uow: DocumentsUnit, call: EffectCall, found: Instrument, refusal: DomainError) -> None:
    """The node opens again; the number stays with the instrument."""
    state = "approved" if found.approved_sha256 else "draft"
    uow.instruments.save(replace(found, state=state, reason=refusal.detail))
    record(uow, "refuse_to_issue", found, {"reason": refusal.detail, "number_kept": found.number})
    effects.refused(uow, call, refusal)
    void_numbers(uow, call.case_id)


def _make(host: Host, packs: Packs, order: Order) -> Product:
    """The work itself; nothing is locked meanwhile.

    Raises:
        DomainError: the text, its fonts or the seal cannot be used: trying again will not help.
    """
    from services.documents.render import press  # only the job's own process needs its libraries

    text = packs.objects_of(order.text_sha256) if order.text_sha256 else _rendered(order)
    approved = order.text_sha256 or put_bytes(host.objects, text, DOCX)
    day = written_day(order.issued_on, order.case.body.kind)
    docx = _final(order, text, day)
    imprint = press.Imprint(
        order.case.body.name, order.rule.title, day, order.rule.sealed, host.settings.data, host.settings.profile
    )
    sealed, reading = press.press(docx, imprint)
    hashes = put_bytes(host.objects, docx, DOCX), put_bytes(host.objects, sealed, "application/pdf")
    return Product(approved, *hashes, reading)


def _final(order: Order, text: bytes, day: str) -> bytes:
    """What was approved, with number, day and signers in the places kept for them; nothing else is touched."""
    title, parts = order.rule.title, check_docx(text, "待制发的文书")
    require_complete(title, marks.gaps(marks.text_of(parts)))
    number = order.instrument.number or order.case.case_number
    values = {marks.NUMBER: number, marks.DAY: day, marks.SIGNERS: order.signers, marks.SEAL: ""}
    filled = marks.fill(parts, values)
    said, needed = marks.text_of(filled), required(order.pack, order.rule)
    unsaid = [what for what, value in (("文号", order.instrument.number), ("日期", day))
              if value and value not in said and (what in needed or what == "文号")]  # fmt: skip
    if unsaid:
        raise RuleRefusedError(f"《{title}》的文稿中没有写{'、'.join(unsaid)}的位置，请在模板或文稿中补上")
    fonts.require(filled)
    return marks.pack_docx(filled)


def _rendered(order: Order) -> bytes:
    return compose(order.pack, order.rule, order.case, order.instrument.fields, order.instrument.token).docx


def _finish(uow: DocumentsUnit, call: EffectCall, order: Order, made: Product) -> None:
    with uow:
        uow.lock(call.case_id)
        found = uow.instruments.get(order.instrument.instrument_id)
        if found.state != "issuing" or found.effect_id != call.effect_id:
            return  # given up meanwhile, or another worker, whose lease we had lost, was faster
        if not order.text_sha256:
            actor = uow.cause.actor
            uow.instruments.add_version(Version(
                found.instrument_id, 1, made.approved_sha256, clock.now(), actor.person_id, actor.name, "rendered"
            ))  # fmt: skip
        issued = uow.instruments.save(replace(
            found, state="issued", approved_sha256=made.approved_sha256, docx_sha256=made.docx_sha256,
            pdf_sha256=made.pdf_sha256, pages=made.reading.pages, reason="",
        ))  # fmt: skip
        tell(uow, issued, _fact(issued, made.reading.text), call.occurred_on)
        record(uow, "issue_instrument", issued, {"number": issued.number, "sha256": issued.pdf_sha256})
        effects.done(uow, call, {
            "instrument_id": issued.instrument_id, "number": issued.number,
            "issued_on": call.occurred_on.isoformat(), "sha256": issued.pdf_sha256,
        })  # fmt: skip


def _fact(issued: Instrument, text: str) -> InstrumentIssued:
    return InstrumentIssued(
        instrument_id=issued.instrument_id, instrument=issued.instrument, title=issued.title, number=issued.number,
        issued_on=issued.issued_on.isoformat() if issued.issued_on else "", pdf_sha256=issued.pdf_sha256, text=text,
        pages=issued.pages, internal=issued.is_internal, volume=issued.volume, catalogue_seq=issued.catalogue_seq,
        node_id=issued.node_id,
    )  # fmt: skip
