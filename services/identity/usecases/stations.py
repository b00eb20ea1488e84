"""Scanning stations: enrolled once with a key, approved by the body, revoked for good."""

from __future__ import annotations

from dataclasses import replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from anjuan.identity.v1 import events_pb2 as events
from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import messages
from services.identity.model.faults import fault, refuse
from services.identity.model.stations import Station, is_fresh, station_message
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.identity.usecases.sign_in import session_message
from services.kit import access, clock
from services.kit.errors import ConflictError, NotAllowedError, NotFoundError, NotSignedInError, RateLimitedError
from services.kit.identity import Actor

KEY_BYTES, LONGEST_NAME, LONGEST_REASON = 32, 100, 500
AFTER = {"approve": ("requested", "approved"), "revoke": ("requested approved", "revoked")}


def enrol_station(uow: IdentityUnit, knobs: IdentitySettings, request: pb.EnrolStationRequest) -> pb.Station:
    """A station asks a body to be approved; the same key sent again is the same station.

    Raises:
        InvalidInputError: name, body or key are none.
        ConflictError: the key belongs to a station of another body.
        RateLimitedError: too many of this body wait for a decision.
    """
    actor, name = uow.cause.actor, request.name.strip()
    with uow:
        known = uow.bodies.get(request.body_id) is not None
        refuse([fault("/body_id", "机关不存在")] if not known else [], "扫描站信息有误")
        short, key = 0 < len(name) <= LONGEST_NAME, len(request.public_key) == KEY_BYTES
        refuse([fault("/name", "请填写扫描站名称")] if not short else [], "扫描站信息有误")
        refuse([fault("/public_key", "公钥应为32字节的Ed25519公钥")] if not key else [], "扫描站信息有误")
        there = uow.stations.by_key(request.public_key)
        if there is None:
            if uow.stations.waiting(request.body_id) >= knobs.open_requests:
                raise RateLimitedError("该机关待批准的扫描站过多，请先处理")
            fresh = Station(clock.new_id(), request.body_id, name, request.public_key, "requested", actor.person_id)
            return _changed(uow, "enrol_station", fresh)
        if there.body_id != request.body_id:
            raise ConflictError("该密钥已登记在另一机关")
        return messages.station_message(there)


def decide_station(uow: IdentityUnit, request: pb.DecideStationRequest) -> pb.Station:
    """Approve or revoke, by an administrator who is not the one that asked for it.

    Raises:
        NotFoundError, NotAllowedError: unknown, or not this caller's to decide.
        InvalidInputError: neither approve nor revoke, or a revocation without reason.
        ConflictError: decided already in another way; a revoked station enrols anew with another key.
    """
    actor, reason = uow.cause.actor, request.reason.strip()
    known = request.decision in AFTER
    refuse([fault("/decision", "应为 approve 或 revoke")] if not known else [], "无法处理")
    missing = (request.decision == "revoke" and not reason) or len(reason) > LONGEST_REASON
    refuse([fault("/reason", "请填写吊销的理由（不超过500字）")] if missing else [], "无法处理")
    before, after = AFTER[request.decision]
    with uow:
        station = uow.stations.get(request.station_id)
        if station is None:
            raise NotFoundError("没有这个扫描站")
        access.require(uow.connection, actor, "administer_body", body_id=station.body_id)
        if station.state == after:
            return messages.station_message(station)
        if station.state not in before.split():
            raise ConflictError("该扫描站已吊销，请用新的密钥重新登记")
        if request.decision == "approve" and actor.person_id == station.requested_by:
            raise NotAllowedError("登记和批准不能是同一人")
        decided = replace(station, state=after, decided_by=actor.person_id, reason=reason)
        return _changed(uow, f"{request.decision}_station", decided)


def _changed(uow: IdentityUnit, action: str, station: Station) -> pb.Station:
    station = replace(station, version=station.version + 1)
    uow.stations.put(station)
    told = messages.station_message(station)
    uow.emit(events.StationChanged(station=told), stream=station.station_id, body_id=station.body_id)
    uow.record(action, station.station_id, body_id=station.body_id, detail={"reason": station.reason})
    return told


def station_token(uow: IdentityUnit, knobs: IdentitySettings, request: pb.StationTokenRequest) -> pb.Session:
    """A token against a signature of the last minutes; each signature is good once.

    Raises:
        NotSignedInError: unknown station, wrong, old or repeated signature.
        NotAllowedError: not yet approved, or revoked.
    """
    with uow:
        station = uow.stations.get(request.station_id)
        at = is_fresh(request.signed_at, clock.now(), knobs.station_window)
        if station is None or not _is_signed(station, request.signed_at, request.signature):
            raise NotSignedInError("扫描站未登记，或者签名不符")
        if at is None:
            raise NotSignedInError("签名时间与平台时间相差超过5分钟，请校准扫描站的时钟")
        if station.state != "approved":
            raise NotAllowedError("扫描站已吊销" if station.state == "revoked" else "扫描站尚未批准")
        if station.last_signed_at is not None and at <= station.last_signed_at:
            raise NotSignedInError("该签名已经用过，请重新签名")
        uow.stations.put(replace(station, last_signed_at=at))
        actor = Actor("station", station.station_id, station.name, station.body_id)
        uow.acting(actor).record("station_token", station.station_id)
        return session_message(uow, knobs, actor)


def _is_signed(station: Station, signed_at: str, signature: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(station.public_key)
        key.verify(signature, station_message(station.station_id, signed_at))
    except (InvalidSignature, ValueError):
        return False
    return True
