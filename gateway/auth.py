"""Who calls: a bearer token, or the browser's cookie session (backend for frontend)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import jwt
from fastapi import Depends, Header, Request, Response
from google.protobuf.message import Message

from anjuan.identity.v1.identity_pb2 import RenewTokenRequest, Session
from gateway.clients import Rooms
from gateway.settings import GatewaySettings
from services.kit import clock
from services.kit.errors import InvalidInputError, NotAllowedError, NotSignedInError

COOKIE = "anjuan_session"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_RENEW_BEFORE = 60.0
_ETAG = re.compile(r'(?:W/)?("?)([0-9]{1,18})\1')
_PRINTABLE, _SAME = r"^[!-~]*$", "同一请求重发时使用同一个键"


class TokenCache:
    """Short-lived tokens of cookie sessions in this process; identity keeps the sessions themselves."""

    def __init__(self, largest: int = 20_000) -> None:
        self._kept: dict[str, tuple[str, float]] = {}
        self._largest = largest

    def get(self, session_id: str) -> str:
        """A token with more than a minute left, or an empty text."""
        token, until = self._kept.get(session_id, ("", 0.0))
        return token if until - _RENEW_BEFORE > clock.monotonic() else ""

    def put(self, session: Session) -> None:
        """Remember a token; the oldest entries give way."""
        if len(self._kept) >= self._largest:
            self._kept.pop(next(iter(self._kept)))
        self._kept[session.session_id] = (session.token, clock.monotonic() + session.expires_in_seconds)

    def forget(self, session_id: str) -> None:
        """After sign-out or a switch of body."""
        self._kept.pop(session_id, None)


@dataclass(frozen=True)
class Caller:
    """One request's way to the rooms, in its caller's name."""

    rooms: Rooms
    token: str
    key: str
    request_id: str

    async def ask(self, room: str, method: str, request: Message, seconds: float | None = None) -> Any:
        """Call a room; raises DomainError as it refused."""
        return await self.rooms.call(
            room, method, request, token=self.token, key=self.key, request_id=self.request_id, seconds=seconds
        )

    @property
    def claims(self) -> dict[str, Any]:
        """What the token says, unchecked: for rate limits and display only; rooms check it."""
        return jwt.decode(self.token, options={"verify_signature": False}) if self.token else {}


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:  # no address at all
        return False


async def _cookie_token(request: Request, rooms: Rooms, cache: TokenCache) -> str:
    session_id = request.cookies.get(COOKIE, "")
    if not session_id:
        return ""
    if request.method not in _SAFE and not _same_origin(request):
        raise NotAllowedError("请求来自其他网站，已拒绝")
    if token := cache.get(session_id):
        return token
    try:
        session = await rooms.call("identity", "RenewToken", RenewTokenRequest(session_id=session_id))
    except NotSignedInError:  # an ended session is nobody's: it must not keep the person from signing in
        cache.forget(session_id)
        return ""
    session.session_id = session_id
    cache.put(session)
    return str(session.token)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise NotSignedInError("仅支持 Bearer 凭证")
    if not (token.isascii() and token.isprintable()):  # nothing else travels in gRPC metadata
        raise NotSignedInError("登录凭证无效，请重新登录")
    return token.strip()


async def anyone(
    request: Request,
    idempotency_key: Annotated[str, Header(max_length=200, pattern=_PRINTABLE, description=_SAME)] = "",
) -> Caller:
    """The caller, signed in or not."""
    state = request.app.state
    token = _bearer(request) or await _cookie_token(request, state.rooms, state.tokens)
    return Caller(state.rooms, token, idempotency_key, request.state.request_id)


async def signed_in(caller: Annotated[Caller, Depends(anyone)]) -> Caller:
    """The caller; raises NotSignedInError without a token."""
    if not caller.token:
        raise NotSignedInError("请先登录")
    return caller


Anyone = Annotated[Caller, Depends(anyone)]
SignedIn = Annotated[Caller, Depends(signed_in)]


def set_cookie(response: Response, session_id: str, settings: GatewaySettings) -> None:
    """The browser's only secret: out of reach of scripts and of other sites."""
    response.set_cookie(
        COOKIE, session_id, httponly=True, samesite="strict", secure=settings.secure_cookies, path="/",
        max_age=12 * 3600,
    )


async def if_match(if_match: Annotated[str, Header(description='读取时的 ETag，例如 "3"')] = "") -> int:
    """The version in If-Match; 0 without the header.

    Raises:
        InvalidInputError: not an ETag of ours.
    """
    if if_match.strip() in ("", "*"):
        return 0
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        wrong = [{"pointer": "header:If-Match", "detail": "格式不符"}]
        raise InvalidInputError('If-Match 应为读取时返回的 ETag，例如 "3"', wrong)
    return int(found[2])


IfMatch = Annotated[int, Depends(if_match)]
