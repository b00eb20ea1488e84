"""Dossiers: separator sheets, pages, volumes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from anjuan.archive.v1 import archive_pb2 as pb
from gateway.auth import IfMatch, SignedIn
from gateway.routes.shared import PREFIX, Body, Cursor, Id, IdQuery, IdText, Limit, Reason, Words, reply
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["电子卷宗"])
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
Seq = Annotated[int, Field(ge=0, le=999)]
SomeId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


MANIFEST: dict[int | str, dict[str, Any]] = {
    200: {"description": "归档清单", "content": {"application/json": {"schema": {"type": "object"}}}}
}


class Arrangement(Body):
    """Where a page belongs, and how it is shown."""

    volume: IdText = ""
    seq: Seq = 0
    hidden: bool = False
    turned: Literal[0, 90, 180, 270] = 0


class Order(Body):
    """Every current page of one place, hidden ones too, in its new order."""

    volume: IdText = ""
    seq: Seq = 0
    page_ids: Annotated[list[SomeId], Field(min_length=1, max_length=5000)]


class Replacement(Body):
    """The page scanned anew."""

    with_page_id: SomeId
    reason: Words


def _shown(*media_types: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    return {200: {"description": "文件内容", "content": content}}


def _whole(file: pb.DossierFile) -> dict[str, str]:
    return _named(file.file_name) | {"ETag": f'"{file.sha256}"'}


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"inline; filename*=UTF-8''{quote(name)}"}


@router.get("/cases/{case_id}/separator-sheet", summary="打印分隔页", responses=_shown(PDF), response_class=Response)
async def print_separator_sheets(
    case_id: Id, caller: SignedIn, volume: IdQuery = "",
    seq: Annotated[int, Query(ge=0, le=999, description="目录项；0 为该卷每一项各一张")] = 0,
) -> Response:  # fmt: skip
    """A sheet for the case, or sheets for the items of one volume; printed again it is the same sheet."""
    asked = pb.PrintSeparatorSheetsRequest(case_id=case_id, volume=volume, seq=seq)
    made = await caller.ask("archive", "PrintSeparatorSheets", asked, seconds=40)
    return Response(made.pdf, media_type=PDF, headers=_named(made.file_name))


@router.get("/cases/{case_id}/dossier", response_model=answer(pb.Dossier), summary="电子卷宗")
async def get_dossier(case_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """Volumes with their catalogues, what stands in the way of binding, how the dossier is archived."""
    asked = pb.GetDossierRequest(case_id=case_id, reason=reason)
    return reply(await caller.ask("archive", "GetDossier", asked))


@router.get("/cases/{case_id}/dossier/manifest", summary="归档清单", responses=MANIFEST, response_class=Response)
async def get_manifest(case_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """Every object of an archived dossier with its SHA-256 and size; the ETag is its own."""
    asked = pb.GetManifestRequest(case_id=case_id, reason=reason)
    first = await caller.ask("archive", "GetManifest", asked, seconds=30)
    return Response(first.chunk, media_type=first.media_type, headers=_whole(first))


@router.get("/volumes/{volume_id}/file", summary="已装订的卷", responses=_shown(PDF), response_class=Response)
async def get_volume(volume_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """The bound volume as searchable PDF, streamed."""
    asked = pb.GetVolumeRequest(volume_id=volume_id, reason=reason)
    first = await caller.ask("archive", "GetVolume", asked, seconds=30)

    async def parts() -> AsyncIterator[bytes]:
        part, sent = first, 0
        while part.chunk:
            yield part.chunk
            sent += len(part.chunk)
            if sent >= part.size:
                return
            asked.offset = sent
            part = await caller.ask("archive", "GetVolume", asked, seconds=30)

    headers = _whole(first) | {"Content-Length": str(first.size)}
    return StreamingResponse(parts(), media_type=PDF, headers=headers)


@router.get("/cases/{case_id}/pages", response_model=answer(pb.ListPagesAnswer), summary="案卷的页")
async def list_pages(
    case_id: Id, caller: SignedIn, volume: IdQuery = "", hidden_too: bool = False,
    state: Annotated[Literal["", "current", "replaced", "discarded"], Query()] = "", reason: Reason = "",
    cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """In the order of the dossier; pages of the internal volume only for who may open it."""
    asked = pb.ListPagesRequest(case_id=case_id, volume=volume, hidden_too=hidden_too, state=state, cursor=cursor,
                                limit=limit, reason=reason)  # fmt: skip
    return reply(await caller.ask("archive", "ListPages", asked))


@router.get("/scan-piles/{pile_id}/pages", response_model=answer(pb.ListPagesAnswer), summary="一叠扫描件的页")
async def list_pile_pages(
    pile_id: Id, caller: SignedIn, hidden_too: bool = False, cursor: Cursor = "", limit: Limit = 20
) -> Response:
    """As scanned."""
    asked = pb.ListPagesRequest(pile_id=pile_id, hidden_too=hidden_too, cursor=cursor, limit=limit)
    return reply(await caller.ask("archive", "ListPages", asked))


@router.post("/cases/{case_id}/page-order", response_model=answer(pb.OrderPagesAnswer), summary="调整页序")
async def order_pages(case_id: Id, body: Order, caller: SignedIn) -> Response:
    """A new order within one catalogue item."""
    return reply(await caller.ask("archive", "OrderPages", parse(body, pb.OrderPagesRequest, case_id=case_id)))


@router.get("/pages/{page_id}", response_model=answer(pb.Page), summary="页")
async def get_page(page_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """One page."""
    return reply(await caller.ask("archive", "GetPage", pb.GetPageRequest(page_id=page_id, reason=reason)))


@router.get("/pages/{page_id}/image", summary="页的图像", responses=_shown(JPEG, PNG), response_class=Response)
async def get_page_image(
    page_id: Id, caller: SignedIn, kind: Annotated[Literal["cleaned", "original", "thumbnail"], Query()] = "cleaned",
    reason: Reason = "",
) -> Response:  # fmt: skip
    """The cleaned copy, the page as it was scanned, or a small picture; each look is recorded."""
    asked = pb.GetPageImageRequest(page_id=page_id, kind=kind, reason=reason)
    found = await caller.ask("archive", "GetPageImage", asked, seconds=70)
    return Response(found.content, media_type=found.media_type, headers=_named(found.file_name))


@router.get("/pages/{page_id}/text", response_model=answer(pb.PageText), summary="页的识别文本")
async def get_page_text(page_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """What was read, with the place of every line on the copy."""
    return reply(await caller.ask("archive", "GetPageText", pb.GetPageRequest(page_id=page_id, reason=reason)))


@router.post("/pages/{page_id}/arrangement", response_model=answer(pb.Page), summary="编目、旋转、隐藏")
async def arrange_page(page_id: Id, body: Arrangement, caller: SignedIn, version: IfMatch) -> Response:
    """Put a page into a catalogue item, turn it, hide or show it."""
    asked = parse(body, pb.ArrangePageRequest, page_id=page_id, if_version=version)
    return reply(await caller.ask("archive", "ArrangePage", asked))


@router.post("/pages/{page_id}/replacement", response_model=answer(pb.Page), summary="重扫替换")
async def replace_page(page_id: Id, body: Replacement, caller: SignedIn, version: IfMatch) -> Response:
    """A page scanned anew takes its place; the old one is kept."""
    asked = parse(body, pb.ReplacePageRequest, page_id=page_id, if_version=version)
    return reply(await caller.ask("archive", "ReplacePage", asked))
