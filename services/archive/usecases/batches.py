"""Scan batches: announced with their manifest, received when every byte is here, counted against the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from google.protobuf import json_format

from anjuan.archive.v1.archive_pb2 import CountScanBatchRequest, RegisterScanBatchRequest
from anjuan.archive.v1.events_pb2 import BatchReceived
from services.archive.model import covers
from services.archive.model.pages import Page
from services.archive.model.scans import Batch, Pile, check_batch, cover_of, piles_of
from services.archive.store import ArchiveUnit
from services.archive.store.covers import Sheet
from services.archive.usecases.filing import file_pages
from services.archive.usecases.reading import AHEAD, PREPARE
from services.archive.usecases.telling import is_archived
from services.kit import access, clock, jobs
from services.kit.errors import ConflictError, InvalidInputError, require_version
from services.kit.identity import Actor


def register_scan_batch(uow: ArchiveUnit, actor: Actor, request: RegisterScanBatchRequest) -> Batch:
    """Announce a batch; the same again answers how far it is.

    Raises:
        InvalidInputError: the manifest does not fit together.
        NotAllowedError: the caller may not bring pages to this body.
        ConflictError: another sender's batch, or a received one that is told otherwise now.
    """
    manifest = [_told(page) for page in request.pages]
    master = (request.master_sha256, request.master_size, request.master_media_type)
    check_batch(request.batch_id, master, request.scanned_at, manifest)
    body_id = request.body_id or actor.body_id
    with uow:
        access.require(uow.connection, actor, "upload", body_id=body_id)
        uow.lock(request.batch_id)
        batch = _announced(actor, body_id, request, manifest)
        known = uow.batches.find(request.batch_id)
        if known is None:
            uow.batches.add(batch)
            uow.record("register_scan_batch", batch.batch_id, body_id=body_id, detail={"master": batch.master_sha256})
        else:
            _check_same(known, batch)
            if known.state == "receiving" and known.manifest != manifest:
                uow.batches.replace(batch)
        receive_if_whole(uow, batch.batch_id)
        return uow.batches.get(batch.batch_id)


def _told(page: Any) -> dict[str, Any]:
    facts = json_format.MessageToDict(page, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return facts | {"size": int(page.size)}


def _announced(
    actor: Actor, body_id: str, request: RegisterScanBatchRequest, manifest: list[dict[str, Any]]
) -> Batch:
    return Batch(
        batch_id=request.batch_id, body_id=body_id, owner_id=actor.person_id, owner_name=actor.name,
        file_name=request.file_name[:255], state="receiving", master_sha256=request.master_sha256,
        master_size=request.master_size, master_media_type=request.master_media_type,
        scanned_at=datetime.fromisoformat(request.scanned_at), received_at=None, manifest=manifest, paper_pages=None,
        counted_by_name="", counted_at=None, count_note="", version=1,
    )  # fmt: skip


def _check_same(known: Batch, told: Batch) -> None:
    if (known.owner_id, known.body_id, known.master_sha256) != (told.owner_id, told.body_id, told.master_sha256):
        raise ConflictError("该批次号已用于另一份扫描件")


def brought(uow: ArchiveUnit, owner_id: str, sha256: str) -> None:
    """Bytes are stored: the sender's batches that waited for them may be whole now."""
    for batch_id in uow.batches.waiting_for(owner_id, sha256):
        receive_if_whole(uow, batch_id)


def receive_if_whole(uow: ArchiveUnit, batch_id: str) -> None:
    """Cut a batch into piles once all its bytes are stored, file those whose sheet says where, tell it."""
    uow.lock(batch_id)  # always before the row
    batch = uow.batches.get(batch_id, locked=True)
    if batch.state != "receiving" or uow.batches.missing(batch, "stored"):
        return
    now = clock.now()
    cut = piles_of(batch.manifest)
    sheets = {n: _judged(uow, batch, cover_of(pages)) for n, pages in enumerate(cut)}
    uow.lock(*{s.case_id for s in sheets.values() if isinstance(s, Sheet)})
    unclaimed = 0
    for n, pages in enumerate(cut):
        pile, rows = _pile(batch, n + 1, pages, now, uow.legal_on(batch.body_id))
        unclaimed += _settle(uow, pile, rows, sheets[n])
    uow.batches.change(batch, state="received", received_at=now)
    jobs.add(uow, PREPARE, {"batch_id": batch_id}, run_at=now - AHEAD)
    uow.record("receive_scan_batch", batch_id, body_id=batch.body_id, detail={"unclaimed": unclaimed})
    uow.emit(BatchReceived(
        batch_id=batch_id, owner_id=batch.owner_id, file_name=batch.file_name, pages=batch.of_kind("page"),
        unclaimed=unclaimed,
    ), stream=batch_id, body_id=batch.body_id)  # fmt: skip


