"""The archive's door: which files that a filing names have come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import grpc

from anjuan.archive.v1.archive_pb2 import FindFilesRequest
from anjuan.archive.v1.archive_pb2_grpc import ArchiveStub
from services.intake.model.upload import Upload
from services.kit import rpc
from services.kit.errors import UnavailableError

SECONDS = 5.0
_OPTIONS = [*rpc.client_options(), ("grpc.max_reconnect_backoff_ms", 1_000)]
AWAY = "“电子卷宗”服务暂不可用，无法核对所附文件是否已经上传，请稍后重试；没有附文件的可照常提交"


@dataclass(frozen=True)
class ArchivedFiles:
    """See model.upload.Files; `address` is the archive's, empty where there is none."""

    address: str

    @cached_property
    def _stub(self) -> ArchiveStub:
        return ArchiveStub(grpc.insecure_channel(self.address, options=_OPTIONS))

    def sent(self, hashes: Iterable[str], token: str) -> Sequence[Upload]:
        """See model.upload.Files; no call without a hash."""
        if not (wanted := sorted(set(hashes))):
            return ()
        if not self.address:
            raise UnavailableError(AWAY)
        try:
            found = rpc.invoke(self._stub.FindFiles, FindFilesRequest(sha256=wanted), token=token, timeout=SECONDS)
        except UnavailableError as away:
            raise UnavailableError(AWAY) from away
        return [Upload(f.sha256, f.size, f.body_id, f.own, f.stored) for f in found.files]
