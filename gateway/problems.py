"""RFC 9457 answers: what was wrong, where, and what to do, in Chinese."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from services.kit.errors import DomainError, InternalError, InvalidInputError, problem

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("anjuan.gateway")

_WORDS = {
    "missing": "必填", "string_too_short": "不能少于{min_length}个字", "string_too_long": "不能超过{max_length}个字",
    "extra_forbidden": "不认识的字段", "string_pattern_mismatch": "格式不符，应符合 {pattern}",
    "literal_error": "不在允许的取值之内，只能是 {expected}", "date_from_datetime_parsing": "日期应写作 YYYY-MM-DD",
    "int_parsing": "应为整数", "int_type": "应为整数", "int_from_float": "应为整数", "float_parsing": "应为数值",
    "float_type": "应为数值", "greater_than_equal": "不能小于 {ge}", "less_than_equal": "不能大于 {le}",
    "too_long": "不能超过{max_length}项", "too_short": "不能少于{min_length}项", "string_type": "应为文字",
    "list_type": "应为列表", "dict_type": "应为对象", "model_attributes_type": "应为对象",
    "bool_parsing": "应为 true 或 false", "bool_type": "应为 true 或 false",
    "string_unicode": "不是合法的文字", "int_parsing_size": "数值过大",
} | dict.fromkeys(("timezone_aware", "datetime_type", "datetime_parsing", "datetime_from_date_parsing",
                   "datetime_object_invalid"), "应写作带时区的时间，如 2025-03-03T09:00:00+08:00") | {
    "date_type": "日期应写作 YYYY-MM-DD", "date_parsing": "日期应写作 YYYY-MM-DD",
}  # fmt: skip
_STATUS = {400: ("请求无法读懂", "请求内容不是合法的 UTF-8 或 JSON，请检查后重新提交"),
           404: ("没有这个地址", "没有这个地址，请查阅 /docs"),
           405: ("不支持的方法", "该地址不支持此方法，请查阅 /docs")}  # fmt: skip


class UnsupportedTypeError(DomainError):
    """The body's media type is not the one that this address takes."""

    slug, title, http, grpc = "unsupported-media-type", "内容类型不符", 415, "INVALID_ARGUMENT"


def require_type(request: Request, wanted: str) -> None:
    """Raises UnsupportedTypeError unless the body is announced as that media type."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != wanted:
        raise UnsupportedTypeError(f"Content-Type 应为 {wanted}")


class FieldProblem(BaseModel):
    """One wrong field."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """The body of every answer from 400 upward."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FieldProblem] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for code, text in (
        (400, "请求无法读懂"), (401, "未登录"), (403, "无权"), (404, "未找到"), (409, "状态已变化"),
        (412, "版本已过期"), (413, "过大"), (415, "内容类型不符"), (422, "内容有误或依法不能办理"),
        (428, "须指明所依据的版本"), (429, "过于频繁"), (503, "暂不可用"),
    )
}  # fmt: skip


def answer(request: Request, error: DomainError) -> JSONResponse:
    """The problem+json answer of an error."""
    request_id = getattr(request.state, "request_id", "")
    headers = {}
    if error.slug == "case-not-known":
        headers["Retry-After"] = "1"
    if error.slug in ("rate-limited", "unavailable"):
        headers["Retry-After"] = str(error.context.get("retry_after", 1))
    if error.slug == "not-signed-in":
        headers["WWW-Authenticate"] = "Bearer"
    body = problem(error, request.url.path, request_id)
    return JSONResponse(body, error.http, headers, MEDIA_TYPE)


def _pointer(location: tuple[Any, ...]) -> str:
    where, *rest = location or ("",)
    path = "/".join(_shown(str(part)).replace("~", "~0").replace("/", "~1") for part in rest)
    return f"/{path}" if where == "body" else f"{where}:{path}"


def _shown(text: str) -> str:
    """Half a surrogate pair in a field's name cannot be sent back."""
    return text.encode("utf-8", "replace").decode()


def _place(error: Any) -> str:
    """Of JSON that cannot be read only the position is known, which is no field."""
    return "" if error["type"] == "json_invalid" else _pointer(error["loc"])


def _words(error: Any) -> str:
    known = {name: _shown(str(value)).replace(" or ", "、") for name, value in error.get("ctx", {}).items()}
    if error["type"] == "json_invalid":
        return f"不是合法的 JSON（第{int(error['loc'][-1]) + 1}个字符处）"
    return _WORDS.get(error["type"], "填写有误").format(**known)


def _invalid(error: RequestValidationError) -> DomainError:
    fields = [{"pointer": _place(e), "detail": _words(e)} for e in error.errors()]
    return InvalidInputError("有字段填写有误，请按 errors 逐项修改后重新提交", fields)


def install(app: FastAPI) -> None:
    """Every way a request can fail ends in a problem."""

    @app.exception_handler(DomainError)
    async def _domain(request: Request, error: DomainError) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, _invalid(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        title, detail = _STATUS.get(error.status_code, ("请求无法办理", f"请求无法办理（HTTP {error.status_code}）"))
        body = problem(InvalidInputError(detail), request.url.path, getattr(request.state, "request_id", ""))
        told = {"status": error.status_code, "type": f"urn:anjuan:problem:http-{error.status_code}", "title": title}
        body |= told
        headers = dict(error.headers or {})
        return JSONResponse(body, error.status_code, headers, MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        log.exception("request_failed", exc_info=error)
        return answer(request, InternalError("系统内部错误，已记录，请稍后重试或联系管理员"))
