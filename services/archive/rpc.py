"""gRPC door of the archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc
from google.protobuf.message import Message

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.archive.v1.archive_pb2_grpc import ArchiveServicer as Servicer
from anjuan.archive.v1.archive_pb2_grpc import add_ArchiveServicer_to_server
from services.archive.model.pages import Page
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.usecases import batches, covers, facts, pages, piles, uploads
from services.archive.views import batches as found
from services.archive.views import dossiers, files, scrub
from services.archive.views import pages as leaves
from services.kit import rpc
from services.kit.identity import Actor
from services.kit.run import Host


class ArchiveServicer(Servicer):
    """See archive.proto."""

    def __init__(self, host: Host) -> None:
        self.host, self.packs = host, Packs(host.objects)

    def OpenUpload(self, request: pb.OpenUploadRequest, context: grpc.ServicerContext) -> pb.UploadSession:
        """Announce a file."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.UploadSession, lambda: files.shown(uploads.open_upload(uow, actor, request))
        )

    def Append(self, request: pb.AppendRequest, context: grpc.ServicerContext) -> pb.UploadSession:
        """The next bytes; the offset makes it idempotent."""
        actor = rpc.signed_in()
        uow, objects = self.host.begin(actor), self.host.objects
        return files.shown(
            uploads.append(uow, objects, actor, request.upload_id, request.offset, request.chunk)
        )

    def GetUpload(self, request: pb.GetUploadRequest, context: grpc.ServicerContext) -> pb.UploadSession:
        """How far an upload is."""
        actor = rpc.signed_in()
        return files.shown(uploads.get_upload(self.host.begin(actor), actor, request.upload_id))

    def CancelUpload(
        self, request: pb.CancelUploadRequest, context: grpc.ServicerContext
    ) -> pb.UploadSession:
        """Give an upload up."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return files.shown(uploads.cancel_upload(uow, self.host.objects, actor, request.upload_id))

    def GetFile(self, request: pb.GetFileRequest, context: grpc.ServicerContext) -> pb.FileChunk:
        """Stored bytes."""
        actor = rpc.signed_in()
        return files.get_file(self.host.begin(actor), self.host.objects, actor, request)

    def FindFiles(self, request: pb.FindFilesRequest, context: grpc.ServicerContext) -> pb.FindFilesAnswer:
        """Which of these files the caller may name elsewhere."""
        actor = rpc.signed_in()
        return files.find_files(self.host.begin(actor), actor, request)

    def PrintSeparatorSheets(
        self, request: pb.PrintSeparatorSheetsRequest, context: grpc.ServicerContext
    ) -> pb.SeparatorSheets:
        """Sheets to lay between piles."""
        actor = rpc.signed_in()
        return covers.print_separator_sheets(self.host.begin(actor), self.packs, actor, request)

    def RegisterScanBatch(
        self, request: pb.RegisterScanBatchRequest, context: grpc.ServicerContext
    ) -> pb.ScanBatch:
        """Announce a batch; its own id makes it idempotent, also without a key."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.ScanBatch,
            lambda: found.batch_shown(uow, actor, batches.register_scan_batch(uow, actor, request)),
        )

    def GetScanBatch(self, request: pb.GetScanBatchRequest, context: grpc.ServicerContext) -> pb.ScanBatch:
        """One batch."""
        actor = rpc.signed_in()
        return found.get_scan_batch(self.host.begin(actor), actor, request)

    def ListScanBatches(
        self, request: pb.ListScanBatchesRequest, context: grpc.ServicerContext
    ) -> pb.ListScanBatchesAnswer:
        """Batches of a body."""
        actor = rpc.signed_in()
        return found.list_scan_batches(self.host.begin(actor), actor, request)

    def CountScanBatch(self, request: pb.CountScanBatchRequest, context: grpc.ServicerContext) -> pb.ScanBatch:
        """Counted against the paper."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.ScanBatch,
            lambda: found.batch_shown(uow, actor, batches.count_scan_batch(uow, actor, request)),
        )

    def ListScanPiles(
        self, request: pb.ListScanPilesRequest, context: grpc.ServicerContext
    ) -> pb.ListScanPilesAnswer:
        """Piles of a body."""
        actor = rpc.signed_in()
        return found.list_scan_piles(self.host.begin(actor), actor, request)

    def ClaimScanPile(self, request: pb.ClaimScanPileRequest, context: grpc.ServicerContext) -> pb.ScanPile:
        """A pile belongs to a case."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.ScanPile,
            lambda: found.scan_pile(uow, actor, piles.claim_scan_pile(uow, self.packs, actor, request)),
        )

    def DiscardScanPile(self, request: pb.DiscardScanPileRequest, context: grpc.ServicerContext) -> pb.ScanPile:
        """A pile is set aside."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.ScanPile,
            lambda: found.scan_pile(uow, actor, piles.discard_scan_pile(uow, actor, request)),
        )

    def ListPages(self, request: pb.ListPagesRequest, context: grpc.ServicerContext) -> pb.ListPagesAnswer:
        """Pages of a case or a pile."""
        actor = rpc.signed_in()
        return leaves.list_pages(self.host.begin(actor), self.packs, actor, request)

    def GetPage(self, request: pb.GetPageRequest, context: grpc.ServicerContext) -> pb.Page:
        """One page."""
        actor = rpc.signed_in()
        return leaves.get_page(self.host.begin(actor), self.packs, actor, request)

    def GetPageImage(self, request: pb.GetPageImageRequest, context: grpc.ServicerContext) -> pb.PageImage:
        """Its picture."""
        actor = rpc.signed_in()
        return leaves.get_page_image(self.host.begin(actor), self.host.objects, actor, request)

    def GetPageText(self, request: pb.GetPageRequest, context: grpc.ServicerContext) -> pb.PageText:
        """What was read on it."""
        actor = rpc.signed_in()
        return leaves.get_page_text(self.host.begin(actor), actor, request)

    def ArrangePage(self, request: pb.ArrangePageRequest, context: grpc.ServicerContext) -> pb.Page:
        """Place, turn, hide."""
        return self._page(request, lambda uow, actor: pages.arrange_page(uow, self.packs, actor, request))

    def OrderPages(self, request: pb.OrderPagesRequest, context: grpc.ServicerContext) -> pb.OrderPagesAnswer:
        """A new order."""
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.OrderPagesAnswer,
            lambda: pb.OrderPagesAnswer(moved=pages.order_pages(uow, self.packs, actor, request)),
        )

    def ReplacePage(self, request: pb.ReplacePageRequest, context: grpc.ServicerContext) -> pb.Page:
        """A page scanned anew."""
        return self._page(request, lambda uow, actor: pages.replace_page(uow, actor, request))

    def ExportPages(self, request: pb.ExportPagesRequest, context: grpc.ServicerContext) -> pb.ExportPagesAnswer:
        """Pages with their texts, to rebuild an index from."""
        actor = rpc.signed_in()
        return facts.export_pages(self.host.begin(actor), actor, request)

    def GetDossier(self, request: pb.GetDossierRequest, context: grpc.ServicerContext) -> pb.Dossier:
        """Volumes and what is in them."""
        actor = rpc.signed_in()
        return dossiers.get_dossier(self.host.begin(actor), self.packs, actor, request)

    def GetVolume(self, request: pb.GetVolumeRequest, context: grpc.ServicerContext) -> pb.DossierFile:
        """A bound volume."""
        actor = rpc.signed_in()
        return dossiers.get_volume(self.host.begin(actor), self.host.objects, actor, request)

    def GetManifest(self, request: pb.GetManifestRequest, context: grpc.ServicerContext) -> pb.DossierFile:
        """What an archived dossier holds."""
        actor = rpc.signed_in()
        return dossiers.get_manifest(self.host.begin(actor), self.host.objects, actor, request)

    def Scrub(self, request: pb.ScrubRequest, context: grpc.ServicerContext) -> pb.ScrubAnswer:
        """Compare stored bytes with their hashes."""
        actor = rpc.signed_in()
        return scrub.scrub(self.host.begin(actor), self.host.objects, actor, request)

    def _page(self, request: Message, act: Callable[[ArchiveUnit, Actor], Page]) -> pb.Page:
        actor = rpc.signed_in()
        uow = self.host.begin(actor)
        return uow.once(  # type: ignore[no-any-return]
            rpc.call().key, request, pb.Page,
            lambda: leaves.pages_shown(uow, self.packs, [act(uow, actor)])[0],
        )


def registrations(host: Host) -> Sequence[Callable[[grpc.Server], None]]:
    """What this room adds to its server."""
    return [lambda server: add_ArchiveServicer_to_server(ArchiveServicer(host), server)]
