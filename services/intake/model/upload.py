"""Whether the bytes of a named file have come: a hash alone is no evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Upload:
    """Bytes that have come whole to archive. `own`: sent by the caller; `stored`: compared with the hash."""

    sha256: str
    size: int
    body_id: str
    own: bool
    stored: bool


class Files(Protocol):
    """What archive knows of files."""

    def sent(self, hashes: Iterable[str], token: str) -> Sequence[Upload]:
        """Of these files those that the token's holder may know of.

        Raises:
            UnavailableError: archive cannot be asked.
        """


def fault_of_bytes(size: int, sent: Sequence[Upload]) -> tuple[str, str] | None:
    """Field and sentence; `sent`: the uploads under a material's hash that may be named there."""
    stored = [upload.size for upload in sent if upload.stored]
    if not sent:
        return "sha256", "该文件尚未上传完成，请先上传（可断点续传），上传完成后再提交"
    if not stored:
        return "sha256", "该文件已收齐，正在核对内容，请稍候再提交"
    if size not in stored:
        return "size", f"与已上传文件的大小（{stored[0]}字节）不符"
    return None
