"""docs/failure-modes.md, executed: each room is stopped in turn while the API is used."""

from __future__ import annotations

import pytest

from services.kit.testing import settle
from services.ops.demo.site import RefusedError
from services.ops.demo.stage import Stage
from services.ops.trial import Platform
from tests.e2e.conftest import Scene

NAMES = {"intake": "收案登记", "workflow": "办案流程", "supervision": "期限监督",
         "archive": "电子卷宗", "notices": "通知"}  # fmt: skip
READS = {"intake": "/cases", "workflow": "/tasks", "supervision": "/clocks", "notices": "/notices"}


@pytest.mark.parametrize("room", sorted(NAMES))
def test_a_room_that_is_down_is_named_and_the_rest_goes_on(
    platform: Platform, stage: Stage, scene: Scene, room: str
) -> None:
    platform.hold(room)
    try:
        for other, path in READS.items():
            if other == room:
                with pytest.raises(RefusedError, match=NAMES[room]) as refusal:
                    scene.officer.get(path)
                assert refusal.value.status == 503
            else:
                scene.officer.get(path)
        case_id = "" if room == "intake" else scene.file(f"{room} 停用期间的线索")
    finally:
        platform.release(room)
    platform.await_ready()
    settle(stage.rpc, stage.operator.token())
    if case_id:
        assert scene.officer.get("/tasks", case_id=case_id)["tasks"]
        assert scene.officer.get(f"/cases/{case_id}/clocks")["clocks"]


def test_filing_goes_on_while_the_broker_is_down(platform: Platform, stage: Stage, scene: Scene) -> None:
    platform.hold("rabbitmq")
    try:
        case_id = scene.file("消息中间件停用期间的线索")
        assert scene.officer.get(f"/cases/{case_id}")["state"] == "received"
    finally:
        platform.release("rabbitmq")
    platform.await_ready()
    settle(stage.rpc, stage.operator.token(), timeout=120)
    assert scene.officer.get("/tasks", case_id=case_id)["tasks"]


def test_without_the_database_the_answer_says_try_again(platform: Platform, stage: Stage, scene: Scene) -> None:
    platform.hold("postgres")
    try:
        with pytest.raises(RefusedError) as refusal:
            scene.officer.get("/cases")
        assert refusal.value.status == 503
    finally:
        platform.release("postgres")
    platform.await_ready()
    settle(stage.rpc, stage.operator.token(), timeout=120)
    assert "cases" in scene.officer.get("/cases")
