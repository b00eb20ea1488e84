"""Signing in and out, switching the acting body."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from anjuan.identity.v1 import identity_pb2 as pb
from gateway.auth import COOKIE, Anyone, SignedIn, set_cookie
from gateway.routes.shared import PREFIX, Body, IdText, Name
from gateway.shapes import answer, plain
from services.kit.errors import NotSignedInError

router = APIRouter(prefix=PREFIX, tags=["登录"])
Password = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=False)]


class SignIn(Body):
    """`mode` cookie sets the browser's session; token returns a bearer token for programs."""

    sign_in: Name
    password: Password
    acting_body_id: IdText = ""
    mode: Literal["cookie", "token"] = "cookie"


class ActingBody(Body):
    """The body to act for from now on."""

    body_id: Annotated[str, Field(min_length=1, max_length=64)]


def _told(session: pb.Session, with_token: bool) -> dict[str, Any]:
    body: dict[str, Any] = plain(session)
    body["session_id"] = ""
    if not with_token:
        body["token"] = ""
    return body


@router.post("/session", response_model=answer(pb.Session), status_code=201, summary="登录")
async def sign_in(body: SignIn, request: Request, caller: Anyone) -> Response:
    """Sign in with a password."""
    asked = pb.SignInRequest(sign_in=body.sign_in, password=body.password, acting_body_id=body.acting_body_id)
    session = await caller.ask("identity", "SignIn", asked)
    response = JSONResponse(_told(session, body.mode == "token"), 201)
    if body.mode == "cookie":
        request.app.state.tokens.put(session)
        set_cookie(response, session.session_id, request.app.state.settings)
    return response


@router.get("/session", response_model=answer(pb.Session), summary="当前登录人")
async def who_am_i(request: Request, caller: SignedIn) -> Response:
    """Who is signed in, acting for which body."""
    session_id = request.cookies.get(COOKIE, "")
    if session_id and "authorization" not in request.headers:
        session = await caller.ask("identity", "RenewToken", pb.RenewTokenRequest(session_id=session_id))
        return JSONResponse(_told(session, False))
    told = await caller.ask("identity", "WhoAmI", pb.WhoAmIRequest())
    return JSONResponse(_told(told, False))


@router.put("/session/body", response_model=answer(pb.Session), summary="切换机构")
async def act_for(body: ActingBody, request: Request, caller: SignedIn) -> Response:
    """Act for another body in which the person is appointed (cookie sessions only)."""
    session_id = request.cookies.get(COOKIE, "")
    if not session_id:
        raise NotSignedInError("凭证登录不能切换机构，请重新登录并指定 acting_body_id")
    asked = pb.RenewTokenRequest(session_id=session_id, acting_body_id=body.body_id)
    session = await caller.ask("identity", "RenewToken", asked)
    session.session_id = session_id
    request.app.state.tokens.put(session)
    return JSONResponse(_told(session, False))


@router.delete("/session", status_code=204, summary="退出")
async def sign_out(request: Request, caller: Anyone) -> Response:
    """End the session; its tokens run out within ten minutes."""
    session_id = request.cookies.get(COOKIE, "")
    if session_id and caller.token:
        await caller.ask("identity", "SignOut", pb.SignOutRequest(session_id=session_id))
    request.app.state.tokens.forget(session_id)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response
