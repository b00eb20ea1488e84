"""Each person's inbox."""

from __future__ import annotations

from fastapi import APIRouter, Response

from anjuan.notices.v1 import notices_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Cursor, Id, Limit, reply
from gateway.shapes import answer

router = APIRouter(prefix=PREFIX, tags=["通知"])


@router.get("/notices", response_model=answer(pb.ListNoticesAnswer), summary="我的通知")
async def list_notices(caller: SignedIn, unread: bool = False, cursor: Cursor = "", limit: Limit = 20) -> Response:
    """The caller's own notices, newest first."""
    asked = pb.ListNoticesRequest(unread=unread, cursor=cursor, limit=limit)
    return reply(await caller.ask("notices", "ListNotices", asked))


@router.post("/notices/{notice_id}/reading", response_model=answer(pb.Notice), summary="标为已读")
async def mark_read(notice_id: Id, caller: SignedIn) -> Response:
    """Read; the first time counts."""
    return reply(await caller.ask("notices", "MarkRead", pb.MarkReadRequest(notice_id=notice_id)))