def receive_stragglers(uow: ArchiveUnit, root_id: str | None) -> None:
    """Tick: batches announced in the very moment in which their last bytes came."""
    if root_id is None:
        with uow:
            for batch_id in uow.batches.whole():
                receive_if_whole(uow, batch_id)


def _judged(uow: ArchiveUnit, batch: Batch, code: str) -> Sheet | str:
    """The sheet of a pile, or why it is nobody's."""
    if not code:
        return "no_cover"
    said = covers.read(code)
    if said is None:
        return "unreadable"
    if said.body_mark != covers.body_mark(batch.body_id):
        return "foreign"
    sheet = uow.covers.find(said.token)
    if sheet is None:
        return "unknown"
    case = uow.cases.find(sheet.case_id)
    if case is None or case.body_id != batch.body_id:
        return "foreign"
    return sheet


def _pile(
    batch: Batch, ordinal: int, told: Sequence[Mapping[str, Any]], now: datetime, on: date
) -> tuple[Pile, list[Page]]:
    kinds = [page["kind"] for page in told]
    pile = Pile(
        pile_id=clock.new_id(), batch_id=batch.batch_id, body_id=batch.body_id, ordinal=ordinal, state="unclaimed",
        reason="", case_id="", volume="", seq=0, pages=kinds.count("page"), blanks=kinds.count("blank"),
        first_number=told[0]["number"], last_number=told[-1]["number"], claimed_by="", claimed_by_name="",
        claimed_at=None, claim_note="", received_at=now, version=1,
    )  # fmt: skip
    return pile, [_page(batch, pile, page, on) for page in told]


def _page(batch: Batch, pile: Pile, told: Mapping[str, Any], on: date) -> Page:
    return Page(
        page_id=clock.new_id(), batch_id=pile.batch_id, pile_id=pile.pile_id, body_id=pile.body_id, case_id="",
        number=told["number"], kind=told["kind"], sha256=told["sha256"], media_type=told["media_type"],
        width=told["width"], height=told["height"], dpi=told["dpi"], turned=0, is_hidden=told["kind"] != "page",
        is_internal=False, volume="", seq=0, position=0, state="current", replaced_by="", replaces="",
        thumbnail_sha256="", volume_id="", page_number=0, received_at=pile.received_at, version=1,
        source_id=batch.batch_id, title=batch.file_name, master_sha256=batch.master_sha256,
        master_media_type=batch.master_media_type, received_on=on,
    )  # fmt: skip


def _settle(uow: ArchiveUnit, pile: Pile, pages: list[Page], sheet: Sheet | str) -> bool:
    """Keep a pile, and file it when its sheet says where; whether it waits for a clerk."""
    uow.pages.add(pages)
    if isinstance(sheet, Sheet) and is_archived(uow, sheet.case_id):
        sheet = "archived"
    if isinstance(sheet, str):
        # a sheet without pages behind it waits for nobody
        state = "unclaimed" if pile.pages else "discarded"
        uow.piles.add(_with(pile, state=state, reason=sheet))
        return state == "unclaimed"
    uow.piles.add(_with(pile, state="filed", case_id=sheet.case_id, volume=sheet.volume, seq=sheet.seq))
    case = uow.cases.get(sheet.case_id)
    file_pages(uow, case, pile, pages, (sheet.volume, sheet.seq, sheet.is_internal))
    return False


def _with(pile: Pile, **changed: Any) -> Pile:
    return Pile(**{**vars(pile), **changed})


def count_scan_batch(uow: ArchiveUnit, actor: Actor, request: CountScanBatchRequest) -> Batch:
    """A clerk has counted the written sides of the paper.

    Raises:
        ConflictError: not everything has arrived yet.
        InvalidInputError: the count differs and nothing is said about it.
    """
    with uow:
        batch = uow.batches.get(request.batch_id, locked=True)
        access.require(uow.connection, actor, "upload", body_id=batch.body_id)
        if batch.state != "received":
            raise ConflictError("该批次尚未传完，请稍后再核对")
        require_version(request.if_version, batch.version, "该批次刚被他人改动，请刷新后再核对")
        scanned, counted = batch.of_kind("page"), request.paper_pages
        if counted < 0 or counted > 100_000:
            raise InvalidInputError("页数有误", [{"pointer": "/paper_pages", "detail": "须为实际清点的页数"}])
        if counted != scanned and not request.note.strip():
            wrong = [{"pointer": "/note", "detail": "页数不一致时必填"}]
            raise InvalidInputError(f"清点 {counted} 页，扫描 {scanned} 页，不一致，请说明情况", wrong)
        uow.batches.change(batch, paper_pages=counted, counted_by_name=actor.name, counted_at=clock.now(),
                           count_note=request.note.strip())  # fmt: skip
        uow.record("count_scan_batch", batch.batch_id, body_id=batch.body_id,
                   detail={"paper": counted, "scanned": scanned, "note": request.note.strip()})  # fmt: skip
        return uow.batches.get(batch.batch_id)
