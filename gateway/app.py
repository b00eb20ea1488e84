"""The only door: HTTP and JSON outside, gRPC inside."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.responses import Response

from gateway import pages, problems
from gateway.auth import COOKIE, TokenCache
from gateway.clients import Rooms
from gateway.openapi import install as install_openapi
from gateway.routes import ALL
from gateway.settings import GatewaySettings
from services.kit import rpc
from services.kit.errors import InvalidInputError, RateLimitedError, TooLargeError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
Next = Callable[[Request], Awaitable[Response]]


def _caller_of(request: Request) -> str:
    address = request.client.host if request.client else ""
    return request.headers.get("authorization") or request.cookies.get(COOKIE) or address


class Limits:
    """Requests per minute and caller; signing in is narrower and by address."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._all = RateLimitItemPerMinute(settings.rate_per_minute)
        self._sign_in = RateLimitItemPerMinute(settings.sign_in_per_minute)

    def check(self, request: Request) -> RateLimitedError | None:
        """The refusal, when this request is one too many."""
        signing_in = request.method == "POST" and request.url.path == "/api/v1/session"
        item = self._sign_in if signing_in else self._all
        who = f"sign-in:{request.client.host if request.client else ''}" if signing_in else _caller_of(request)
        if self._limiter.hit(item, who):
            return None
        return RateLimitedError("请求过于频繁，请一分钟后再试", retry_after=60)


def _too_large(request: Request, settings: GatewaySettings) -> bool:
    announced = request.headers.get("content-length", "0")
    largest = settings.largest_chunk if request.url.path.startswith("/api/v1/uploads") else settings.largest_json
    if request.url.path == "/api/v1/packs":
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
    limits = Limits(settings)

    @app.middleware("http")
    async def _frame(request: Request, call_next: Next) -> Response:
        sent = request.headers.get("x-request-id", "")
        request.state.request_id = sent if _REQUEST_ID.fullmatch(sent) else rpc.request_id()
        response = _early_refusal(request, settings, limits) or await call_next(request)
        response.headers["X-Request-Id"] = request.state.request_id
        if not request.url.path.startswith("/assets/"):  # their names carry their hash
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    problems.install(app)
    for router in ALL:
        app.include_router(router, responses=problems.RESPONSES)
    install_openapi(app)
    pages.install(app)
    return app
