"""gRPC door of the identity room. What holds a secret is never kept under an idempotency key."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Sequence

import grpc
from sqlalchemy.exc import OperationalError

from anjuan.identity.v1 import identity_pb2 as pb
from anjuan.identity.v1.identity_pb2_grpc import IdentityServicer as Servicer
from anjuan.identity.v1.identity_pb2_grpc import add_IdentityServicer_to_server
from services.identity import views
from services.identity.model.legal_dates import Rooms
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.identity.usecases import accounts, bodies, legal_date, people, sign_in, stations
from services.identity.usecases.operator import ensure_operator
from services.kit import rpc
from services.kit.identity import Actor
from services.kit.run import Host

log = logging.getLogger("anjuan.identity")
Context = grpc.ServicerContext


class IdentityServicer(Servicer):
    """See identity.proto."""

    def __init__(self, host: Host, rooms_of: Callable[[Host, Actor], Rooms]) -> None:
        self.host, self.rooms_of, self.knobs = host, rooms_of, IdentitySettings.of(host.settings)

    def _anyone(self) -> IdentityUnit:
        found: IdentityUnit = self.host.begin(rpc.call().actor)
        return found

    def _caller(self) -> IdentityUnit:
        found: IdentityUnit = self.host.begin(rpc.signed_in())
        return found

    def SignIn(self, request: pb.SignInRequest, context: Context) -> pb.Session:
        """Anybody."""
        return sign_in.sign_in(self._anyone(), self.knobs, request)

    def RenewToken(self, request: pb.RenewTokenRequest, context: Context) -> pb.Session:
        """Whoever holds the session's secret."""
        return sign_in.renew_token(self._anyone(), self.knobs, request)

    def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.Session:
        """What the token says."""
        with self._caller() as uow:
            return sign_in.described(uow, uow.cause.actor)

    def SignOut(self, request: pb.SignOutRequest, context: Context) -> pb.SignOutAnswer:
        """Whoever holds the session's secret."""
        return sign_in.sign_out(self._anyone(), request)

    def ChangePassword(self, request: pb.ChangePasswordRequest, context: Context) -> pb.ChangePasswordAnswer:
        """One's own."""
        return sign_in.change_password(self._caller(), self.knobs, request)

    def ImportBodies(self, request: pb.ImportBodiesRequest, context: Context) -> pb.ImportAnswer:
        """Operators."""
        return bodies.import_bodies(self._caller(), request, self.host.settings.scripted)

    def ImportPeople(self, request: pb.ImportPeopleRequest, context: Context) -> pb.ImportAnswer:
        """Operators and administrators."""
        return people.import_people(self._caller(), request)

    def GetBody(self, request: pb.GetBodyRequest, context: Context) -> pb.Body:
        """Everybody who is signed in."""
        with self._caller() as uow:
            return views.get_body(uow, request)

    def ListBodies(self, request: pb.ListBodiesRequest, context: Context) -> pb.ListBodiesAnswer:
        """Everybody who is signed in."""
        with self._caller() as uow:
            return views.list_bodies(uow, request)

    def ListPeople(self, request: pb.ListPeopleRequest, context: Context) -> pb.ListPeopleAnswer:
        """Colleagues, superiors and administrators."""
        with self._caller() as uow:
            return views.list_people(uow, request)

    def RegisterAccount(self, request: pb.RegisterAccountRequest, context: Context) -> pb.Account:
        """Anybody. The kept request has a keyed hash in place of the password."""
        uow = self._anyone()
        kept = pb.RegisterAccountRequest()
        kept.CopyFrom(request)
        secret = self.knobs.token_private_key.read_bytes()
        kept.password = hmac.new(secret, request.password.encode(), hashlib.sha256).hexdigest()
        return uow.once(rpc.call().key, kept, pb.Account, lambda: accounts.register_account(uow, request))

    def FindAccount(self, request: pb.FindAccountRequest, context: Context) -> pb.Account:
        """Staff at the counter."""
        return accounts.find_account(self._caller(), request)

    def IssueConfirmationCode(
        self, request: pb.IssueConfirmationCodeRequest, context: Context
    ) -> pb.ConfirmationCode:
        """Staff at the counter."""
        return accounts.issue_confirmation_code(self._caller(), self.knobs, request)

    def ConfirmAccount(self, request: pb.ConfirmAccountRequest, context: Context) -> pb.Account:
        """One's own."""
        return accounts.confirm_account(self._caller(), self.knobs, request)

    def BlockAccount(self, request: pb.BlockAccountRequest, context: Context) -> pb.Account:
        """Staff at the counter."""
        uow = self._caller()
        return uow.once(rpc.call().key, request, pb.Account, lambda: accounts.block_account(uow, request))

    def EnrolStation(self, request: pb.EnrolStationRequest, context: Context) -> pb.Station:
        """Anybody who has a key."""
        uow = self._anyone()
        return uow.once(
            rpc.call().key, request, pb.Station, lambda: stations.enrol_station(uow, self.knobs, request)
        )

    def DecideStation(self, request: pb.DecideStationRequest, context: Context) -> pb.Station:
        """Administrators."""
        uow = self._caller()
        return uow.once(rpc.call().key, request, pb.Station, lambda: stations.decide_station(uow, request))

    def ListStations(self, request: pb.ListStationsRequest, context: Context) -> pb.ListStationsAnswer:
        """Administrators."""
        with self._caller() as uow:
            return views.list_stations(uow, request)

    def StationToken(self, request: pb.StationTokenRequest, context: Context) -> pb.Session:
        """Whoever holds the station's key."""
        return stations.station_token(self._anyone(), self.knobs, request)

    def AdvanceLegalDate(
        self, request: pb.AdvanceLegalDateRequest, context: Context
    ) -> pb.AdvanceLegalDateAnswer:
        """Operators, in the scripted profile."""
        uow = self._caller()
        rooms = self.rooms_of(self.host, uow.cause.actor)
        return legal_date.advance_legal_date(uow, rooms, request, self.host.settings.scripted)


def registrations(
    host: Host, rooms_of: Callable[[Host, Actor], Rooms]
) -> Sequence[Callable[[grpc.Server], None]]:
    """What this room adds to its server; `rooms_of` gives all rooms as the actor may operate them.

    On one machine the operator's account is made here, at the first start.
    """
    if host.settings.profile != "kubernetes":
        _ensure_operator(host)
    return [lambda server: add_IdentityServicer_to_server(IdentityServicer(host, rooms_of), server)]


def _ensure_operator(host: Host) -> None:
    try:
        ensure_operator(host.begin_as_system("set-up"), IdentitySettings.of(host.settings))
    except OperationalError:
        log.warning("operator_waits_for_database")  # the next start makes it; calls meanwhile answer unavailable
