"""The only door: HTTP and JSON outside, gRPC inside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from gateway import pages, problems
from gateway.auth import COOKIE, TokenCache
from gateway.clients import Rooms
from gateway.openapi import install as install_openapi
from gateway.routes import ALL
from gateway.settings import GatewaySettings
from services.kit import clock
from services.kit.errors import InvalidInputError, RateLimitedError, TooLargeError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_OPEN_DOORS = re.compile(r"/api/v1/(session|accounts|stations|stations/[^/]+/token)")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _credential(request: Request) -> str:
    """A short name of what the caller shows; the credential itself is not kept."""
    shown = request.headers.get("authorization") or request.cookies.get(COOKIE) or ""
    return hashlib.sha256(shown.encode()).hexdigest()[:32] if shown else ""


class Limits:
    """Requests per minute: each address, each credential; doors that are open to anybody narrower, by address.

    An address carries many people (a court behind one line), so its measure is ten times a caller's; a made-up
    credential therefore gains nothing over the address it comes from.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._one = RateLimitItemPerMinute(settings.rate_per_minute)
        self._all = RateLimitItemPerMinute(settings.rate_per_minute * 10)
        self._sign_in = RateLimitItemPerMinute(settings.sign_in_per_minute)

    def check(self, request: Request) -> RateLimitedError | None:
        """The refusal, when this request is one too many."""
        address, shown = _address(request), _credential(request)
        hits = [(self._all, f"address:{address}")]
        if request.method == "POST" and _OPEN_DOORS.fullmatch(request.url.path):
            hits.append((self._sign_in, f"open:{address}"))
        elif shown:
            hits.append((self._one, f"shown:{shown}"))
        else:
            hits.append((self._one, f"nobody:{address}"))
        if all(self._limiter.hit(item, who) for item, who in hits):
            return None
        return RateLimitedError("请求过于频繁，请一分钟后再试", retry_after=60)


def _too_large(request: Request, settings: GatewaySettings) -> bool:
    announced = request.headers.get("content-length", "0")
    largest = settings.largest_chunk if request.url.path.startswith("/api/v1/uploads") else settings.largest_json
    if request.url.path == "/api/v1/packs" or request.url.path.endswith("/content"):
        largest = settings.largest_chunk
    return announced.isdigit() and int(announced) > largest


def _early_refusal(request: Request, settings: GatewaySettings, limits: Limits) -> Response | None:
    if refusal := limits.check(request):
        return problems.answer(request, refusal)
    if _too_large(request, settings):
        return problems.answer(request, TooLargeError("请求内容过大，请分次提交或使用断点上传"))
    if "transfer-encoding" in request.headers and not request.url.path.startswith("/api/v1/uploads"):
        return problems.answer(request, InvalidInputError("请求须带 Content-Length"))
    return None


class Frame:
    """Around every request: its id, the limits, the headers that each answer bears. Plain ASGI, for it is cheap."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self.app, self.settings, self.limits = app, settings, Limits(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        sent = request.headers.get("x-request-id", "")
        request.state.request_id = sent if _REQUEST_ID.fullmatch(sent) else clock.new_id()
        answer = _early_refusal(request, self.settings, self.limits) or self.app
        await answer(scope, receive, partial(_framed, request, send))


async def _framed(request: Request, send: Send, message: ASGIMessage) -> None:
    if message["type"] == "http.response.start":
        headers = MutableHeaders(scope=message)
        headers["X-Request-Id"] = request.state.request_id
        if not request.url.path.startswith("/assets/"):  # their names carry their hash
            headers.setdefault("Cache-Control", "no-store")
        headers["X-Content-Type-Options"] = "nosniff"
    await send(message)


def create(settings: GatewaySettings) -> FastAPI:
    """The application."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.rooms = Rooms(settings.rpc, settings.call_seconds)
        yield
        await app.state.rooms.close()

    app = FastAPI(title="案卷 Anjuan", version="1", openapi_url="/openapi.json", docs_url="/docs", redoc_url=None,
                  lifespan=life, description="法院与行政执法机关案件管理平台接口", redirect_slashes=False)
    app.state.settings, app.state.tokens = settings, TokenCache()
    app.add_middleware(Frame, settings=settings)
    problems.install(app)
    for router in ALL:
        app.include_router(router, responses=problems.RESPONSES)
    install_openapi(app)
    pages.install(app)
    return app
