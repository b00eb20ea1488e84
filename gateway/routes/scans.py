"""Scan batches and their piles: what stations bring, what clerks count, claim and set aside."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from anjuan.archive.v1 import archive_pb2 as pb
from gateway.auth import IfMatch, SignedIn
from gateway.routes.shared import PREFIX, Body, Cursor, Id, IdQuery, IdText, Limit, Sha256, Words, reply
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["扫描"])
Pixels = Annotated[int, Field(ge=1, le=100_000)]
MediaType = Annotated[str, Field(min_length=3, max_length=100)]


class Scanned(Body):
    """One page of the scanned file, with its cleaned copy."""

    number: Annotated[int, Field(ge=1, le=2500)]
    kind: Literal["page", "blank", "cover"]
    sha256: Sha256
    size: Annotated[int, Field(ge=1, le=2**40)]
    media_type: MediaType
    cover: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    rotation: Literal[0, 90, 180, 270] = 0
    skew_degrees: Annotated[float, Field(ge=-45, le=45)] = 0.0
    width: Pixels
    height: Pixels
    dpi: Pixels


class NewBatch(Body):
    """The manifest of one scanned file; the same batch_id sent again is the same batch."""

    batch_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    body_id: IdText = ""
    file_name: Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")] = ""
    master_sha256: Sha256
    master_size: Annotated[int, Field(ge=1, le=2**40)]
    master_media_type: MediaType
    scanned_at: Annotated[str, Field(min_length=10, max_length=40)]
    pages: Annotated[list[Scanned], Field(min_length=1, max_length=2500)]


class Count(Body):
    """Written sides counted on the paper."""

    paper_pages: Annotated[int, Field(ge=0, le=100_000)]
    note: Words = ""


class Claim(Body):
    """To which case a pile belongs, and where in it."""

    case_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    volume: IdText = ""
    seq: Annotated[int, Field(ge=0, le=999)] = 0
    after_page_id: IdText = ""
    note: Words = ""


class Discard(Body):
    """Why a pile is set aside."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


@router.post("/scan-batches", response_model=answer(pb.ScanBatch), status_code=201, summary="登记扫描批次")
async def register_scan_batch(body: NewBatch, caller: SignedIn) -> Response:
    """Announce a batch; `missing_sha256` names the bytes that are still to be uploaded (purpose scan_batch)."""
    asked = parse(body, pb.RegisterScanBatchRequest)
    made = await caller.ask("archive", "RegisterScanBatch", asked, seconds=30)
    return reply(made, 201, f"{PREFIX}/scan-batches/{made.batch_id}")


@router.get("/scan-batches", response_model=answer(pb.ListScanBatchesAnswer), summary="扫描批次列表")
async def list_scan_batches(
    caller: SignedIn, body_id: IdQuery = "", state: Annotated[Literal["", "receiving", "received"], Query()] = "",
    case_id: IdQuery = "", cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """Batches of a body, newest first, without their piles."""
    asked = pb.ListScanBatchesRequest(body_id=body_id, state=state, case_id=case_id, cursor=cursor, limit=limit)
    return reply(await caller.ask("archive", "ListScanBatches", asked))


@router.get("/scan-batches/{batch_id}", response_model=answer(pb.ScanBatch), summary="扫描批次")
async def get_scan_batch(batch_id: Id, caller: SignedIn) -> Response:
    """One batch with its piles."""
    return reply(await caller.ask("archive", "GetScanBatch", pb.GetScanBatchRequest(batch_id=batch_id)))


@router.post("/scan-batches/{batch_id}/count", response_model=answer(pb.ScanBatch), summary="清点核对")
async def count_scan_batch(batch_id: Id, body: Count, caller: SignedIn, version: IfMatch) -> Response:
    """Count against the paper; a difference needs a word."""
    asked = parse(body, pb.CountScanBatchRequest, batch_id=batch_id, if_version=version)
    return reply(await caller.ask("archive", "CountScanBatch", asked))


@router.get("/scan-piles", response_model=answer(pb.ListScanPilesAnswer), summary="扫描件列表（待认领）")
async def list_scan_piles(
    caller: SignedIn, body_id: IdQuery = "",
    state: Annotated[Literal["", "filed", "unclaimed", "discarded"], Query()] = "unclaimed", cursor: Cursor = "",
    limit: Limit = 20,
) -> Response:  # fmt: skip
    """Piles of a body, those that wait longest first."""
    asked = pb.ListScanPilesRequest(body_id=body_id, state=state, cursor=cursor, limit=limit)
    return reply(await caller.ask("archive", "ListScanPiles", asked))


@router.post("/scan-piles/{pile_id}/claim", response_model=answer(pb.ScanPile), summary="认领")
async def claim_scan_pile(pile_id: Id, body: Claim, caller: SignedIn, version: IfMatch) -> Response:
    """The pile belongs to this case: at the end, or inserted behind a page."""
    asked = parse(body, pb.ClaimScanPileRequest, pile_id=pile_id, if_version=version)
    return reply(await caller.ask("archive", "ClaimScanPile", asked))


@router.post("/scan-piles/{pile_id}/discard", response_model=answer(pb.ScanPile), summary="作废扫描件")
async def discard_scan_pile(pile_id: Id, body: Discard, caller: SignedIn, version: IfMatch) -> Response:
    """Set a pile aside with a reason; its bytes are kept."""
    asked = parse(body, pb.DiscardScanPileRequest, pile_id=pile_id, if_version=version)
    return reply(await caller.ask("archive", "DiscardScanPile", asked))
