"""签发: the approver, or the panel in order, signs the text that was read."""

from __future__ import annotations

from dataclasses import replace

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents.model.approval import Signature, next_seat, person_of, require_turn, seats
from services.documents.model.fields import instrument_rule, missing, require_complete
from services.documents.model.instrument import Instrument, Version
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases.telling import record
from services.kit import access, clock
from services.kit.errors import ConflictError


def approve_instrument(uow: DocumentsUnit, packs: Packs, request: pb.ApproveInstrumentRequest) -> Instrument:
    """Sign the newest version; the last signature approves it.

    Raises:
        CaseNotKnownError, NotAllowedError: not the caller's case, or another's turn.
        ConflictError: another version was read, or nobody needs to sign this kind.
        RuleRefusedError: something required is missing, or revisions are open.
    """
    with uow:
        found = uow.instruments.get(request.instrument_id)
        uow.lock(found.case_id)
        found, actor = uow.instruments.get(request.instrument_id), uow.cause.actor
        case = uow.cases.get(found.case_id)
        pack = packs.pinned(uow.connection, found.pack)
        rule = instrument_rule(pack, found.instrument)
        wanted, signed = seats(pack, rule, case), uow.instruments.signatures(found.instrument_id)
        person, on = person_of(actor, uow.cases.person(actor.person_id)), uow.legal_on(found.body_id)
        seat = next_seat(wanted, signed)
        mine = seat is not None and seat.fits(person, case, on)
        access.require(uow.connection, actor, "work_case", case_id=found.case_id, candidate=mine)
        if not wanted:
            raise ConflictError(f"《{rule.title}》无须单独签发，随环节办结制发")
        found.may_change().settled()
        newest = _read(uow, found.instrument_id, request.sha256)
        seat = require_turn(wanted, signed, person, case, on)
        require_complete(rule.title, missing(pack, rule, case, found.fields, found.marked))
        signature = Signature(len(signed) + 1, actor.person_id, actor.name, seat.title, newest.sha256, clock.now())
        uow.instruments.sign(found.instrument_id, signature)
        record(uow, "approve_instrument", found, {"sha256": newest.sha256, "as": seat.title})
        whole = len(signed) + 1 == len(wanted)
        return uow.instruments.save(
            replace(found, state="approved", approved_sha256=newest.sha256) if whole else found
        )


def _read(uow: DocumentsUnit, instrument_id: str, sha256: str) -> Version:
    """The newest version, when it is the one that was read."""
    versions = uow.instruments.versions(instrument_id)
    if not versions:
        raise ConflictError("该文书还没有拟稿，请先拟稿")
    if versions[-1].sha256 != sha256:
        raise ConflictError(f"您审阅的不是现行版本（现为第 {versions[-1].number} 稿），请重新下载审阅后再签发")
    return versions[-1]
