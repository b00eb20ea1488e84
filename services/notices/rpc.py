"""gRPC door of the notices room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc

from anjuan.notices.v1 import notices_pb2 as pb
from anjuan.notices.v1.notices_pb2_grpc import NoticesServicer as Servicer
from anjuan.notices.v1.notices_pb2_grpc import add_NoticesServicer_to_server
from services.kit import rpc
from services.kit.run import Host
from services.notices import usecases, views


class NoticesServicer(Servicer):
    """See notices.proto."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def ListNotices(self, request: pb.ListNoticesRequest, context: grpc.ServicerContext) -> pb.ListNoticesAnswer:
        """The caller's own."""
        actor = rpc.signed_in()
        return views.list_notices(self.host.begin(actor), actor, request)

    def MarkRead(self, request: pb.MarkReadRequest, context: grpc.ServicerContext) -> pb.Notice:
        """Read."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        usecases.mark_read(uow, actor, request.notice_id)
        return views.get_notice(uow, actor, request.notice_id)


def registrations(host: Host) -> Sequence[Callable[[grpc.Server], None]]:
    """What this room adds to its server."""
    return [lambda server: add_NoticesServicer_to_server(NoticesServicer(host), server)]
