"""The gRPC door: who calls, which use case or view answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.intake.v1 import intake_pb2_grpc as door
from services.intake import views
from services.intake.model.filing import SHA256
from services.intake.model.fingerprint import Fingerprints
from services.intake.model.upload import Files
from services.intake.settings import SETTINGS
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.filing import correct_filing, submit_filing
from services.intake.usecases.register import correct_register
from services.kit import rpc
from services.kit.audit import load_key
from services.kit.errors import UnavailableError
from services.kit.run import Host


class IntakeServicer(door.IntakeServicer):
    """See proto/anjuan/intake/v1/intake.proto."""

    def __init__(self, host: Host, files: Files) -> None:
        self.host, self.packs, self.files = host, Packs(host.objects), files
        self.prints = Fingerprints(load_key(host.settings.data, host.name).private_bytes_raw())

    def _begin(self) -> IntakeUnit:
        unit: IntakeUnit = self.host.begin(rpc.signed_in())
        return unit

    def _once(self, use_case: Callable[..., Any], request: Message, answer: type[Any]) -> Any:
        """A writing use case, once for its idempotency key."""

        def ask() -> Any:
            uow = self._begin()
            return uow.once(rpc.call().key, request, answer, lambda: use_case(uow, self.packs, request))

        return self.packs.loading_outside(ask)

    def _filed(self, use_case: Callable[..., Any], request: Message, materials: Iterable[pb.Material]) -> Any:
        """A use case that names files: archive is asked about them, once, before a transaction opens."""
        hashes = [m.sha256 for m in materials if SHA256.fullmatch(m.sha256)][: SETTINGS.most_materials]
        rpc.signed_in()
        try:
            uploads = self.files.sent(hashes, rpc.call().token)
        except UnavailableError as error:  # a key that was answered gets its answer, whatever is down now
            return self._once(partial(_say, error), request, pb.SubmitFilingAnswer)
        return self._once(partial(use_case, uploads=uploads), request, pb.SubmitFilingAnswer)

    def SubmitFiling(self, request: pb.SubmitFilingRequest, context: grpc.ServicerContext) -> pb.SubmitFilingAnswer:
        return self._filed(submit_filing, request, request.filing.materials)  # type: ignore[no-any-return]

    def CorrectFiling(self, request: pb.CorrectFilingRequest, context: grpc.ServicerContext) -> pb.SubmitFilingAnswer:
        return self._filed(correct_filing, request, request.materials)  # type: ignore[no-any-return]

    def CorrectRegister(self, request: pb.CorrectRegisterRequest, context: grpc.ServicerContext) -> pb.Case:
        def correct(uow: IntakeUnit, packs: Packs, asked: pb.CorrectRegisterRequest) -> pb.Case:
            return correct_register(uow, packs, self.prints, asked)

        return self._once(correct, request, pb.Case)  # type: ignore[no-any-return]

    def GetFiling(self, request: pb.GetFilingRequest, context: grpc.ServicerContext) -> pb.Filing:
        def ask() -> pb.Filing:
            with self._begin() as uow:
                return views.get_filing(uow, self.packs, request.filing_id)

        return self.packs.loading_outside(ask)

    def GetCase(self, request: pb.GetCaseRequest, context: grpc.ServicerContext) -> pb.Case:
        with self._begin() as uow:
            return views.get_case(uow, request.case_id)

    def ListCases(self, request: pb.ListCasesRequest, context: grpc.ServicerContext) -> pb.ListCasesAnswer:
        with self._begin() as uow:
            return views.list_cases(uow, request)

    def ExportCases(self, request: pb.ExportCasesRequest, context: grpc.ServicerContext) -> pb.ExportCasesAnswer:
        with self._begin() as uow:
            return views.export_cases(uow, request)


def _say(error: UnavailableError, *_: Any) -> NoReturn:
    raise error


def registrations(host: Host, files: Files) -> list[Callable[[grpc.Server], None]]:
    """What makes a server answer for this room."""
    return [lambda server: door.add_IntakeServicer_to_server(IntakeServicer(host, files), server)]
