"""gRPC doors: who calls, what goes wrong, and how the caller hears of it."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import grpc
from google.protobuf.message import Message

from services.kit import clock, errors
from services.kit.database import traceparent
from services.kit.errors import DomainError, InvalidInputError, UnavailableError
from services.kit.identity import Actor, read_token

if TYPE_CHECKING:
    from services.kit.run import Host

PROBLEM = "anjuan-problem-bin"
LARGEST_MESSAGE = 20 * 1024 * 1024
LARGEST_PROBLEM = 256 * 1024
LONGEST_DETAIL = 2_000
log = logging.getLogger("anjuan.rpc")
ANONYMOUS = Actor(kind="anonymous", person_id="", name="")
# UNAVAILABLE is safe to send again: every call carries an idempotency key (metadata), reads change nothing.
_RETRY = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})  # fmt: skip
_OPTIONS = [
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    # a problem with hundreds of wrong fields comes in the trailing metadata, for which 8 KB is the default
    ("grpc.max_metadata_size", 4 * LARGEST_PROBLEM),
    ("grpc.absolute_max_metadata_size", 8 * LARGEST_PROBLEM),
]


@dataclass(frozen=True)
class Call:
    """The call being answered in this thread. `token` is passed on to neighbours unchanged."""

    actor: Actor
    key: str
    request_id: str
    token: str


_call: ContextVar[Call] = ContextVar("call")


def call() -> Call:
    """The call of this thread; raises LookupError outside a handler."""
    return _call.get()


def signed_in() -> Actor:
    """The caller.

    Raises:
        NotSignedInError: an anonymous call.
    """
    actor = call().actor
    if actor.kind == "anonymous":
        raise errors.NotSignedInError("请先登录")
    return actor


class _Door(grpc.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Reads token, key and trace of each call; turns a DomainError into a status with its problem."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._public_key: bytes | None = None

    def intercept_service(self, continuation: Callable[..., Any], details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        if handler is None or handler.unary_unary is None or details.method.startswith("/grpc."):
            return handler
        inner = handler.unary_unary

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            return self._answer(inner, details.method, request, context)

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)

    def _answer(self, inner: Callable[..., Any], method: str, request: Any, context: grpc.ServicerContext) -> Any:
        sent = dict(context.invocation_metadata() or ())
        try:
            _call.set(self._read(sent))
            traceparent.set(str(sent.get("traceparent", "")))
            require_storable(request)
            return inner(request, context)
        except DomainError as error:
            return refuse(context, error)
        except Exception as error:
            if getattr(context, "code", lambda: None)() is not None:  # the handler itself has aborted
                raise
            fault, where = _fault(error), {"method": method, "request_id": sent.get("request-id", "")}
            if isinstance(fault, UnavailableError):  # an outage, not a fault of ours: one line, no traceback
                log.warning("rpc_unavailable", extra=where | {"error": str(error).partition("\n")[0][:200]})
            else:
                log.exception("rpc_failed", extra=where)
            return refuse(context, fault)

    def _read(self, sent: Mapping[str, Any]) -> Call:
        token = str(sent.get("authorization", "")).removeprefix("Bearer ")
        actor = read_token(token, self.host.settings.site, self._key()) if token else ANONYMOUS
        return Call(actor, str(sent.get("idempotency-key", "")), str(sent.get("request-id", "")), token)

    def _key(self) -> bytes:
        if self._public_key is None:
            self._public_key = self.host.settings.token_public_key.read_bytes()
        return self._public_key


def require_storable(request: Message) -> None:
    """What PostgreSQL text and JSON can hold: no NUL in a string, no number that is none.

    Raises:
        InvalidInputError: naming the field.
    """
    for field, value in request.ListFields():
        for one in _each(field, value):
            if isinstance(one, Message):
                require_storable(one)
            elif (isinstance(one, str) and "\0" in one) or (isinstance(one, float) and not math.isfinite(one)):
                where = [{"pointer": f"/{field.name}", "detail": "含有不能保存的字符或数值"}]
                raise InvalidInputError("内容含有不能保存的字符（NUL）或数值（NaN、无穷），请删除后重试", where)


def _each(field: Any, value: Any) -> Iterable[Any]:
    if not field.is_repeated:
        return (value,)
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    return (*value.keys(), *value.values()) if is_map else value


def _fault(error: Exception) -> DomainError:
    """A fault of ours or an outage below: the first may be reported, the second sent again."""
    if away := errors.outage(error):
        return UnavailableError(f"{away}暂不可用，请稍后重试")
    return errors.InternalError("系统内部错误，已记录，请稍后重试或联系管理员")


def refuse(context: grpc.ServicerContext, error: DomainError) -> Any:
    """End the call with the error's status; the problem travels in trailing metadata, which is bounded."""
    context.set_trailing_metadata(((PROBLEM, _bounded(error)),))
    context.abort(getattr(grpc.StatusCode, error.grpc), error.detail[:LONGEST_DETAIL])


