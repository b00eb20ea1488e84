"""Scanning stations: enrol once with a key, be approved, ask for tokens."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from anjuan.identity.v1 import identity_pb2 as pb
from gateway.auth import Anyone, SignedIn
from gateway.routes.shared import PREFIX, Body, Cursor, Id, IdQuery, Limit, Name, Words, reply
from gateway.shapes import answer, plain

router = APIRouter(prefix=PREFIX, tags=["扫描站"])


class Enrol(Body):
    """A station's request; the key is Ed25519, 32 raw bytes."""

    name: Name
    body_id: Annotated[str, Field(min_length=1, max_length=64)]
    public_key: Annotated[str, Field(pattern="^[A-Za-z0-9+/]{43}=$", description="base64")]


class Decide(Body):
    """Approve or revoke."""

    decision: Literal["approve", "revoke"]
    reason: Words = ""


class Proof(Body):
    """Signature over "anjuan-station:<station_id>:<signed_at>"."""

    signed_at: Annotated[str, Field(min_length=10, max_length=40)]
    signature: Annotated[str, Field(pattern="^[A-Za-z0-9+/]{86}==$", description="base64")]


@router.post("/stations", response_model=answer(pb.Station), status_code=201, summary="扫描站登记")
async def enrol(body: Enrol, caller: Anyone) -> Response:
    """Ask to be approved."""
    key = base64.b64decode(body.public_key)
    asked = pb.EnrolStationRequest(name=body.name, body_id=body.body_id, public_key=key)
    station = await caller.ask("identity", "EnrolStation", asked)
    return reply(station, 201)


@router.get("/stations", response_model=answer(pb.ListStationsAnswer), summary="扫描站列表")
async def list_stations(caller: SignedIn, body_id: IdQuery = "", cursor: Cursor = "", limit: Limit = 20) -> Response:
    """Stations of a body."""
    asked = pb.ListStationsRequest(body_id=body_id, cursor=cursor, limit=limit)
    return reply(await caller.ask("identity", "ListStations", asked))


@router.post("/stations/{station_id}/decision", response_model=answer(pb.Station), summary="批准或吊销扫描站")
async def decide(station_id: Id, body: Decide, caller: SignedIn) -> Response:
    """Approve or revoke a station."""
    asked = pb.DecideStationRequest(station_id=station_id, decision=body.decision, reason=body.reason)
    return reply(await caller.ask("identity", "DecideStation", asked))


@router.post("/stations/{station_id}/token", response_model=answer(pb.Session), status_code=201, summary="换取凭证")
async def token(station_id: Id, body: Proof, caller: Anyone) -> Response:
    """A token of ten minutes against a fresh signature."""
    signed = base64.b64decode(body.signature)
    asked = pb.StationTokenRequest(station_id=station_id, signed_at=body.signed_at, signature=signed)
    return JSONResponse(plain(await caller.ask("identity", "StationToken", asked)), 201)
