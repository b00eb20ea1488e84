"""Scan batches and piles as people and stations see them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model.scans import Batch, Pile
from services.archive.store import ArchiveUnit
from services.archive.tables import scan_batches, scan_piles
from services.kit import access, paging, schema
from services.kit.errors import NotFoundError
from services.kit.identity import Actor


def _instant(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def batch_shown(uow: ArchiveUnit, actor: Actor, batch: Batch, *, with_piles: bool = True) -> pb.ScanBatch:
    """One batch; inside an open unit."""
    piles = uow.piles.of_batch(batch.batch_id)
    missing = uow.batches.missing(batch, "stored", "assembling") if batch.state == "receiving" else []
    return pb.ScanBatch(
        batch_id=batch.batch_id, body_id=batch.body_id, owner_id=batch.owner_id, owner_name=batch.owner_name,
        file_name=batch.file_name, state=batch.state, master_sha256=batch.master_sha256,
        master_size=batch.master_size, master_media_type=batch.master_media_type,
        scanned_at=_instant(batch.scanned_at), received_at=_instant(batch.received_at), pages=batch.of_kind("page"),
        blanks=batch.of_kind("blank"), covers=batch.of_kind("cover"),
        unclaimed=sum(pile.state == "unclaimed" for pile in piles),
        piles=piles_shown(uow, actor, piles) if with_piles else [], missing_sha256=missing,
        paper_pages=batch.paper_pages or 0, count_state=batch.count_state, counted_by_name=batch.counted_by_name,
        counted_at=_instant(batch.counted_at), count_note=batch.count_note, version=batch.version,
    )  # fmt: skip


def piles_shown(uow: ArchiveUnit, actor: Actor, piles: Iterable[Pile]) -> list[pb.ScanPile]:
    """Piles with the names of their files, and of those cases that the caller may list."""
    found, card = list(piles), schema.case_card
    cases = {p.case_id for p in found if p.case_id}
    mine = access.case_filter(actor, "list_cases", card)
    query = select(card.c.case_id, card.c.case_number, card.c.title).where(card.c.case_id.in_(cases), mine)
    names = {row.case_id: row for row in uow.connection.execute(query)}
    files = select(scan_batches.c.batch_id, scan_batches.c.file_name)
    of = files.where(scan_batches.c.batch_id.in_({p.batch_id for p in found}))
    file_names = {row.batch_id: row.file_name for row in uow.connection.execute(of)}
    return [_pile_shown(pile, names.get(pile.case_id), file_names[pile.batch_id]) for pile in found]


def _pile_shown(pile: Pile, case: object, file_name: str) -> pb.ScanPile:
    return pb.ScanPile(
        pile_id=pile.pile_id, batch_id=pile.batch_id, body_id=pile.body_id, ordinal=pile.ordinal, state=pile.state,
        reason=pile.reason, case_id=pile.case_id, case_number=getattr(case, "case_number", ""),
        title=getattr(case, "title", ""), volume=pile.volume, seq=pile.seq, pages=pile.pages, blanks=pile.blanks,
        first_number=pile.first_number, last_number=pile.last_number, claimed_by=pile.claimed_by,
        claimed_by_name=pile.claimed_by_name, claimed_at=_instant(pile.claimed_at), claim_note=pile.claim_note,
        file_name=file_name, received_at=_instant(pile.received_at), version=pile.version,
    )  # fmt: skip


def get_scan_batch(uow: ArchiveUnit, actor: Actor, request: pb.GetScanBatchRequest) -> pb.ScanBatch:
    """One batch, for its sender and for who brings pages to its body; unknown and forbidden look alike."""
    with uow:
        batch = uow.batches.get(request.batch_id)
        clerk = actor.kind == "staff" and access.allowed(uow.connection, actor, "upload", body_id=batch.body_id)
        if not clerk and batch.owner_id != actor.person_id:
            raise NotFoundError("没有这个扫描批次")
        return batch_shown(uow, actor, batch)


def list_scan_batches(
    uow: ArchiveUnit, actor: Actor, request: pb.ListScanBatchesRequest
) -> pb.ListScanBatchesAnswer:
    """Batches of a body, newest first; a station sees its own."""
    limit = paging.size(request.limit)
    after = paging.after(request.cursor, 2)
    body_id = request.body_id or actor.body_id
    with uow:
        access.require(uow.connection, actor, "upload", body_id=body_id)
        conditions = [scan_batches.c.body_id == body_id]
        if actor.kind != "staff":
            conditions.append(scan_batches.c.owner_id == actor.person_id)
        if request.state:
            conditions.append(scan_batches.c.state == request.state)
        if request.case_id:
            access.require(uow.connection, actor, "view_dossier", case_id=request.case_id)
            of = select(scan_piles.c.batch_id).where(scan_piles.c.case_id == request.case_id)
            conditions.append(scan_batches.c.batch_id.in_(of))
        found = uow.batches.listed(conditions, after, limit + 1)
        shown = [batch_shown(uow, actor, batch, with_piles=False) for batch, _ in found[:limit]]
        more = paging.cursor(*found[limit - 1][1]) if len(found) > limit else ""
        return pb.ListScanBatchesAnswer(batches=shown, next_cursor=more)


def list_scan_piles(uow: ArchiveUnit, actor: Actor, request: pb.ListScanPilesRequest) -> pb.ListScanPilesAnswer:
    """Piles of a body, those that wait longest first; for its clerks."""
    limit = paging.size(request.limit)
    after = paging.after(request.cursor)
    body_id = request.body_id or actor.body_id
    with uow:
        access.require(uow.connection, actor, "upload", body_id=body_id)
        conditions = [scan_piles.c.body_id == body_id]
        if actor.kind != "staff":
            of = select(scan_batches.c.batch_id).where(scan_batches.c.owner_id == actor.person_id)
            conditions.append(scan_piles.c.batch_id.in_(of))
        if request.state:
            conditions.append(scan_piles.c.state == request.state)
        found = uow.piles.listed(conditions, after[0] if after else "", limit + 1)
        answer = pb.ListScanPilesAnswer(piles=piles_shown(uow, actor, found[:limit]))
        answer.next_cursor = paging.cursor(found[limit - 1].pile_id) if len(found) > limit else ""
        return answer


def scan_pile(uow: ArchiveUnit, actor: Actor, pile: Pile) -> pb.ScanPile:
    """One pile after an act on it."""
    return piles_shown(uow, actor, [pile])[0]
