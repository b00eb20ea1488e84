"""Handing in a filing, and correcting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from anjuan.intake.v1 import events_pb2 as events
from anjuan.intake.v1 import intake_pb2 as pb
from services.intake import messages
from services.intake.model.case import MATERIAL_ID, PARTY_ID, Case, unknown_ids
from services.intake.model.checklist import open_items
from services.intake.model.fault import Fault, refuse
from services.intake.model.filing import Draft, Filing, Standard, faults_of, faults_of_others_rows, faults_of_rows
from services.intake.model.notice import outstanding, prints
from services.intake.model.people import Reporter, faults_of_all
from services.intake.model.upload import Upload
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.linking import faults_of_links
from services.intake.usecases.telling import tell
from services.kit import access, clock
from services.kit.errors import NotAllowedError, RuleRefusedError
from services.kit.identity import Actor
from services.kit.procedure.model import Pack

FROM_OUTSIDE = ("transfer", "assigned", "request")  # what one body may send to another
# In whose name a report goes out and is recorded: who it was stands in `reporters` alone.
REPORTER = Actor(kind="party", person_id="reporter", name="举报人")


def submit_filing(
    uow: IntakeUnit, packs: Packs, request: pb.SubmitFilingRequest, uploads: Sequence[Upload] = ()
) -> pb.SubmitFilingAnswer:
    """收案: a filing is in the register, nothing is decided yet.

    The same for an application, a lead found ex officio, a report, a complaint and a transfer (`channel`). `uploads`:
    what archive has of the files that it names; paper has no hash and is scanned later.

    Raises:
        InvalidInputError: every fault at once. What the checklist misses is no fault but answered.
        NotAllowedError: the actor may not file here, or not by this channel.
    """
    draft = messages.draft_of(request.filing)
    with uow:
        by = replace(_standard(uow, packs, draft), uploads=uploads)
        draft = _completed(draft, by)
        refuse([*faults_of(draft, by), *faults_of_links(uow, draft.parties, reporter=draft.reporter)])
        case = _received(draft, by)
        uow.cases.add(case)
        if draft.reporter:
            uow.reporters.add(case.case_id, draft.reporter)
        _hide_reporter(uow, by)
        fact = events.FilingSubmitted(filing=messages.told_filing(case), reported_by_name=case.filing.reported_by_name)
        told = {"channel": case.channel, "pack": list(case.pack)}
        tell(uow, "submit_filing", case, fact, case.received_on, told, reporter=draft.reporter)
        return messages.answer_message(case)


def _standard(uow: IntakeUnit, packs: Packs, draft: Draft) -> Standard:
    """The pack that holds on the day of receipt; it fits the body, and lets the actor use the channel."""
    if not draft.body_id:
        refuse([Fault("/body_id", "请选择受理机关")])
    actor = uow.cause.actor
    access.require(uow.connection, actor, "file", body_id=draft.body_id)
    body, on = uow.bodies.on_its_day(draft.body_id)
    pack = packs.newest(uow.connection, draft.procedure_id, min(draft.received_on or on, on))
    if pack.kind not in (body.kind, "any"):
        refuse([Fault("/procedure_id", f"该机关不适用“{pack.title}”")])
    if draft.channel not in pack.channels:
        names = "、".join(pack.labels.get("channels", {}).get(name, name) for name in pack.channels)
        refuse([Fault("/channel", f"“{pack.title}”的案件来源只有：{names}")])
    if actor.kind == "staff" and actor.body_id != draft.body_id and draft.channel not in FROM_OUTSIDE:
        raise NotAllowedError("其他机关的案件只能移送、交办或者报请，不能代为登记")
    by = Standard(pack, pack.channels[draft.channel], actor, draft.body_id, on)
    if not by.admits_actor:
        raise NotAllowedError("您不能以这种来源提交，请选择其他案件来源")
    return by


def _completed(draft: Draft, by: Standard) -> Draft:
    """With fresh ids for every row; a reporter's account and source material are marked as such."""
    if by.from_reporter:
        draft = replace(draft, reporter=replace(draft.reporter or Reporter(), account_id=by.actor.account_id))
    fresh = replace(
        draft, parties=tuple(replace(p, party_id="") for p in draft.parties),
        materials=tuple(replace(m, material_id="") for m in by.sized(draft.materials)),
    )  # fmt: skip
    return _numbered(_marked(fresh, by.pack, reported=draft.reporter is not None))


