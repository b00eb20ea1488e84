"""The rooms whose exports the index is built from, over their stubs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anjuan.archive.v1 import archive_pb2, archive_pb2_grpc
from anjuan.documents.v1 import documents_pb2, documents_pb2_grpc
from anjuan.intake.v1 import intake_pb2, intake_pb2_grpc
from services.kit import rpc
from services.kit.errors import UnavailableError
from services.search.settings import KNOBS

_DOORS: Mapping[str, tuple[Any, str, Any]] = {
    "intake": (intake_pb2_grpc.IntakeStub, "ExportCases", intake_pb2.ExportCasesRequest),
    "documents": (documents_pb2_grpc.DocumentsStub, "ExportInstruments", documents_pb2.ExportInstrumentsRequest),
    "archive": (archive_pb2_grpc.ArchiveStub, "ExportPages", archive_pb2.ExportPagesRequest),
}
SECONDS = 30.0


@dataclass(frozen=True)
class RoomOwners:
    """See model.owners.Owners; `token` is the operator's who asked."""

    addresses: Mapping[str, str]
    token: str

    def read(self, owner: str, after_id: str) -> tuple[Sequence[Any], str]:
        """See model.owners.Owners."""
        stub, method, request = _DOORS[owner]
        if owner not in self.addresses:
            raise UnavailableError(f"{owner} 未部署，不能读取其数据")
        with rpc.channel(self.addresses[owner]) as channel:
            asked = request(after_id=after_id, limit=KNOBS.export)
            answer = rpc.invoke(getattr(stub(channel), method), asked, token=self.token, timeout=SECONDS)
        return answer.rows, answer.next_after_id
