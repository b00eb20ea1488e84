"""The doors: every fact a pack may name is heard, and calls answer over gRPC."""

from __future__ import annotations

from datetime import date

import pytest

from anjuan.supervision.v1 import supervision_pb2 as pb
from anjuan.supervision.v1.supervision_pb2_grpc import SupervisionStub
from services.kit import rpc
from services.kit.errors import NotFoundError, NotSignedInError
from services.kit.identity import sign_token
from services.kit.inbox.streams import reaction_name
from services.kit.procedure import registry
from services.ops.rig.session import Rig
from services.supervision.__main__ import ROOM
from services.supervision.consumer import SupervisionConsumer
from services.supervision.tests.scene import CITY, Scene
from services.supervision.usecases.effects import PERFORMERS

pytestmark = pytest.mark.integration


def test_every_fact_that_a_pack_may_name_is_heard() -> None:
    facts = {name for name, kind in registry.facts().items() if kind.source in SupervisionConsumer.sources}
    assert len(facts) > 20
    assert {name for name in facts if not hasattr(SupervisionConsumer, reaction_name(name))} == set()
    assert {kind.source for kind in registry.facts().values()} <= {*SupervisionConsumer.sources, "supervision"}


def test_every_effect_of_this_room_has_a_performer() -> None:
    owned = {name for name, kind in registry.effects().items() if kind.owner == "supervision"}
    assert owned == set(PERFORMERS)


def test_next_due_is_none_in_an_empty_room(empty: Scene) -> None:
    assert ROOM.next_due is not None
    assert ROOM.next_due(empty.host.begin_as_system("test"), CITY, date(2025, 3, 3)) is None


def test_calls_are_answered_over_grpc(scene: Scene, rig: Rig) -> None:
    scene.file("c1", "2025-03-03")
    address = f"127.0.0.1:{rig.ports['rpc_supervision']}"
    server = rpc.serve(scene.host, ROOM.rpc(scene.host), address, threads=2)
    server.start()
    key = (rig.place.keys / "token.pem").read_bytes()
    token = sign_token(scene.actor("body_leader"), scene.host.settings.site, key)
    try:
        with rpc.channel(address) as channel:
            stub = SupervisionStub(channel)
            (clock,) = rpc.invoke(stub.ListClocks, pb.ListClocksRequest(case_id="c1"), token=token).clocks
            whole = rpc.invoke(stub.GetClock, pb.GetClockRequest(clock_id=clock.clock_id), token=token)
            assert whole.due_on == "2025-03-24"
            assert len(whole.steps) >= 3
            assert not rpc.invoke(stub.ListAlertCards, pb.ListAlertCardsRequest(case_id="c1"), token=token).cards
            with pytest.raises(NotFoundError):
                rpc.invoke(stub.GetClock, pb.GetClockRequest(clock_id="no-such"), token=token)
            with pytest.raises(NotSignedInError):
                rpc.invoke(stub.ListClocks, pb.ListClocksRequest())
    finally:
        server.stop(None).wait()
