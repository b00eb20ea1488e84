"""Filings: how every case enters."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from anjuan.intake.v1 import intake_pb2 as pb
from gateway.auth import IfMatch, SignedIn
from gateway.routes.shared import PREFIX, Body, Id, IdText, Json, Name, Sha256, Words, reply
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["收案"])


class Representative(Body):
    """Who acts for a party."""

    name: Name
    kind: Literal["lawyer", "legal_representative", "guardian", "employee", "relative", "other"]
    id_number: Words = ""
    account_id: IdText = ""


class Party(Body):
    """A party; `party_id` only when correcting a known one."""

    party_id: IdText = ""
    role: Annotated[str, Field(min_length=1, max_length=40, pattern="^[a-z_]+$")]
    kind: Literal["natural_person", "organisation"]
    name: Name
    id_kind: Literal["", "resident_id", "uscc"] = ""
    id_number: Words = ""
    address: Words = ""
    phone: Words = ""
    account_id: IdText = ""
    representatives: Annotated[list[Representative], Field(max_length=20)] = []


class Material(Body):
    """A material: a file by the hash of its stored upload; paper at a counter without one, to be scanned."""

    checklist_item: IdText = ""
    name: Name
    sha256: Sha256 | Literal[""] = ""
    size: Annotated[int, Field(ge=0, le=2**40)] = 0
    copies: Annotated[int, Field(ge=1, le=1000)] = 1
    internal: bool = False


class Reporter(Body):
    """Who reported; never a party."""

    name: Words = ""
    phone: Words = ""
    address: Words = ""
    account_id: IdText = ""


class NewFiling(Body):
    """A filing by a party or an agency; `content` is the pack's filing form."""

    body_id: Annotated[str, Field(min_length=1, max_length=64)]
    procedure_id: Annotated[str, Field(min_length=1, max_length=64, pattern="^[a-z0-9-]+$")]
    channel: Literal["party", "ex_officio", "report", "complaint", "transfer", "assigned"]
    title: Name
    cause: Words = ""
    amount_in_dispute_fen: Annotated[int, Field(ge=0, le=10**15)] = 0
    parties: Annotated[list[Party], Field(max_length=500)] = []
    materials: Annotated[list[Material], Field(max_length=500)] = []
    reporter: Reporter | None = None
    content: Json = {}


class Correction(Body):
    """What is added or replaced; the version read goes into If-Match."""

    parties: Annotated[list[Party], Field(max_length=500)] = []
    materials: Annotated[list[Material], Field(max_length=500)] = []
    content: Json | None = None


@router.post("/filings", response_model=answer(pb.SubmitFilingAnswer), status_code=201, summary="提交立案申请或线索")
async def submit_filing(body: NewFiling, caller: SignedIn) -> Response:
    """Submit; what the checklist still misses comes back in open_items, all at once."""
    filing = parse(body, pb.Filing)
    kept = await caller.ask("intake", "SubmitFiling", pb.SubmitFilingRequest(filing=filing))
    return reply(kept, 201, f"{PREFIX}/filings/{kept.filing_id}")


@router.get("/filings/{filing_id}", response_model=answer(pb.Filing), summary="立案申请")
async def get_filing(filing_id: Id, caller: SignedIn) -> Response:
    """One filing, as far as the caller may see it."""
    return reply(await caller.ask("intake", "GetFiling", pb.GetFilingRequest(filing_id=filing_id)))


@router.patch("/filings/{filing_id}", response_model=answer(pb.SubmitFilingAnswer), summary="补正")
async def correct_filing(filing_id: Id, body: Correction, caller: SignedIn, version: IfMatch) -> Response:
    """Correct a filing."""
    asked = parse(body, pb.CorrectFilingRequest, filing_id=filing_id, if_version=version)
    return reply(await caller.ask("intake", "CorrectFiling", asked))
