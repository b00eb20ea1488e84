"""Procedure packs: proposed by one person, confirmed by another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from anjuan.workflow.v1 import workflow_pb2 as pb
from gateway.auth import SignedIn
from gateway.problems import require_type
from gateway.routes.shared import PREFIX, Cursor, Limit, reply
from gateway.shapes import answer
from services.kit.errors import InvalidInputError

router = APIRouter(prefix=PREFIX, tags=["程序包"])
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_BYTES = {"requestBody": {"required": True, "content": _ZIP}}


@router.get("/packs", response_model=answer(pb.ListPacksAnswer), summary="程序包列表")
async def list_packs(caller: SignedIn, cursor: Cursor = "", limit: Limit = 20) -> Response:
    """Every pack and version."""
    return reply(await caller.ask("workflow", "ListPacks", pb.ListPacksRequest(cursor=cursor, limit=limit)))


@router.post("/packs", response_model=answer(pb.Pack), status_code=201, summary="提交程序包", openapi_extra=_BYTES)
async def publish(request: Request, caller: SignedIn) -> Response:
    """Propose a bundle (application/zip); nothing runs before a second person confirms."""
    require_type(request, "application/zip")
    bundle = await request.body()
    if not bundle:
        raise InvalidInputError("请上传程序包（application/zip）")
    return reply(await caller.ask("workflow", "PublishPack", pb.PublishPackRequest(bundle=bundle), seconds=60), 201)


@router.post("/packs/{sha256}/confirmation", response_model=answer(pb.Pack), summary="确认发布程序包")
async def confirm(sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], caller: SignedIn) -> Response:
    """Confirm another person's proposal."""
    return reply(await caller.ask("workflow", "ConfirmPack", pb.ConfirmPackRequest(sha256=sha256)))
