"""The gRPC door: who calls, which use case or view answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from anjuan.documents.v1 import documents_pb2 as pb
from anjuan.documents.v1 import documents_pb2_grpc as door
from services.documents import views
from services.documents.model.instrument import Instrument
from services.documents.model.upload import Files
from services.documents.render import fonts
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases import draft, serve
from services.documents.usecases.approve import approve_instrument
from services.kit import rpc
from services.kit.errors import DomainError
from services.kit.run import Host


class DocumentsServicer(door.DocumentsServicer):
    """See proto/anjuan/documents/v1/documents.proto."""

    def __init__(self, host: Host, files: Files) -> None:
        self.host, self.packs, self.files = host, Packs(host.objects), files

    def _begin(self) -> DocumentsUnit:
        unit: DocumentsUnit = self.host.begin(rpc.signed_in())
        return unit

    def _once(self, uow: DocumentsUnit, request: Message, act: Callable[[], Instrument]) -> pb.Instrument:
        return uow.once(rpc.call().key, request, pb.Instrument, lambda: views.shown(uow, self.packs, act()))

    def _prepared(self, request: Message, prepare: Any, act: Any) -> pb.Instrument:
        """Work before the transaction, then the act; a key that was answered gets its answer, whatever stands now."""
        uow = self._begin()
        try:
            made = prepare(uow, self.packs, request)
        except DomainError as error:
            return self._once(uow, request, partial(_say, error))
        return self._once(uow, request, lambda: act(uow, request, made))

    def DraftInstrument(self, request: pb.DraftInstrumentRequest, context: grpc.ServicerContext) -> pb.Instrument:
        return self._prepared(request, draft.prepare_draft, draft.draft_instrument)

    def UploadVersion(self, request: pb.UploadVersionRequest, context: grpc.ServicerContext) -> pb.Instrument:
        return self._prepared(request, draft.prepare_upload, draft.upload_version)

    def ApproveInstrument(self, request: pb.ApproveInstrumentRequest, context: grpc.ServicerContext) -> pb.Instrument:
        uow = self._begin()
        return self._once(uow, request, lambda: approve_instrument(uow, self.packs, request))

    def GetInstrument(self, request: pb.GetInstrumentRequest, context: grpc.ServicerContext) -> pb.Instrument:
        with self._begin() as uow:
            return views.get_instrument(uow, self.packs, request.instrument_id)

    def ListInstruments(
        self, request: pb.ListInstrumentsRequest, context: grpc.ServicerContext
    ) -> pb.ListInstrumentsAnswer:
        with self._begin() as uow:
            return views.list_instruments(uow, request)

    def GetContent(self, request: pb.GetContentRequest, context: grpc.ServicerContext) -> pb.Content:
        return views.get_content(self._begin(), self.packs, request)

    def ProveServing(self, request: pb.ProveServingRequest, context: grpc.ServicerContext) -> pb.Serving:
        uow, key = self._begin(), rpc.call().key
        try:
            made = serve.prepare_proof(uow, self.files, rpc.call().token, request)
        except DomainError as error:
            return uow.once(key, request, pb.Serving, partial(_say, error))
        return uow.once(
            key, request, pb.Serving,
            lambda: views.shown_serving(serve.prove_serving(uow, self.packs, request, made)),
        )  # fmt: skip

    def ExportInstruments(
        self, request: pb.ExportInstrumentsRequest, context: grpc.ServicerContext
    ) -> pb.ExportInstrumentsAnswer:
        with self._begin() as uow:
            return views.export_instruments(uow, request)


def _say(error: DomainError) -> NoReturn:
    raise error


def registrations(host: Host, files: Files) -> list[Callable[[grpc.Server], None]]:
    """What makes a server answer for this room; missing typefaces are told at once, not at the first document."""
    fonts.report()
    return [lambda server: door.add_DocumentsServicer_to_server(DocumentsServicer(host, files), server)]
