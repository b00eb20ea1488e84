"""`anjuan scrub`: archive compares every stored byte with its hash, call by call, until all are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.archive.v1.archive_pb2_grpc import ArchiveStub
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from services.kit import clock, rpc
from services.kit.errors import DomainError
from services.kit.settings import Settings
from services.ops import lifecycle
from services.ops.publish import token_of

SECONDS = 300.0
TOKEN_SECONDS = 300.0  # a token lives ten minutes at most
FIELDS = ("kind", "detail", "what", "sha256", "found_sha256", "case_id", "case_number", "page_id", "volume_id",
          "page_number")  # fmt: skip


def scrub(data: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Everything that is wrong, and how much was looked at.

    Raises:
        RefusedError: no platform runs there, or a room does not answer.
    """
    settings = Settings.from_environment(lifecycle.opened(data).variables)
    with rpc.channel(settings.rpc["identity"]) as identity, rpc.channel(settings.rpc["archive"]) as archive:
        try:
            return _all(ArchiveStub(archive), lambda: token_of(IdentityStub(identity), data, "", ""), tell)
        except DomainError as refusal:
            raise lifecycle.RefusedError(refusal.detail) from refusal


def _all(archive: ArchiveStub, sign_in: Callable[[], str], tell: Callable[[str], None]) -> dict[str, Any]:
    told: dict[str, Any] = {"ok": True, "objects": 0, "bytes": 0, "findings": []}
    asked, token, since = pb.ScrubRequest(), sign_in(), clock.monotonic()
    while True:
        answer = rpc.invoke(archive.Scrub, asked, token=token, timeout=SECONDS)
        told["objects"] += answer.objects
        told["bytes"] += answer.bytes
        told["findings"] += [{name: getattr(one, name) for name in FIELDS} for one in answer.findings]
        told["ok"] = not told["findings"]
        if not answer.next_after:
            return told
        asked.after = answer.next_after
        tell(f"已核对 {told['objects']} 个文件……")
        if clock.monotonic() - since > TOKEN_SECONDS:
            token, since = sign_in(), clock.monotonic()
