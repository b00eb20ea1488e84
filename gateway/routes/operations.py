"""The operator's door: books, parked events, replay, the scripted legal date."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from anjuan.identity.v1 import identity_pb2 as identity
from anjuan.kit.v1 import operations_pb2 as pb
from anjuan.workflow.v1 import workflow_pb2 as wf
from gateway.auth import Caller, SignedIn
from gateway.routes.shared import PREFIX, Body, Day, Id, IdText, Name, reply
from gateway.shapes import answer, parse
from services.kit.balance import open_items
from services.kit.errors import InvalidInputError

router = APIRouter(prefix=f"{PREFIX}/operations", tags=["运维"])


class Settled(BaseModel):
    """Whether every event has arrived everywhere; `open` says what has not."""

    settled: bool
    open: list[str]


class LegalDate(Body):
    """Move a scripted tree to a later day."""

    root_body_id: Annotated[str, Field(min_length=1, max_length=64)]
    to: Day


class Replay(Body):
    """Send streams again to one listener's queue."""

    queue: Annotated[str, Field(pattern=r"^[a-z]+\.from\.[a-z]+\.v1$")]
    aggregate_id: IdText = ""


class Retry(Body):
    """Which parked event or job; empty: all of the room."""

    room: Annotated[str, Field(pattern="^[a-z]+$", max_length=40)]
    parked_id: Annotated[str, Field(max_length=300)] = ""


class Refusal(Body):
    """Why a stuck effect is given up."""

    reason: Name


async def _balances(caller: Caller) -> list[pb.Balance]:
    rooms = sorted(caller.rooms.addresses)
    asked = (caller.ask(room, "GetBalance", pb.GetBalanceRequest()) for room in rooms)
    return list(await asyncio.gather(*asked))


@router.get("/settled", response_model=Settled, summary="是否已全部送达")
async def settled(caller: SignedIn) -> Response:
    """One reading of the books; ask twice to be sure."""
    found = open_items(await _balances(caller))
    body: dict[str, Any] = {"settled": not found, "open": found}
    return JSONResponse(body)


@router.post("/legal-date", response_model=answer(identity.AdvanceLegalDateAnswer), summary="推进法定日期（演练用）")
async def advance(body: LegalDate, caller: SignedIn) -> Response:
    """Only in the scripted profile, never back."""
    asked = parse(body, identity.AdvanceLegalDateRequest)
    return reply(await caller.ask("identity", "AdvanceLegalDate", asked, seconds=300))


async def _require_listener(caller: Caller, source: str, listener: str) -> None:
    """Raises InvalidInputError unless the one room listens to the other."""
    rooms = caller.rooms.addresses
    if source in rooms and listener in rooms:
        books = await caller.ask(listener, "GetBalance", pb.GetBalanceRequest())
        if source in books.applied_by_source:
            return
    wrong = [{"pointer": "/queue", "detail": "没有这个队列"}]
    raise InvalidInputError("没有这个队列，名称形如 intake.from.workflow.v1", wrong)


@router.post("/replay", response_model=answer(pb.ReplayAnswer), summary="重放事件")
async def replay(body: Replay, caller: SignedIn) -> Response:
    """Whole streams from their first event to one queue."""
    listener, _, source, _ = body.queue.split(".")
    await _require_listener(caller, source, listener)
    return reply(await caller.ask(source, "Replay", parse(body, pb.ReplayRequest), seconds=300))


@router.post("/parked/retry", response_model=answer(pb.RetryParkedAnswer), summary="重试搁置项")
async def retry(body: Retry, caller: SignedIn) -> Response:
    """Try parked events and jobs again."""
    if body.room not in caller.rooms.addresses:
        raise InvalidInputError("没有这个服务", [{"pointer": "/room", "detail": "没有这个服务"}])
    return reply(await caller.ask(body.room, "RetryParked", pb.RetryParkedRequest(parked_id=body.parked_id)))


@router.post("/effects/{effect_id}/refusal", response_model=answer(wf.EffectState), summary="拒绝搁置的后续动作")
async def refuse_effect(effect_id: Id, body: Refusal, caller: SignedIn) -> Response:
    """Give a stuck effect up, with a reason; its node opens again."""
    asked = wf.RefuseEffectRequest(effect_id=effect_id, reason=body.reason)
    return reply(await caller.ask("workflow", "RefuseEffect", asked))
