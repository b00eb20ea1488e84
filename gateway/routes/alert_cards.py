"""Yellow and red cards."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from anjuan.supervision.v1 import supervision_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Cursor, IdQuery, Limit, reply
from gateway.shapes import answer

router = APIRouter(prefix=PREFIX, tags=["督办"])


@router.get("/alert-cards", response_model=answer(pb.ListAlertCardsAnswer), summary="黄牌红牌")
async def list_alert_cards(
    caller: SignedIn, body_id: IdQuery = "", case_id: IdQuery = "",
    level: Annotated[Literal["", "yellow", "red"], Query()] = "", cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """Cards of a body or a case."""
    asked = pb.ListAlertCardsRequest(case_id=case_id, body_id=body_id, level=level, cursor=cursor, limit=limit)
    return reply(await caller.ask("supervision", "ListAlertCards", asked))
