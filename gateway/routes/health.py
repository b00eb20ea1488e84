"""Liveness, and which rooms answer."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import BaseModel

router = APIRouter(tags=["运维"])


class Health(BaseModel):
    """`rooms` gives ok or down by room; the gateway itself answers either way."""

    status: str
    rooms: dict[str, str]


async def _ask(where: str) -> str:
    async with aio.insecure_channel(where) as channel:
        try:
            found = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        except aio.AioRpcError:
            return "down"
    return "ok" if found.status == health_pb2.HealthCheckResponse.SERVING else "down"


@router.get("/healthz", response_model=Health, summary="健康检查")
async def healthz(request: Request) -> Response:
    """200 while the gateway lives; `status` is degraded when a room is down."""
    addresses = request.app.state.settings.rpc
    answers = await asyncio.gather(*(_ask(where) for where in addresses.values()))
    rooms = dict(zip(addresses, answers, strict=True))
    down = "down" in rooms.values()
    return JSONResponse({"status": "degraded" if down else "ok", "rooms": rooms})
