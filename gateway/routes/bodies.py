"""Courts and bureaus, and the people in them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from anjuan.identity.v1 import identity_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Cursor, Id, IdQuery, Limit, WordsQuery, reply
from gateway.shapes import answer

router = APIRouter(prefix=PREFIX, tags=["机构人员"])


@router.get("/bodies", response_model=answer(pb.ListBodiesAnswer), summary="机构列表")
async def list_bodies(
    caller: SignedIn, parent_id: IdQuery = "", kind: Annotated[Literal["", "court", "bureau"], Query()] = "",
    name: WordsQuery = "", cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """Bodies under one body, or by name."""
    asked = pb.ListBodiesRequest(parent_id=parent_id, kind=kind, name_contains=name, cursor=cursor, limit=limit)
    return reply(await caller.ask("identity", "ListBodies", asked))


@router.get("/bodies/{body_id}", response_model=answer(pb.Body), summary="机构")
async def get_body(body_id: Id, caller: SignedIn) -> Response:
    """One body."""
    return reply(await caller.ask("identity", "GetBody", pb.GetBodyRequest(body_id=body_id)))


@router.get("/people", response_model=answer(pb.ListPeopleAnswer), summary="人员列表")
async def list_people(
    caller: SignedIn, body_id: IdQuery = "", role: IdQuery = "", cursor: Cursor = "", limit: Limit = 20
) -> Response:
    """People of a body."""
    asked = pb.ListPeopleRequest(body_id=body_id, role=role, cursor=cursor, limit=limit)
    return reply(await caller.ask("identity", "ListPeople", asked))
