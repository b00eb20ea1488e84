"""The consumer as a process: kill it, cut it, take its broker and its database away; the books balance."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from services.kit import topology
from services.kit.relay import Relay
from services.kit.testing import until
from services.kit.tests.house import House, terminate
from services.kit.tests.rooms import GATE

pytestmark = pytest.mark.integration
QUEUE = topology.queue("right", "left")


@pytest.fixture
def relayed(house: House) -> Iterator[House]:
    """The house with left's relay in this process."""
    stop = threading.Event()
    thread = threading.Thread(target=Relay("left", house.settings).run, args=(stop,))
    thread.start()
    yield house
    stop.set()
    thread.join(10)


def books_balance(house: House, count: int) -> None:
    """Every event noted once, in order, nothing waiting, everything acked."""
    house.await_noted(count, 90)
    assert house.noted() == count
    assert house.ask("right", "select count(distinct object_id) from audit where action = 'noted'") == count
    assert house.ask("right", "select coalesce(sum(last_seq), 0) from inbox") == count
    assert house.ask("right", "select count(*) from inbox_waiting") == 0
    disordered = """
        select count(*) from (select detail->>'seq' as seq, 1 + coalesce(lag((detail->>'seq')::int) over
        (partition by detail->>'stream' order by position), 0) as next from audit where action = 'noted') x
        where seq::int <> next"""
    assert house.ask("right", disordered) == 0


def test_killed_in_the_middle_of_a_batch_it_takes_all_again_once(relayed: House) -> None:
    house, consumer = relayed, relayed.start("right", "consume")
    house.emit(10)
    house.await_noted(10)
    with house.engine("right").connect() as gate:
        gate.execute(text("select pg_advisory_lock(:gate)"), {"gate": GATE})
        house.emit(40, first=10)
        house.emit(1, first=50, gate=True)
        until(house.at_gate, 90, "the batch stands in its middle")
        terminate(consumer)
        gate.execute(text("select pg_advisory_unlock(:gate)"), {"gate": GATE})
    house.start("right", "consume")
    books_balance(house, 51)


def test_asked_to_end_it_finishes_what_it_began(relayed: House) -> None:
    house, consumer = relayed, relayed.start("right", "consume")
    with house.engine("right").connect() as gate:
        gate.execute(text("select pg_advisory_lock(:gate)"), {"gate": GATE})
        house.emit(1, gate=True)
        until(house.at_gate, 90, "the event is in hand")
        consumer.terminate()
        house.emit(5, first=1)
        assert consumer.poll() is None
        gate.execute(text("select pg_advisory_unlock(:gate)"), {"gate": GATE})
        assert consumer.wait(12) == 0
    assert house.noted() >= 1
    house.start("right", "consume")
    books_balance(house, 6)


def test_broker_stopped_and_started(relayed: House) -> None:
    house = relayed
    house.start("right", "consume")
    house.emit(20, streams=3)
    house.await_noted(20)
    house.rig.rabbitmq.restart()
    house.emit(20, streams=3, first=20)
    house.rig.rabbitmq.stop()
    house.emit(20, streams=3, first=40)
    house.rig.rabbitmq.start()
    books_balance(house, 60)


def test_database_restarted_while_events_flow(relayed: House) -> None:
    house = relayed
    house.start("right", "consume")
    house.emit(300, streams=7)
    house.await_noted(20)
    house.rig.postgres.restart()
    for engine in house.engines.values():
        engine.dispose()
    house.emit(50, streams=7, first=300)
    books_balance(house, 350)


def test_connections_cut_while_events_flow(relayed: House) -> None:
    house = relayed
    house.start("right", "consume")
    house.emit(300, streams=7)
    house.await_noted(20)
    house.rig.cut_connections()
    house.ask("right", "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                       "where pid <> pg_backend_pid() and datname = current_database()")  # fmt: skip
    house.engine("right").dispose()
    house.emit(50, streams=7, first=300)
    books_balance(house, 350)


def test_a_consumer_started_before_its_queue_waits_for_it(relayed: House) -> None:
    house = relayed
    house.clear_queues()
    house.start("right", "consume")
    log = house.rig.place.logs / "right-consume.log"
    seen = log.stat().st_size
    until(lambda: "no queue" in log.read_text()[seen:], 90, "it says what it misses")
    topology.declare(house.settings.amqp, topology.generate({"left": (), "right": ("left",)}))
    house.emit(5)
    books_balance(house, 5)


def test_bytes_that_are_no_event_do_not_stop_it(relayed: House) -> None:
    house, channel = relayed, relayed.channel()
    channel.basic_publish("", QUEUE, b"\x1f\x8b not json")
    channel.connection.close()
    house.start("right", "consume")
    house.emit(5)
    house.await_noted(5)
    assert house.ask("right", "select count(*) from inbox_waiting where source = '?' and parked_at is not null") == 1
    assert house.depth(QUEUE) == 0
