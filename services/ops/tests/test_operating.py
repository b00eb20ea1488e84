"""Replay, the audit's proof and parked events, as an operator types them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from typer.testing import CliRunner

from services.kit import clock, topology
from services.kit.testing import until
from services.ops.__main__ import app
from services.ops.doctor import running
from services.ops.doctor.asking import SECONDS
from services.ops.rig import process
from services.ops.trial import Platform

pytestmark = pytest.mark.integration


def typed(platform: Platform, *words: str, code: int = 0) -> dict[str, Any]:
    answer = CliRunner().invoke(app, [*words, "--data", str(platform.installation.place.data), "--json"])
    assert answer.exit_code == code, answer.output
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


def asked(platform: Platform, room: str, query: str) -> Any:
    with platform.installation.postgres.connect(f"anjuan_{room}") as admin:
        done = admin.execute(query.encode())
        return done.fetchone() if done.description else None


@pytest.fixture
def ready(platform: Platform) -> Platform:
    platform.await_ready()
    return platform


def test_replay_sends_whole_streams_to_one_listener(ready: Platform, tmp_path: Path) -> None:
    bodies = tmp_path / "bodies.csv"
    for name in ("甲院", "乙院"):  # the second one is the second event of its stream
        bodies.write_text(f"code,name,tier\nR1,{name},province\n")
        typed(ready, "people", "import", str(bodies))
    until(lambda: asked(ready, "intake", "select 1 from body_tree where name = '乙院'"), 60, "the body's new name")
    sent, of_one, stream = asked(
        ready, "identity", "select sum(n), max(n), (array_agg(aggregate_id order by n desc))[1] from (select "
        "aggregate_id, count(*) n from outbox where sent_at is not null group by 1) s",
    )  # fmt: skip
    assert of_one >= 2
    before = int(asked(ready, "intake", "select coalesce(sum(duplicates), 0) from inbox")[0])
    assert typed(ready, "replay", "identity", "intake") == {
        "ok": True, "queue": "intake.from.identity.v1", "events": sent}  # fmt: skip
    assert typed(ready, "replay", "identity", "intake", "--stream", stream)["events"] == of_one
    until(lambda: asked(ready, "intake", "select sum(duplicates) from inbox")[0] == before + sent + of_one,
          60, "the replayed events")  # fmt: skip


def test_replay_to_somebody_who_does_not_listen_is_refused(ready: Platform) -> None:
    assert "不接收" in typed(ready, "replay", "notices", "identity", code=1)["problem"]
    assert "没有名为" in typed(ready, "replay", "identity", "nobody", code=1)["problem"]


def test_the_audit_of_every_room_is_proved(ready: Platform) -> None:
    found = typed(ready, "audit", "verify")
    assert {one["room"] for one in found["rooms"]} == set(ready.installation.rooms)
    until(lambda: typed(ready, "audit", "verify", "identity")["rooms"][0]["rows"] > 0, 30, "a chain")
    asked(ready, "identity", "update audit set action = action || '!' where position = 1")
    try:
        (one,) = typed(ready, "audit", "verify", "identity", code=1)["rooms"]
        assert one["faults"][0].startswith("第1行")
    finally:
        asked(ready, "identity", "update audit set action = rtrim(action, '!') where position = 1")
    assert typed(ready, "audit", "verify", "identity")["ok"]


@pytest.fixture
def parked(ready: Platform) -> Iterator[str]:
    """The id of a message that notices cannot read."""
    with pika.BlockingConnection(pika.URLParameters(ready.settings.amqp)) as broker:
        broker.channel().basic_publish("", topology.queue("notices", "intake"), b"no event")
    (one,) = until(lambda: typed(ready, "parked", "list")["parked"], 60, "the parked message")
    assert (one["room"], one["source"]) == ("notices", "?")
    yield one["parked_id"]
    asked(ready, "notices", "delete from inbox_waiting where source = '?'")


def test_what_is_parked_is_listed_and_tried_again(ready: Platform, parked: str) -> None:
    assert typed(ready, "parked", "retry", "notices", parked)["retried"] == 1
    assert typed(ready, "parked", "retry", "notices", "?/0/nothing")["retried"] == 0
    assert typed(ready, "parked", "retry", "intake")["retried"] == 0


def test_the_doctor_names_the_room_in_which_something_is_parked(ready: Platform, parked: str) -> None:
    (told,) = [one for one in running.findings(ready.installation) if one.check == "搁置的事项"]
    assert (told.ok, told.found) == (False, "notices 1 项（无法读懂）")


def test_the_doctor_names_who_does_not_answer_and_does_not_wait_for_it(ready: Platform) -> None:
    place, begun = ready.installation.place, clock.monotonic()
    assert process.send(place, "servers", signal.SIGSTOP)
    try:
        told = {one.check: one for one in running.findings(ready.installation)}
    finally:
        process.send(place, "servers", signal.SIGCONT)
    assert clock.monotonic() - begun < 2 * SECONDS
    assert {name for name, one in told.items() if not one.ok} == {"业务服务", "搁置的事项"}
    assert (told["业务服务"].found, told["搁置的事项"].found[:4]) == ("没有应答", "无法查询")


def test_the_doctor_asks_the_rooms_side_by_side(ready: Platform) -> None:
    with ready.installation.postgres.connect("anjuan_notices") as admin, admin.transaction():
        admin.execute("lock table inbox_waiting in access exclusive mode")
        (told,) = [one for one in running.findings(ready.installation) if one.check == "搁置的事项"]
    assert (told.ok, told.found) == (False, "notices 在 3.5 秒内没有应答")


def test_an_effect_that_is_not_there_cannot_be_refused(ready: Platform) -> None:
    assert "未找到" in typed(ready, "parked", "refuse", "none", "--reason", "办不成", code=1)["problem"]
