"""The relay loses nothing, keeps the order, and marks only what the broker has taken over."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from services.kit import topology
from services.kit.publisher import BrokerGoneError
from services.kit.relay import Relay, await_word, listening, replay
from services.kit.testing import until
from services.kit.tests.house import House, terminate

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("caplog_at_info")]
Log = pytest.LogCaptureFixture
CUT = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'anjuan-left-outbox'"
LEADERS = """
    select count(*) from pg_locks where locktype = 'advisory' and granted
    and database = (select oid from pg_database where datname = current_database())"""
QUEUE = topology.queue("right", "left")


@pytest.fixture
def caplog_at_info(caplog: Log) -> None:
    caplog.set_level("INFO", "anjuan")


@contextmanager
def relaying(house: House) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Relay("left", house.settings).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def taken(house: House, queue: str = QUEUE) -> list[dict[str, Any]]:
    """Everything that waits in the queue."""
    channel, found = house.channel(), []
    while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
        found.append({**json.loads(got[2]), "headers": got[1].headers, "delivery_mode": got[1].delivery_mode})
    channel.connection.close()
    return found


def all_sent(house: House, seconds: float = 90) -> None:
    until(lambda: house.unsent() == 0, seconds, "the outbox is empty")


def streams_in_order(events: list[dict[str, Any]]) -> bool:
    """First arrivals of each stream come in seq order."""
    last: dict[str, int] = {}
    for event in events:
        before = last.get(event["subject"], 0)
        if event["sequence"] > before + 1:
            return False
        last[event["subject"]] = max(before, event["sequence"])
    return True


def test_everything_goes_out_in_order_and_persistent(house: House) -> None:
    with relaying(house):
        house.emit(450, streams=3)
        house.emit(50, streams=3)
        all_sent(house)
    events = taken(house)
    assert len(events) == 500
    assert streams_in_order(events)
    assert {event["delivery_mode"] for event in events} == {2}
    assert events[0]["headers"]["nameko.call_id_stack"] == [events[0]["id"]]


def test_a_later_event_overtakes_an_open_transaction_without_losing_it(house: House) -> None:
    with relaying(house):
        with house.unit("left") as uow:
            uow.lock("slow")
            uow.connection.execute(text(
                "insert into outbox (event_id, aggregate_id, seq, type, body) values ('e', 'slow', 1, 'X', '{}')"
            ))  # fmt: skip
            house.emit(1)
            until(lambda: house.depth(QUEUE) == 1, 10, "the later event is there")
        all_sent(house)
    assert len(taken(house)) == 2


def test_one_wait_takes_every_word_that_came(house: House) -> None:
    """Each commit gives one: answered one by one they would be asked for long after the last."""
    with listening(house.settings, "left", "outbox") as relay, listening(house.settings, "left", "other") as commits:
        for _ in range(20):
            commits.execute("notify outbox")
        relay.execute("select 1")
        await_word(relay, 5)
        assert list(relay.notifies(timeout=0.2)) == []
        assert relay.execute("show synchronous_commit").fetchone() == ("off",), "a mark need not wait for the disk"


def test_what_cannot_be_routed_is_not_marked(house: House, caplog: Log) -> None:
    channel = house.channel()
    channel.queue_delete(QUEUE)
    channel.queue_delete(topology.UNROUTED_QUEUE)
    channel.connection.close()
    with relaying(house):
        house.emit(5)
        until(lambda: "relay_waits" in caplog.text, 10, "the relay has tried")
        assert house.unsent() == 5
        topology.declare(house.settings.amqp, topology.generate({"left": (), "right": ("left",)}))
        all_sent(house)
    assert streams_in_order(taken(house))


def test_after_a_refusal_it_goes_on_from_the_first_unconfirmed(house: House, caplog: Log) -> None:
    channel = house.channel()
    tight = {"x-max-length": 4, "x-overflow": "reject-publish"}
    channel.queue_declare("tight", durable=True, arguments=tight)
    channel.queue_bind("tight", "left.events", routing_key="#")
    try:
        with relaying(house):
            house.emit(10)
            until(lambda: "relay_waits" in caplog.text, 10, "the queue is full")
            assert 0 < house.unsent() <= 6
            sent = house.ask("left", "select max(seq) from outbox where sent_at is not null")
            assert house.ask("left", "select count(*) from outbox where sent_at is null and seq <= :n", n=sent) == 0
            channel.queue_unbind("tight", "left.events", routing_key="#")
            all_sent(house)
    finally:
        channel.queue_delete("tight")
        channel.connection.close()
    events = taken(house)
    assert {event["sequence"] for event in events} == set(range(1, 11))
    assert streams_in_order(events)


def test_it_comes_back_after_broker_and_database(house: House) -> None:
    with relaying(house):
        house.emit(1)
        all_sent(house)
        house.rig.rabbitmq.stop()
        house.emit(20)
        assert house.unsent() == 20
        house.rig.rabbitmq.start()
        all_sent(house)
        house.rig.postgres.restart()
        house.engine("left").dispose()
        house.emit(20)
        all_sent(house)
    assert len({event["id"] for event in taken(house)}) == 41


def test_it_comes_back_after_cut_connections(house: House) -> None:
    with relaying(house):
        house.emit(1)
        all_sent(house)
        assert house.ask("left", CUT) == 1
        house.rig.cut_connections()
        house.emit(20)
        all_sent(house)
    assert len({event["id"] for event in taken(house)}) == 21


def test_a_second_relay_stands_by_until_the_first_is_killed(house: House, caplog: Log) -> None:
    first = house.start("left", "relay")
    until(lambda: house.ask("left", LEADERS) == 1, 90, "the first leads")
    with relaying(house):
        house.emit(10)
        all_sent(house)
        assert "relay_leads" not in caplog.text
        terminate(first)
        house.emit(10, first=10)
        all_sent(house)
        assert "relay_leads" in caplog.text
    assert streams_in_order(taken(house))


def test_killed_between_confirm_and_mark_it_sends_twice_and_the_inbox_takes_once(house: House) -> None:
    house.emit(30)
    with house.engine("left").connect() as blocker:
        blocker.execute(text("select 1 from outbox where seq = 11 for update"))
        first = house.start("left", "relay")
        until(lambda: house.depth(QUEUE) == 30, 90, "all are with the broker, none is marked")
        terminate(first)
        assert house.ask("left", CUT) == 1  # else the server would still carry out the dead client's update
        blocker.rollback()
    assert house.unsent() == 30
    with relaying(house):
        all_sent(house)
    house.start("right", "consume")
    house.await_noted(30)
    until(lambda: house.duplicates() == 30, 90, "the second copies are known")
    assert house.noted() == 30


def test_replay_sends_whole_streams_to_one_queue(house: House) -> None:
    with relaying(house):
        house.emit(450, streams=5)
        all_sent(house)
    taken(house)
    channel = house.channel()
    channel.queue_declare("late.from.left.v1")
    assert replay(house.settings, "left", "late.from.left.v1") == 450
    assert replay(house.settings, "left", "late.from.left.v1", "stream-3") == 90
    events = taken(house, "late.from.left.v1")
    channel.queue_delete("late.from.left.v1")
    channel.connection.close()
    assert len(events) == 540
    assert streams_in_order(events)
    assert taken(house) == []
    with pytest.raises(BrokerGoneError, match="did not take"):
        replay(house.settings, "left", "nobody.v1")
