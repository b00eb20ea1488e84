"""Calls to the rooms: one aio channel each, in the caller's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.message import Message

from anjuan.archive.v1.archive_pb2_grpc import ArchiveStub
from anjuan.documents.v1.documents_pb2_grpc import DocumentsStub
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from anjuan.intake.v1.intake_pb2_grpc import IntakeStub
from anjuan.kit.v1.operations_pb2_grpc import OperationsStub
from anjuan.notices.v1.notices_pb2_grpc import NoticesStub
from anjuan.search.v1.search_pb2_grpc import SearchStub
from anjuan.supervision.v1.supervision_pb2_grpc import SupervisionStub
from anjuan.workflow.v1.workflow_pb2_grpc import WorkflowStub
from services.kit import rpc
from services.kit.errors import UnavailableError

_STUBS: Mapping[str, Any] = {
    "identity": IdentityStub, "intake": IntakeStub, "workflow": WorkflowStub, "supervision": SupervisionStub,
    "archive": ArchiveStub, "documents": DocumentsStub, "notices": NoticesStub, "search": SearchStub,
}  # fmt: skip
_NAMES = {"identity": "组织身份", "intake": "收案登记", "workflow": "办案流程", "supervision": "期限监督",
          "archive": "电子卷宗", "documents": "文书", "notices": "通知",
          "search": "全文检索"}  # fmt: skip


class Rooms:
    """The rooms' stubs; made once an application."""

    def __init__(self, addresses: Mapping[str, str], seconds: float) -> None:
        self.seconds = seconds
        self.addresses = addresses
        self._channels = {room: _channel(where) for room, where in addresses.items()}
        self._stubs = {room: _STUBS[room](channel) for room, channel in self._channels.items() if room in _STUBS}
        self._operations = {room: OperationsStub(channel) for room, channel in self._channels.items()}

    async def call(self, room: str, method: str, request: Message, *, token: str = "", key: str = "",
                   request_id: str = "", seconds: float | None = None) -> Any:  # fmt: skip
        """Ask a room.

        Raises:
            DomainError: as the room refused, or UnavailableError naming the room that is down.
        """
        stub = self._operations.get(room) if method in _OPERATIONS else self._stubs.get(room)
        if stub is None:
            raise UnavailableError(f"“{_NAMES.get(room, room)}”服务未部署")
        pairs = rpc.metadata(token, key=key, request_id=request_id)
        try:
            return await getattr(stub, method)(request, timeout=seconds or self.seconds, metadata=pairs)
        except grpc.aio.AioRpcError as failure:
            error = rpc.error_of(failure)
            if isinstance(error, UnavailableError) and "reason" in error.context:
                error.detail = f"“{_NAMES.get(room, room)}”服务暂不可用，请稍后重试；已提交的内容不会丢失"
            raise error from failure

    async def close(self) -> None:
        """Close all channels."""
        for channel in self._channels.values():
            await channel.close(None)


_OPERATIONS = {"GetBalance", "NextDue", "Replay", "RetryParked", "ListAudit", "VerifyAudit"}


def _channel(where: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(where, options=rpc.client_options())
