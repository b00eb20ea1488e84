"""One table: domain error -> gRPC status -> RFC 9457 problem, each with a Chinese sentence."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class DomainError(Exception):
    """A refusal that a person can read; `slug` names the problem type, `detail` says what and what to do.

    `fields` lists {"pointer": JSON pointer, "detail": Chinese sentence} for bad input.
    """

    slug: ClassVar[str] = "domain-error"
    title: ClassVar[str] = "请求无法办理"
    http: ClassVar[int] = 422
    grpc: ClassVar[str] = "FAILED_PRECONDITION"

    def __init__(self, detail: str, fields: Sequence[Mapping[str, str]] = (), **context: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = [dict(f) for f in fields]
        self.context = context


class InvalidInputError(DomainError):
    """The request itself is wrong: mend it and send again."""
    slug, title, http, grpc = "invalid-input", "填写的内容有误", 422, "INVALID_ARGUMENT"


class NotSignedInError(DomainError):
    """No token, or an expired one."""
    slug, title, http, grpc = "not-signed-in", "请先登录", 401, "UNAUTHENTICATED"


class NotAllowedError(DomainError):
    """Known person, but the policy says no, and the object's existence is no secret."""
    slug, title, http, grpc = "not-allowed", "无权办理", 403, "PERMISSION_DENIED"


class NotFoundError(DomainError):
    """No such object, at its owner."""
    slug, title, http, grpc = "not-found", "未找到", 404, "NOT_FOUND"


class CaseNotKnownError(DomainError):
    """Not (yet) known here, or not for this caller: one answer for both (design rule 7)."""
    slug, title, http, grpc = "case-not-known", "案件暂未同步或无权查看", 404, "NOT_FOUND"


class ConflictError(DomainError):
    """The object has moved on since the caller read it, or the step is not open."""
    slug, title, http, grpc = "conflict", "状态已变化", 409, "ABORTED"


class PreconditionError(DomainError):
    """If-Match names another version."""
    slug, title, http, grpc = "stale-version", "版本已过期", 412, "FAILED_PRECONDITION"


class VersionMissingError(InvalidInputError):
    """A change that does not say which version it was made from."""
    slug, title, http = "version-missing", "未指明所依据的版本", 428


class KeyReusedError(DomainError):
    """Idempotency-Key seen with another request."""
    slug, title, http, grpc = "idempotency-key-reused", "幂等键已用于其他请求", 422, "ALREADY_EXISTS"


class RuleRefusedError(DomainError):
    """The law or the procedure forbids it; `detail` names the article."""
    slug, title, http, grpc = "rule-refused", "依法不能办理", 422, "FAILED_PRECONDITION"


class TooLargeError(DomainError):
    """Body or file over the limit."""
    slug, title, http, grpc = "too-large", "内容过大", 413, "RESOURCE_EXHAUSTED"


class RateLimitedError(DomainError):
    """Too many requests from one caller."""
    slug, title, http, grpc = "rate-limited", "请求过于频繁", 429, "RESOURCE_EXHAUSTED"


class UnavailableError(DomainError):
    """A neighbour does not answer; the same call may be sent again."""
    slug, title, http, grpc = "unavailable", "服务暂不可用", 503, "UNAVAILABLE"


class InternalError(DomainError):
    """A fault of ours; it is logged under the request id."""
    slug, title, http, grpc = "internal-error", "系统内部错误", 500, "INTERNAL"


BY_SLUG: dict[str, type[DomainError]] = {
    c.slug: c for c in list(globals().values()) if isinstance(c, type) and issubclass(c, DomainError)
}


def require_version(read: int, now: int, moved: str) -> None:
    """Who changes a thing has read it as it is. Raises VersionMissingError, PreconditionError (it says `moved`)."""
    if not read:
        wrong = [{"pointer": "header:If-Match", "detail": "必填"}]
        raise VersionMissingError('请用请求头 If-Match 指明所依据的版本（读取时返回的 ETag，例如 "3"）', wrong)
    if read != now:
        raise PreconditionError(moved, version=now)


def problem(error: DomainError, instance: str, request_id: str) -> dict[str, Any]:
    """RFC 9457 body."""
    body: dict[str, Any] = {
        "type": f"urn:anjuan:problem:{error.slug}",
        "title": error.title,
        "status": error.http,
        "detail": error.detail,
        "instance": instance,
        "request_id": request_id,
    }
    if error.fields:
        body["errors"] = error.fields
    return {**body, **error.context}


# SQLSTATE: connection, rollback, resources, system; operator's intervention, lock not available
_PASSING = ("08", "40", "53", "58", "57P", "55P")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE, errno.EACCES, errno.ENOTDIR, errno.ENODEV)
DATABASE = "数据库"


def outage(error: BaseException) -> str:
    """What below is away, so that the same act may succeed later; empty: the act itself has failed.

    What is too large for the database (54000) or too slow (57014) is its own fault, or it would be tried for ever.
    """
    if isinstance(error, UnavailableError):
        return "相关服务"
    if isinstance(error, OSError):
        return "文件存储" if error.errno in _FULL else "相关服务" if isinstance(error, ConnectionRefusedError) else ""
    if isinstance(error, DBAPIError) and not error.connection_invalidated:
        state = getattr(error.orig, "pgcode", None) or getattr(error.orig, "sqlstate", None)
        gone = type(error) in (OperationalError, InterfaceError, DatabaseError)  # without a state: by the driver itself
        lost = state.startswith(_PASSING) if state else gone
    else:
        lost = isinstance(error, DBAPIError | PoolTimeoutError)
    return DATABASE if lost else ""
