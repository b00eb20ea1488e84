"""Parties' accounts: opened by anybody, confirmed or blocked at a counter."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from anjuan.identity.v1 import identity_pb2 as pb
from gateway.auth import Anyone, SignedIn
from gateway.routes.shared import PREFIX, Body, Id, Name, reply
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["当事人账户"])
IdKind = Literal["resident_id", "uscc"]
IdNumber = Annotated[str, StringConstraints(min_length=15, max_length=20, pattern=r"^[0-9A-Za-z]+$")]


class OpenAccount(Body):
    """A party's own account under an identity number; it proves nothing until a counter confirms it."""

    name: Name
    id_kind: IdKind
    id_number: Annotated[str, StringConstraints(min_length=15, max_length=20)]
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+-]{6,20}$")]
    password: Annotated[str, StringConstraints(min_length=10, max_length=200, strip_whitespace=False)]


class Document(Body):
    """The document that somebody shows at the counter."""

    id_kind: IdKind
    id_number: IdNumber


class Confirmation(Body):
    """The code of the counter."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]


class Block(Body):
    """Why nobody comes in by the account any more."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


@router.post("/accounts", response_model=answer(pb.Account), status_code=201, summary="当事人注册账户")
async def open_account(body: OpenAccount, caller: Anyone) -> Response:
    """Open an account."""
    return reply(await caller.ask("identity", "RegisterAccount", parse(body, pb.RegisterAccountRequest)), 201)


@router.post("/accounts/inquiry", response_model=answer(pb.Account), summary="凭证件查询账户")
async def find_account(body: Document, caller: SignedIn) -> Response:
    """The account of whoever shows this document; only a confirmed one can be linked to a party. No number in a URL."""
    return reply(await caller.ask("identity", "FindAccount", parse(body, pb.FindAccountRequest)))


@router.post(
    "/accounts/{account_id}/confirmation-code", response_model=answer(pb.ConfirmationCode), status_code=201,
    summary="核对证件后出具账户确认码",
)  # fmt: skip
async def issue_confirmation_code(account_id: Id, caller: SignedIn) -> Response:
    """A clerk who has seen the document gives its holder a code; the last one given is the one that is good."""
    asked = pb.IssueConfirmationCodeRequest(account_id=account_id)
    return reply(await caller.ask("identity", "IssueConfirmationCode", asked), 201)


@router.post("/accounts/confirmation", response_model=answer(pb.Account), summary="输入确认码核验账户")
async def confirm_account(body: Confirmation, caller: SignedIn) -> Response:
    """The holder enters the code while signed in."""
    return reply(await caller.ask("identity", "ConfirmAccount", parse(body, pb.ConfirmAccountRequest)))


@router.post("/accounts/{account_id}/block", response_model=answer(pb.Account), summary="停用冒名注册的账户")
async def block_account(account_id: Id, body: Block, caller: SignedIn) -> Response:
    """Nobody comes in by it any more, and its number is free to be registered again."""
    asked = parse(body, pb.BlockAccountRequest, account_id=account_id)
    return reply(await caller.ask("identity", "BlockAccount", asked))