def _marked(draft: Draft, pack: Pack, reported: bool) -> Draft:
    """What comes with a report is source material; some items of the checklist always are."""
    inside = {item.id for item in pack.checklist if item.internal}
    marked = (replace(m, internal=m.internal or reported or m.checklist_item in inside) for m in draft.materials)
    return replace(draft, materials=tuple(marked))


def _numbered(draft: Draft) -> Draft:
    """Rows without an id get one."""
    parties = tuple(replace(p, party_id=p.party_id or clock.new_id()) for p in draft.parties)
    materials = tuple(replace(m, material_id=m.material_id or clock.new_id()) for m in draft.materials)
    return replace(draft, parties=parties, materials=materials)


def _received(draft: Draft, by: Standard) -> Case:
    actor = by.actor
    filing = Filing(
        clock.new_id(), content=draft.content or {},
        submitted_by=actor.person_id if actor.kind == "staff" else actor.account_id,
        reported_by_name=bool(draft.reporter and draft.reporter.name.strip()),
    )  # fmt: skip
    case = Case.receive(draft, by.pack, clock.new_id(), filing, by.on)
    return case.lacking(open_items(by.pack, case.facts, case.parties, case.materials))


def _hide_reporter(uow: IntakeUnit, by: Standard) -> None:
    if by.from_reporter:
        uow.acting(REPORTER)


def correct_filing(
    uow: IntakeUnit, packs: Packs, request: pb.CorrectFilingRequest, uploads: Sequence[Upload] = ()
) -> pb.SubmitFilingAnswer:
    """补正: by the one who filed, until a decision; by the body's people while the notice runs.

    Raises:
        PreconditionError: the filing has moved on since it was read.
        RuleRefusedError: it is decided, or nobody has asked for a correction.
        InvalidInputError: every fault at once.
    """
    change = messages.correction_of(request)
    with uow:
        before = _correctable(uow, request)
        pack, on = packs.pinned(uow.connection, before.pack), uow.legal_on(before.body_id)
        channel = pack.channels[before.channel]
        by = Standard(pack, channel, uow.cause.actor, before.body_id, on, uploads, before.materials)
        change = replace(change, materials=tuple(by.sized(change.materials)))
        after = _corrected(uow, before, change, by)
        uow.cases.save(before, after)
        _hide_reporter(uow, by)
        tell(uow, "correct_filing", after, events.FilingCorrected(filing=messages.told_filing(after)), on,
             {"filing_id": request.filing_id, "state": after.filing.state})  # fmt: skip
        return messages.answer_message(after)


def _correctable(uow: IntakeUnit, request: pb.CorrectFilingRequest) -> Case:
    """The case of the filing, locked, if the actor may correct it now."""
    actor, case_id = uow.cause.actor, uow.cases.id_of_filing(request.filing_id)
    case = uow.locked(case_id)
    action = "view_own_filing" if actor.kind == "party" else "work_case"
    access.require(uow.connection, actor, action, case_id=case_id, owner_id=case.filing.submitted_by)
    case.at(request.if_version).may("correct")
    if actor.kind != "party" and case.filing.state != "deficient":
        raise RuleRefusedError("尚未告知补正，工作人员不能代为补正；登记有误的，请更正登记")
    return case


def _corrected(uow: IntakeUnit, before: Case, change: Draft, by: Standard) -> Case:
    """The case with the correction in it; raises InvalidInputError with every fault."""
    reporter = uow.reporters.find(before.case_id)
    change = _marked(change, by.pack, reported=reporter is not None)
    numbered = _numbered(change)
    after = before.corrected(numbered.parties, numbered.materials, change.content)
    refuse([
        *unknown_ids(before.parties, change.parties, PARTY_ID, "parties"),
        *unknown_ids(before.materials, change.materials, MATERIAL_ID, "materials"),
        *faults_of_others_rows(before.parties, change.parties, by.actor),
        *faults_of_links(uow, change.parties, before.parties),
        *faults_of_rows(change, reporter, by), *faults_of_all(after.parties, by.pack),
    ])  # fmt: skip
    now = prints((item.id for item in by.pack.checklist), after.parties, after.materials, after.filing.content)
    left = outstanding(after.filing.defects, now, uow.notices.last(after.case_id))
    return after.lacking(open_items(by.pack, after.facts, after.parties, after.materials), left)
