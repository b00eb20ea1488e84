"""Whether the scan of a paper answer has come: a hash alone is no paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.struct_pb2 import Struct

from services.kit.errors import InvalidInputError

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Upload:
    """The scan's bytes, come whole to archive. `own`: sent by the caller; `stored`: compared with the hash."""

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


def scans(form: Struct) -> list[str]:
    """The hash of the scan that a form names, if it names one."""
    named = form.fields["scan"].string_value if "scan" in form.fields else ""
    return [named] if _SHA256.fullmatch(named) else []


def require_scan(sent: Sequence[Upload], body_id: str) -> None:
    """The scan has come to the body, or from who records it: archive opens no other (its `link_reply`).

    Raises:
        InvalidInputError: it has not.
    """
    here = [upload for upload in sent if upload.own or upload.body_id == body_id]
    if not any(upload.stored for upload in here):
        said = "已收齐，正在核对内容，请稍候再登记" if here else "尚未上传完成，请先上传再登记"
        raise InvalidInputError(f"批复扫描件{said}", [{"pointer": "/data/scan", "detail": f"批复扫描件{said}"}])
