"""Hearings: room, time, panel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from anjuan.workflow.v1 import workflow_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Body, Cursor, Id, IdQuery, IdText, Limit, Name, reply
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["开庭"])


class NewHearing(Body):
    """A hearing to be scheduled."""

    case_id: Annotated[str, Field(min_length=1, max_length=64)]
    room: Name
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    panel_ids: Annotated[list[IdText], Field(max_length=20)] = []
    kind: Annotated[str, Field(pattern="^[a-z_]{0,40}$")] = "trial"


@router.post("/hearings", response_model=answer(pb.Hearing), status_code=201, summary="排期")
async def schedule(body: NewHearing, caller: SignedIn) -> Response:
    """Schedule; a clash of room or panel is refused and named."""
    return reply(await caller.ask("workflow", "ScheduleHearing", parse(body, pb.ScheduleHearingRequest)), 201)


class Cancellation(Body):
    """Why the hearing does not take place."""

    reason: Name


@router.post("/hearings/{hearing_id}/cancellation", response_model=answer(pb.Hearing), summary="撤销排期")
async def cancel(hearing_id: Id, body: Cancellation, caller: SignedIn) -> Response:
    """Cancel; room and panel are free again."""
    asked = parse(body, pb.CancelHearingRequest, hearing_id=hearing_id)
    return reply(await caller.ask("workflow", "CancelHearing", asked))


@router.get("/hearings", response_model=answer(pb.ListHearingsAnswer), summary="开庭列表")
async def list_hearings(
    caller: SignedIn, body_id: IdQuery = "", case_id: IdQuery = "",
    from_at: Annotated[AwareDatetime | None, Query()] = None, to_at: Annotated[AwareDatetime | None, Query()] = None,
    cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """Hearings of a body or a case within a span."""
    asked = pb.ListHearingsRequest(body_id=body_id, case_id=case_id, cursor=cursor, limit=limit,
                                   to=to_at.isoformat() if to_at else "")  # fmt: skip
    setattr(asked, "from", from_at.isoformat() if from_at else "")
    return reply(await caller.ask("workflow", "ListHearings", asked))
