"""The gRPC door: who calls, which use case or view answers."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from anjuan.search.v1 import search_pb2 as pb
from anjuan.search.v1 import search_pb2_grpc as door
from services.kit import rpc
from services.kit.run import Host
from services.search import views
from services.search.index import open_index
from services.search.model.owners import Owners
from services.search.usecases.rebuild import rebuild


class SearchServicer(door.SearchServicer):
    """See proto/anjuan/search/v1/search.proto."""

    def __init__(self, host: Host, owners: Callable[[str], Owners]) -> None:
        self.host, self.owners = host, owners

    def Search(self, request: pb.SearchRequest, context: grpc.ServicerContext) -> pb.SearchAnswer:
        return views.search(self.host.begin(rpc.signed_in()), open_index(self.host.settings.search), request)

    def Rebuild(self, request: pb.RebuildRequest, context: grpc.ServicerContext) -> pb.RebuildAnswer:
        uow = self.host.begin(rpc.signed_in())
        return rebuild(uow, self.owners(rpc.call().token), request.rebuild_id)


def registrations(host: Host, owners: Callable[[str], Owners]) -> list[Callable[[grpc.Server], None]]:
    """What makes a server answer for this room; `owners` are the other rooms in the name of a token's holder."""
    return [lambda server: door.add_SearchServicer_to_server(SearchServicer(host, owners), server)]
