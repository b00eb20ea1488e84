"""Clocks across cases."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from anjuan.supervision.v1 import supervision_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Cursor, DayQuery, Id, IdQuery, Limit, reply
from gateway.shapes import answer

router = APIRouter(prefix=PREFIX, tags=["期限"])
State = Literal["", "running", "suspended", "stopped", "overdue"]


@router.get("/clocks", response_model=answer(pb.ListClocksAnswer), summary="期限列表")
async def list_clocks(
    caller: SignedIn, body_id: IdQuery = "", state: Annotated[State, Query()] = "", due_to: DayQuery = "",
    cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """Clocks of a body by due day."""
    asked = pb.ListClocksRequest(body_id=body_id, state=state, due_to=due_to, cursor=cursor, limit=limit)
    return reply(await caller.ask("supervision", "ListClocks", asked))


@router.get("/clocks/{clock_id}", response_model=answer(pb.Clock), summary="期限（为什么是这一天）")
async def get_clock(clock_id: Id, caller: SignedIn) -> Response:
    """One clock with its ledger and the steps of its count."""
    return reply(await caller.ask("supervision", "GetClock", pb.GetClockRequest(clock_id=clock_id)))