def _bounded(error: DomainError) -> bytes:
    """The problem as JSON; of too many wrong fields only the first, and the sentence says of how many."""
    said = error.detail[:LONGEST_DETAIL]
    body = {"slug": error.slug, "detail": said, "fields": error.fields, "context": error.context}
    while len(told := json.dumps(body, ensure_ascii=False).encode()) > LARGEST_PROBLEM:
        kept = error.fields[: len(body["fields"]) // 2]
        detail = f"{said}（共{len(error.fields)}处有误，只列出前{len(kept)}处）"
        body |= {"detail": detail, "fields": kept, "context": error.context if kept else {}}
    return told


def error_of(failure: grpc.RpcError) -> DomainError:
    """The DomainError behind a failed call; a neighbour that is down or slow is UnavailableError."""
    answered = cast(grpc.Call, failure)
    trailing = dict(answered.trailing_metadata() or ())
    if PROBLEM in trailing:
        problem = json.loads(trailing[PROBLEM])
        kind = errors.BY_SLUG.get(problem["slug"], DomainError)
        return kind(problem["detail"], problem["fields"], **problem["context"])
    return UnavailableError("相关服务暂不可用，请稍后重试", reason=str(answered.code().name))


def metadata(token: str, *, key: str = "", request_id: str = "") -> list[tuple[str, str]]:
    """What a call carries onward; the trace goes along by itself.

    Without a key it gets one of its own: the channel may send it twice, and a write must not happen twice.
    """
    pairs = (("authorization", f"Bearer {token}" if token else ""), ("idempotency-key", key or clock.new_id()),
             ("request-id", request_id), ("traceparent", traceparent.get()))  # fmt: skip
    return [(name, value) for name, value in pairs if value]


def channel(address: str) -> grpc.Channel:
    """A channel that retries UNAVAILABLE."""
    return grpc.insecure_channel(address, options=client_options())


def client_options() -> list[tuple[str, Any]]:
    """Channel options of every client."""
    return [*_OPTIONS, ("grpc.service_config", _RETRY), ("grpc.enable_retries", 1)]


def invoke(method: Callable[..., Any], request: Any, *, token: str = "", key: str = "", timeout: float = 10.0) -> Any:
    """Call a stub's method in the name of the token's holder.

    Raises:
        DomainError: as the neighbour refused, or UnavailableError.
    """
    try:
        return method(request, timeout=timeout, metadata=metadata(token, key=key))
    except grpc.RpcError as failure:
        raise error_of(failure) from failure


def serve(
    host: Host, registrations: Sequence[Callable[[grpc.Server], None]], address: str, threads: int = 16
) -> grpc.Server:
    """A server with the room's servicers, bound but not started.

    Raises:
        RuntimeError: the address is taken.
    """
    options = [*_OPTIONS, ("grpc.so_reuseport", 0)]
    pool = ThreadPoolExecutor(threads, thread_name_prefix=f"{host.name}-rpc")
    server = grpc.server(pool, interceptors=[_Door(host)], options=options)
    for register in registrations:
        register(server)
    server.add_insecure_port(address)
    return server
