"""A station's life: asks, is approved by another, gets tokens for signatures, is revoked for good."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import views
from services.identity.tests.scene import Scene
from services.identity.usecases import stations
from services.kit import clock
from services.kit.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    RateLimitedError,
)
from services.kit.identity import Actor
from services.kit.rpc import ANONYMOUS

MINUTE = timedelta(minutes=1)


def enrol(
    scene: Scene, key: Ed25519PrivateKey, actor: Actor = ANONYMOUS, body_id: str = "county", name: str = "一号站"
) -> pb.Station:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    request = pb.EnrolStationRequest(name=name, body_id=body_id, public_key=raw)
    return stations.enrol_station(scene.unit(actor), scene.knobs, request)


def decide(scene: Scene, station_id: str, who: str, decision: str = "approve", reason: str = "") -> pb.Station:
    request = pb.DecideStationRequest(station_id=station_id, decision=decision, reason=reason)
    return stations.decide_station(scene.unit(scene.actor(who)), request)


def ask_token(
    scene: Scene, key: Ed25519PrivateKey, station_id: str, at: datetime | str | None = None, signed: str = ""
) -> pb.Session:
    when = at if isinstance(at, str) else (at or clock.now()).isoformat()
    signature = key.sign((signed or f"anjuan-station:{station_id}:{when}").encode())
    request = pb.StationTokenRequest(station_id=station_id, signed_at=when, signature=signature)
    return stations.station_token(scene.unit(ANONYMOUS), scene.knobs, request)


def test_the_life_of_a_station(scene: Scene) -> None:
    key = Ed25519PrivateKey.generate()
    station = enrol(scene, key)
    assert (station.state, len(station.fingerprint.split())) == ("requested", 8)
    with pytest.raises(NotAllowedError, match="尚未批准"):
        ask_token(scene, key, station.station_id)
    assert decide(scene, station.station_id, "administrator").state == "approved"
    actor = scene.read(ask_token(scene, key, station.station_id).token)
    assert (actor.kind, actor.person_id, actor.body_id, actor.roles) == (
        "station", station.station_id, "county", frozenset()
    )  # fmt: skip
    assert decide(scene, station.station_id, "second", "revoke", "设备遗失").state == "revoked"
    with pytest.raises(NotAllowedError, match="已吊销"):
        ask_token(scene, key, station.station_id)
    with pytest.raises(ConflictError):
        decide(scene, station.station_id, "administrator")
    assert enrol(scene, key).state == "revoked"
    assert [fact["station"]["state"] for fact in scene.told("StationChanged")] == ["requested", "approved", "revoked"]
    assert [a for a in scene.audited() if "station" in a] == [
        "enrol_station", "approve_station", "station_token", "revoke_station"
    ]  # fmt: skip


def test_after_days_offline_a_fresh_signature_is_enough(scene: Scene) -> None:
    key = Ed25519PrivateKey.generate()
    station = enrol(scene, key)
    decide(scene, station.station_id, "administrator")
    ask_token(scene, key, station.station_id)
    scene.age("stations", timedelta(days=9), "last_signed_at")
    assert ask_token(scene, key, station.station_id).kind == "station"


def test_signatures_that_are_not_good(scene: Scene) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    first, second = enrol(scene, key).station_id, enrol(scene, other).station_id
    for station_id in (first, second):
        decide(scene, station_id, "administrator")
    now = clock.now()
    with pytest.raises(NotSignedInError):
        ask_token(scene, other, first)
    with pytest.raises(NotSignedInError):
        ask_token(scene, key, "nobody")
    for at in (now - 6 * MINUTE, now + 6 * MINUTE, now.replace(tzinfo=None).isoformat(), "yesterday"):
        with pytest.raises(NotSignedInError):
            ask_token(scene, key, first, at)
    with pytest.raises(NotSignedInError):
        ask_token(scene, key, first, signed=f"anjuan-station:{second}:{now.isoformat()}")
    assert ask_token(scene, key, first, now - 4 * MINUTE).kind == "station"
    with pytest.raises(NotSignedInError, match="已经用过"):
        ask_token(scene, key, first, now - 4 * MINUTE)


def test_who_asked_does_not_approve(scene: Scene) -> None:
    station = enrol(scene, Ed25519PrivateKey.generate(), scene.actor("administrator"))
    with pytest.raises(NotAllowedError, match="同一人"):
        decide(scene, station.station_id, "administrator")
    assert decide(scene, station.station_id, "second").state == "approved"


def test_only_administrators_of_the_body_or_above_decide(scene: Scene) -> None:
    here, beside = (enrol(scene, Ed25519PrivateKey.generate(), body_id=body) for body in ("county", "sister"))
    for who, station in (("officer", here), ("administrator", beside)):
        with pytest.raises(NotAllowedError):
            decide(scene, station.station_id, who)
    assert decide(scene, beside.station_id, "chief").state == "approved"
    with scene.unit(scene.actor("administrator")) as uow:
        assert [s.station_id for s in views.list_stations(uow, pb.ListStationsRequest()).stations] == [here.station_id]
        with pytest.raises(NotAllowedError):
            views.list_stations(uow, pb.ListStationsRequest(body_id="sister"))


def test_wrong_requests(scene: Scene) -> None:
    key = Ed25519PrivateKey.generate()
    with pytest.raises(InvalidInputError):
        enrol(scene, key, body_id="nowhere")
    with pytest.raises(InvalidInputError):
        enrol(scene, key, name=" ")
    with pytest.raises(InvalidInputError):
        stations.enrol_station(
            scene.unit(ANONYMOUS), scene.knobs, pb.EnrolStationRequest(name="x", body_id="county", public_key=b"short")
        )
    station = enrol(scene, key)
    with pytest.raises(ConflictError):
        enrol(scene, key, body_id="sister")
    for decision, reason in (("perhaps", ""), ("revoke", "")):
        with pytest.raises(InvalidInputError):
            decide(scene, station.station_id, "administrator", decision, reason)
    with pytest.raises(NotFoundError):
        decide(scene, "nobody", "administrator")


def test_requests_of_strangers_are_limited(scene: Scene) -> None:
    for _ in range(scene.knobs.open_requests):
        enrol(scene, Ed25519PrivateKey.generate())
    with pytest.raises(RateLimitedError):
        enrol(scene, Ed25519PrivateKey.generate())
    assert enrol(scene, Ed25519PrivateKey.generate(), body_id="sister").state == "requested"
