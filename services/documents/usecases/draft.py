"""拟稿: a draft from the pack's template, and its next version out of Word or WPS."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents.model.case import Case
from services.documents.model.fields import checked, instrument_rule, values
from services.documents.model.instrument import DOCX, Instrument, Version
from services.documents.render import marks
from services.documents.render.check import check_docx
from services.documents.settings import KNOBS
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases.compose import Composed, compose
from services.documents.usecases.telling import record
from services.kit import access, clock
from services.kit.effects import plain
from services.kit.errors import InvalidInputError, TooLargeError
from services.kit.objects import put_bytes
from services.kit.procedure.model import InstrumentRule, Pack


@dataclass(frozen=True)
class Prepared:
    """A docx that lies in the store already, and the draft that it belongs to if there is one."""

    fresh: Instrument
    sha256: str
    composed: Composed


def new_instrument(pack: Pack, rule: InstrumentRule, case: Case, fields: Mapping[str, Any]) -> Instrument:
    """A draft without text yet."""
    kinds = {volume.id: volume.kind for volume in pack.volumes}
    return Instrument(
        instrument_id=clock.new_id(), case_id=case.case_id, body_id=case.body.body_id, pack_id=pack.id,
        pack_version=pack.version, instrument=rule.id, title=rule.title, state="draft",
        is_internal=kinds.get(rule.volume.id) == "internal", volume=rule.volume.id, catalogue_seq=rule.volume.seq,
        token=secrets.token_hex(16), fields=fields,
    )  # fmt: skip


def prepare_draft(uow: DocumentsUnit, packs: Packs, request: pb.DraftInstrumentRequest) -> Prepared:
    """Before the transaction: render, and put the docx into the store.

    Raises:
        CaseNotKnownError, NotAllowedError: the caller may not work the case.
        InvalidInputError: no such instrument here, or a field that is not the caller's to fill in.
        ConflictError: one of this kind is being issued.
    """
    given = checked(plain(request.fields))
    if len(json.dumps(given, ensure_ascii=False)) > KNOBS.largest_fields:
        raise TooLargeError("填写的内容过多，请精简后重新提交")
    with uow:
        access.require(uow.connection, uow.cause.actor, "work_case", case_id=request.case_id)
        case = uow.cases.get(request.case_id)
        pack = packs.pinned(uow.connection, case.pack)
        rule = instrument_rule(pack, request.instrument)
        effective = values(pack, rule, case, given, uow.legal_on(case.body.body_id), "")
        known = uow.instruments.open_of(case.case_id, rule.id)
    fresh = replace(known.may_change(), fields=effective) if known else new_instrument(pack, rule, case, effective)
    composed = compose(pack, rule, case, effective, fresh.token)
    return Prepared(fresh, put_bytes(packs.objects, composed.docx, DOCX), composed)


def draft_instrument(uow: DocumentsUnit, request: pb.DraftInstrumentRequest, made: Prepared) -> Instrument:
    """Take the rendered docx as the draft's first or next version.

    Raises:
        ConflictError: it is being issued by now.
    """
    with uow:
        uow.lock(request.case_id)
        access.require(uow.connection, uow.cause.actor, "work_case", case_id=request.case_id)
        known = uow.instruments.open_of(request.case_id, request.instrument)
        if known is None:
            known = made.fresh
            uow.instruments.add(known)
        known.may_change()
        drafted = replace(known, fields=made.fresh.fields, token=made.fresh.token, rendered=made.composed.gaps)
        return _next_version(uow, drafted, made, "rendered", "draft_instrument")


def _next_version(uow: DocumentsUnit, to: Instrument, made: Prepared, origin: str, action: str) -> Instrument:
    """A new text: what was signed or approved before holds no longer."""
    number = len(uow.instruments.versions(to.instrument_id)) + 1
    actor = uow.cause.actor
    uow.instruments.add_version(
        Version(to.instrument_id, number, made.sha256, clock.now(), actor.person_id, actor.name, origin)
    )
    composed = made.composed
    open_again = replace(to, state="draft", approved_sha256="", gaps=composed.gaps, unsettled=composed.unsettled)
    record(uow, action, to, {"version": number, "sha256": made.sha256})
    return uow.instruments.save(open_again)


def prepare_upload(uow: DocumentsUnit, packs: Packs, request: pb.UploadVersionRequest) -> Prepared:
    """Before the transaction: look the file over, and put it into the store.

    Raises:
        CaseNotKnownError, NotAllowedError: the caller may not work the case.
        InvalidInputError: no plain docx, another instrument's docx, or a mark of the house is gone.
    """
    with uow:
        known = uow.instruments.get(request.instrument_id)
        access.require(uow.connection, uow.cause.actor, "work_case", case_id=known.case_id)
        versions = uow.instruments.versions(known.instrument_id)
    known.at(request.if_version).may_change()
    parts = check_docx(request.docx, "上传的文书")
    if marks.read_token(parts) != known.token:
        raise InvalidInputError("上传的不是本文书的稿子：文件中的案件标识不见了或已被改动。请下载现行版本修改后再传")
    before = check_docx(packs.objects_of(versions[-1].sha256), "现行版本") if versions else {}
    gone = [m for m in marks.AT_ISSUE if m in marks.text_of(before) and m not in marks.text_of(parts)]
    if gone:
        raise InvalidInputError(f"请保留{'、'.join(gone)}：制发时由系统填写，不能删去或改写")
    return Prepared(known, put_bytes(packs.objects, request.docx, DOCX), Composed.of(parts, request.docx))


def upload_version(uow: DocumentsUnit, request: pb.UploadVersionRequest, made: Prepared) -> Instrument:
    """Take the edited docx as the next version.

    Raises:
        PreconditionError: somebody was faster.
        ConflictError: it is being issued by now.
    """
    with uow:
        uow.lock(made.fresh.case_id)
        access.require(uow.connection, uow.cause.actor, "work_case", case_id=made.fresh.case_id)
        known = uow.instruments.get(request.instrument_id).at(request.if_version).may_change()
        return _next_version(uow, known, made, "uploaded", "upload_version")
