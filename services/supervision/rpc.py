"""The gRPC door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc

from anjuan.supervision.v1 import supervision_pb2 as pb
from anjuan.supervision.v1 import supervision_pb2_grpc
from services.kit import rpc
from services.kit.run import Host
from services.supervision import views


class SupervisionServicer(supervision_pb2_grpc.SupervisionServicer):
    """Reads only: clocks are moved by facts, never by a call."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def ListClocks(self, request: pb.ListClocksRequest, context: Any) -> pb.ListClocksAnswer:
        with self.host.begin(rpc.signed_in()) as uow:
            return views.list_clocks(uow, request)

    def GetClock(self, request: pb.GetClockRequest, context: Any) -> pb.Clock:
        with self.host.begin(rpc.signed_in()) as uow:
            return views.get_clock(uow, request.clock_id)

    def ListAlertCards(self, request: pb.ListAlertCardsRequest, context: Any) -> pb.ListAlertCardsAnswer:
        with self.host.begin(rpc.signed_in()) as uow:
            return views.list_alert_cards(uow, request)


def registrations(host: Host) -> Sequence[Callable[[grpc.Server], None]]:
    """What adds this room's servicer to a server."""
    return [lambda server: supervision_pb2_grpc.add_SupervisionServicer_to_server(SupervisionServicer(host), server)]
