"""Upload sessions: what is announced, what has arrived, what it became."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from services.archive.settings import SETTINGS
from services.kit.errors import ConflictError, InvalidInputError, TooLargeError

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


def check_announced(size: int, sha256: str, media_type: str, purpose: str) -> None:
    """All that is wrong with an announcement, at once.

    Raises:
        TooLargeError: over the largest file.
        InvalidInputError: with one entry for each wrong field.
    """
    if size > SETTINGS.largest_file:
        raise TooLargeError(f"文件超过上限 {SETTINGS.largest_file} 字节，请拆分后上传")
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


def check_append(session: UploadSession, offset: int, length: int) -> None:
    """Whether these bytes may follow.

    Raises:
        ConflictError: another offset, or a session that takes nothing more.
        TooLargeError: an oversize chunk, or more bytes than announced.
    """
    if session.state != "open":
        raise ConflictError(f"该上传已{STATES[session.state]}，不能继续写入", state=session.state)
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
