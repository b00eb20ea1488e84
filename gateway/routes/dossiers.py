"""Dossiers: separator sheets, pages, volumes."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from anjuan.archive.v1 import archive_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Id, IdQuery

router = APIRouter(prefix=PREFIX, tags=["电子卷宗"])
PDF = "application/pdf"


def _shown(*media_types: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    return {200: {"description": "文件内容", "content": content}}


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
