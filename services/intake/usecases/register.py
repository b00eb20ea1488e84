"""Corrections of the register itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select

from anjuan.intake.v1 import events_pb2 as events
from anjuan.intake.v1 import intake_pb2 as pb
from services.intake import messages
from services.intake.model.case import PARTY_ID, Case, differences, unknown_ids
from services.intake.model.fault import Fault, pointer, refuse
from services.intake.model.fingerprint import Fingerprints
from services.intake.model.people import Party, faults_of_all, faults_of_each, faults_of_reporter
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.linking import faults_of_links
from services.intake.usecases.telling import tell
from services.kit import access, clock, schema
from services.kit.errors import NotAllowedError, RuleRefusedError

REGISTRARS = ("registrar", "docketing_clerk")


def correct_register(
    uow: IntakeUnit, packs: Packs, prints: Fingerprints, request: pb.CorrectRegisterRequest
) -> pb.Case:
    """更正登记: title, cause and parties, with a reason; the audit names the fields and keeps keyed hashes of values.

    Raises:
        NotAllowedError: only 立案人员 and 案件登记人员 may.
        PreconditionError: the register has moved on since it was read.
        RuleRefusedError: the dossier is archived.
        InvalidInputError: every fault at once.
    """
    with uow:
        before = _correctable(uow, request)
        pack = packs.pinned(uow.connection, before.pack)
        sent = messages.parties_of(request.parties)
        refuse(unknown_ids(before.parties, sent, PARTY_ID, "parties"))
        fresh = [replace(p, party_id=p.party_id or clock.new_id()) for p in sent]
        after = before.amended(request.title, request.cause, fresh)
        on = uow.legal_on(before.body_id)
        refuse([*faults_of_each(sent, pack, on), *faults_of_all(after.parties, pack),
                *faults_of_links(uow, sent, before.parties), *_reported(uow, before, after, sent)])  # fmt: skip
        changes = differences(before, after)
        if not changes:
            raise RuleRefusedError("登记内容没有变化，不需要更正")
        uow.cases.save(before, after)
        tell(uow, "correct_register", after, events.RegisterCorrected(reason=request.reason), on,
             {"reason": request.reason, "changes": prints.changes(after.case_id, changes)}, changes)  # fmt: skip
        case_id = after.case_id
        seen = uow.links.seen_by(uow.cause.actor, case_id), uow.notices.seen_by(uow.cause.actor, case_id)
        return messages.case_message(after, seen[0], uow.officers.of(case_id), seen[1])


def _reported(uow: IntakeUnit, before: Case, after: Case, sent: Sequence[Party]) -> Iterator[Fault]:
    """The reporter stays out of the register: out of title and cause, and of every row that is sent."""
    if reporter := uow.reporters.find(before.case_id):
        yield from faults_of_reporter(reporter, sent, {"/title": after.title, "/cause": after.cause})
        names = {p.party_id: p.name.strip() for p in before.parties}
        for place, party in enumerate(sent):
            # a row that had the name before is a namesake's
            if party.name.strip() == reporter.name.strip() != names.get(party.party_id, ""):
                yield Fault(pointer("parties", place, "name"), "举报人不是本案当事人，登记中不得出现其姓名")


def _correctable(uow: IntakeUnit, request: pb.CorrectRegisterRequest) -> Case:
    """The case, locked, if the actor may correct its register now."""
    actor = uow.cause.actor
    access.require(uow.connection, actor, "work_case", case_id=request.case_id)
    if not actor.has(*REGISTRARS):
        raise NotAllowedError("登记由立案人员、案件登记人员更正")
    if not request.reason.strip():
        refuse([Fault("/reason", "更正登记应当说明理由")])
    case = uow.locked(request.case_id).at(request.if_version)
    card = schema.case_card
    state = uow.connection.execute(select(card.c.dossier_state).where(card.c.case_id == case.case_id)).scalar()
    if state == "archived":
        raise RuleRefusedError("案卷已归档，登记内容不得再更改")
    return case
