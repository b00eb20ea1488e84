"""gRPC door of the archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.archive.v1.archive_pb2_grpc import ArchiveServicer as Servicer
from anjuan.archive.v1.archive_pb2_grpc import add_ArchiveServicer_to_server
from services.archive import usecases, views
from services.kit import rpc
from services.kit.run import Host


class ArchiveServicer(Servicer):
    """See archive.proto."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def OpenUpload(self, request: pb.OpenUploadRequest, context: grpc.ServicerContext) -> pb.UploadSession:
        """Announce a file."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.UploadSession, lambda: views.shown(usecases.open_upload(uow, actor, request))
        )

    def Append(self, request: pb.AppendRequest, context: grpc.ServicerContext) -> pb.UploadSession:
        """The next bytes; the offset makes it idempotent."""
        actor = rpc.signed_in()
        uow, objects = self.host.begin(actor), self.host.objects
        return views.shown(
            usecases.append(uow, objects, actor, request.upload_id, request.offset, request.chunk)
        )

    def GetUpload(self, request: pb.GetUploadRequest, context: grpc.ServicerContext) -> pb.UploadSession:
        """How far an upload is."""
        actor = rpc.signed_in()
        return views.shown(usecases.get_upload(self.host.begin(actor), actor, request.upload_id))

    def CancelUpload(
        self, request: pb.CancelUploadRequest, context: grpc.ServicerContext
    ) -> pb.UploadSession:
        """Give an upload up."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return views.shown(usecases.cancel_upload(uow, self.host.objects, actor, request.upload_id))

    def GetFile(self, request: pb.GetFileRequest, context: grpc.ServicerContext) -> pb.FileChunk:
        """Stored bytes."""
        actor = rpc.signed_in()
        return views.get_file(self.host.begin(actor), self.host.objects, actor, request)


def registrations(host: Host) -> Sequence[Callable[[grpc.Server], None]]:
    """What this room adds to its server."""
    return [lambda server: add_ArchiveServicer_to_server(ArchiveServicer(host), server)]
