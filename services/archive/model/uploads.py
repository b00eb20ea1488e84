"""Upload sessions: what is announced, what has arrived, what it became."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from services.archive.settings import GIB, MIB, SETTINGS, Allowance
from services.kit.errors import ConflictError, InvalidInputError, RateLimitedError, TooLargeError

PURPOSES = ("material", "scan_batch")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}")
# first bytes by media type: what claims to be one must look like one
_MAGIC = {
    "application/pdf": (b"%PDF-",), "image/jpeg": (b"\xff\xd8\xff",), "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"), "application/zip": (b"PK\x03\x04",),
}  # fmt: skip


@dataclass(frozen=True)
class UploadSession:
    """One announced file. `offset` bytes are durable; `state`: open, assembling, stored, failed, expired."""

    upload_id: str
    owner_id: str
    body_id: str
    case_id: str
    size: int
    offset: int
    sha256: str
    file_name: str
    media_type: str
    purpose: str
    state: str
    reason: str
    expires_at: datetime


def check_announced(size: int, sha256: str, media_type: str, purpose: str, largest: int) -> None:
    """All that is wrong with an announcement, at once.

    Raises:
        TooLargeError: over the largest file that the account may upload.
        InvalidInputError: with one entry for each wrong field.
    """
    if size > largest:
        raise TooLargeError(f"文件超过上限{size_words(largest)}，请拆分后上传")
    wrong = []
    if size < 1:
        wrong.append({"pointer": "/size", "detail": "文件不能为空"})
    if not _SHA256.fullmatch(sha256):
        wrong.append({"pointer": "/sha256", "detail": "须为文件内容的 SHA-256，64 位小写十六进制"})
    if not _MEDIA_TYPE.fullmatch(media_type):
        wrong.append({"pointer": "/filetype", "detail": "须为媒体类型，例如 application/pdf"})
    if purpose not in PURPOSES:
        wrong.append({"pointer": "/purpose", "detail": f"须为 {'、'.join(PURPOSES)} 之一"})
    if wrong:
        raise InvalidInputError("上传声明有误，请修改后重新创建", wrong)


def allowance(kind: str) -> Allowance:
    """By the kind of account."""
    return {"party": SETTINGS.party, "station": SETTINGS.station}.get(kind, SETTINGS.staff)


def check_allowance(limit: Allowance, size: int, announced: int, unfinished: int) -> None:
    """Whether an account that has announced so many bytes within a day may open one more session.

    Raises:
        RateLimitedError: no, with what to do.
    """
    if unfinished >= limit.open_at_once:
        raise RateLimitedError(f"未完成的上传已有{unfinished}个，请先续传或者取消", retry_after=60)
    if announced + size > limit.a_day:
        left = size_words(max(0, limit.a_day - announced))
        raise RateLimitedError(f"一日内至多上传{size_words(limit.a_day)}，还可上传{left}，请改日再传", retry_after=3600)


def size_words(size: int) -> str:
    """Bytes as people say them, rounded down."""
    for unit, name in ((GIB, "GB"), (MIB, "MB")):
        if size >= unit:
            return f" {size // unit} {name}"
    return f" {size} 字节"


def check_append(session: UploadSession, offset: int, length: int) -> None:
    """Whether these bytes may follow.

    Raises:
        ConflictError: another offset, or a session that takes nothing more.
        TooLargeError: an oversize chunk, or more bytes than announced.
    """
    if session.state != "open":
        why = f"：{session.reason}" if session.reason else ""
        raise ConflictError(f"该上传已{STATES[session.state]}，不能继续写入{why}", state=session.state)
    if offset != session.offset:
        raise ConflictError(f"已收到 {session.offset} 字节，请从该处继续", offset=session.offset)
    if length > SETTINGS.largest_chunk:
        raise TooLargeError(f"单次写入不得超过 {SETTINGS.largest_chunk} 字节")
    if offset + length > session.size:
        raise TooLargeError(f"写入超出声明的文件大小 {session.size} 字节")


STATES = {"open": "开始", "assembling": "收齐", "stored": "完成", "failed": "失败", "expired": "过期或取消"}


def looks_like(media_type: str, head: bytes) -> bool:
    """Whether the first bytes fit the media type; types without a known mark pass."""
    marks = _MAGIC.get(media_type)
    return marks is None or head.startswith(marks)
