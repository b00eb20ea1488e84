"""Each event once, in the order of its stream, whatever order and however often it is delivered."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from anjuan.identity.v1 import events_pb2 as identity_pb
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.workflow.v1.events_pb2 import PackPublished
from services.kit import clock, events, identity
from services.kit.database import traceparent
from services.kit.inbox.streams import ATTEMPTS, Listener, StoreGoneError, reaction_name
from services.kit.tests.house import ON, House
from services.kit.tests.rooms import RIGHT, done

pytestmark = pytest.mark.integration


def told(seq: int, message: Message | None = None, *, source: str = "left", stream: str = "s", **what: Any) -> bytes:
    """An event as the bus brings it."""
    said = message or done(seq, **what)
    return events.encode(events.Event(
        event_id=f"{source}-{stream}-{seq}", source=source, type=said.DESCRIPTOR.name, aggregate_id=stream, seq=seq,
        occurred_on=ON, at=clock.now(), actor=identity.system("test"), raw=events.to_raw(said), body_id="b",
    ))  # fmt: skip


@pytest.fixture
def ear(house: House) -> Listener:
    return Listener.of(RIGHT, house.host(RIGHT, driver="psycopg2"))


@pytest.fixture
def due(house: House) -> Callable[[], None]:
    """Make every retry due now."""
    now = "with x as (update inbox_waiting set retry_at = now() where retry_at is not null returning 1) select 1"
    return lambda: house.ask("right", now)


def order(house: House) -> list[tuple[str, int]]:
    """(stream, seq) as they were noted."""
    with house.engine("right").begin() as connection:
        rows = connection.execute(text("select object_id from audit where action = 'noted' order by position"))
        return [(name.split("-")[1], int(name.split("-")[2])) for name in rows.scalars()]


def waiting(house: House) -> list[Any]:
    with house.engine("right").begin() as connection:
        return list(connection.execute(text("select * from inbox_waiting order by aggregate_id, seq")))


def test_reaction_names() -> None:
    assert reaction_name("CaseDocketed") == "on_case_docketed"
    assert reaction_name("DueDayChanged") == "on_due_day_changed"


def test_duplicates_are_counted_and_suppressed(house: House, ear: Listener) -> None:
    ear.take([told(1), told(1), told(2)])
    ear.take([told(2), told(1), told(3)])
    assert order(house) == [("s", 1), ("s", 2), ("s", 3)]
    assert house.duplicates() == 3


def test_what_comes_too_early_waits_for_the_gap_to_close(house: House, ear: Listener) -> None:
    ear.take([told(3), told(1)])
    assert order(house) == [("s", 1)]
    ear.take([told(5), told(4)])
    assert [row.seq for row in waiting(house)] == [3, 4, 5]
    ear.take([told(2)])
    assert order(house) == [("s", n) for n in range(1, 6)]
    assert waiting(house) == []


def test_any_order_and_any_repetition_give_the_same(house: House, ear: Listener) -> None:
    draw = random.Random(20251103)
    wanted = [(stream, seq) for stream in "abc" for seq in range(1, 21)]
    sent = [*wanted, *draw.choices(wanted, k=60)]
    draw.shuffle(sent)
    while sent:
        size = draw.randint(1, 17)
        ear.take([told(seq, stream=stream) for stream, seq in sent[:size]])
        sent = sent[size:]
    found = order(house)
    assert sorted(found) == wanted
    assert all([n for s, n in found if s == stream] == list(range(1, 21)) for stream in "abc")
    assert house.duplicates() == 60


def test_poison_holds_back_only_its_own_stream(house: House, ear: Listener, due: Callable[[], None]) -> None:
    batch = [told(1, stream="a"), told(1, stream="b", fails=True), told(2, stream="b"), told(1, stream="c"),
             told(2, stream="a")]  # fmt: skip
    ear.take(batch)
    assert sorted(order(house)) == [("a", 1), ("a", 2), ("c", 1)]
    for _ in range(ATTEMPTS - 2):
        due()
        ear.sweep()
    assert waiting(house)[0].parked_at is None
    due()
    ear.sweep()
    parked = waiting(house)[0]
    assert (parked.aggregate_id, parked.seq, parked.attempts) == ("b", 1, ATTEMPTS)
    assert parked.parked_at is not None
    assert parked.error == "ValueError: this event is poison"
    assert house.ask("right", "select parked from inbox where aggregate_id = 'b'") is True
    due()
    ear.sweep()
    ear.take([told(1, stream="b", fails=True), told(3, stream="a")])
    assert waiting(house)[0].attempts == ATTEMPTS
    assert ("a", 3) in order(house)


def test_poison_that_had_waited_does_not_blame_the_event_that_let_it_in(
    house: House, ear: Listener, due: Callable[[], None]
) -> None:
    ear.take([told(2, fails=True), told(3)])
    ear.take([told(1)])
    assert order(house) == [("s", 1)]
    ear.sweep()
    assert [(row.seq, row.attempts) for row in waiting(house)] == [(2, 1), (3, 0)]


def test_delays_grow(house: House, ear: Listener, due: Callable[[], None]) -> None:
    ear.take([told(1, fails=True)])
    delays = []
    for _ in range(3):
        delays.append((waiting(house)[0].retry_at - clock.now()).total_seconds())
        ear.sweep()  # not due: no attempt
        due()
        ear.sweep()
    assert delays[0] < delays[1] < delays[2] <= 2.0
    assert waiting(house)[0].attempts == 4


def test_an_event_before_its_pack_is_tried_for_ever(house: House, ear: Listener, due: Callable[[], None]) -> None:
    ear.take([told(1, pack="p"), told(2)])
    for _ in range(ATTEMPTS + 3):
        due()
        ear.sweep()
    assert waiting(house)[0].parked_at is None
    pack = PackPublished(pack_id="p", version="1", sha256="0", valid_from="2025-01-01")
    ear.take([told(1, pack, source="workflow", stream="p")])
    due()
    ear.sweep()
    assert order(house) == [("s", 1), ("s", 2)]
    assert waiting(house) == []


@pytest.mark.parametrize("body", [
    b"", b"\xff\xfe", b"[1]", b'{"id": "x"}', told(0), told(1).replace(b'"left"', b'"le\\u0000ft"'),
    told(1).replace(b'"data":{', b'"data":[],"x":{'), told(1).replace(b'"s"', b'"\\ud800"'), told(2**63),
    told(1).replace(b'"sequence":1', b'"sequence":1e999'), b"[" * 200_000,
])  # fmt: skip
def test_unreadable_bytes_are_parked_not_lost(house: House, ear: Listener, body: bytes) -> None:
    ear.take([told(1), body, body, told(2)])
    assert len(order(house)) == 2
    (kept,) = waiting(house)
    assert (kept.source, bytes(kept.body)) == ("?", body)
    assert kept.parked_at is not None
    house.ask("right", "with x as (update inbox_waiting set parked_at = null returning 1) select 1")
    ear.sweep()
    assert waiting(house)[0].parked_at is not None


def test_what_could_not_be_read_is_applied_when_it_can(house: House, ear: Listener) -> None:
    house.ask("right", "with x as (insert into inbox_waiting (source, aggregate_id, seq, body) values "
                       "('?', encode(sha256(:body), 'hex'), 0, :body) returning 1) select 1", body=told(1))  # fmt: skip
    ear.sweep()
    assert order(house) == [("s", 1)]
    assert waiting(house) == []


def test_an_event_without_reaction_advances_and_feeds_projections(house: House, ear: Listener) -> None:
    body = Body(body_id="b", name="测试人民法院", kind="court", tier="basic")
    changed = identity_pb.BodyChanged(body=body)
    ear.take([told(1, changed, source="identity", stream="b")])
    assert house.ask("right", "select name from body_tree where body_id = 'b'") == "测试人民法院"
    assert house.ask("right", "select last_seq from inbox where source = 'identity'") == 1


def test_a_new_legal_date_ticks_for_its_tree_in_the_same_transaction(house: House, ear: Listener) -> None:
    moved = identity_pb.LegalDateAdvanced(root_body_id="b", legal_on="2025-03-31")
    ear.take([told(1, moved, source="identity", stream="b")])
    assert house.ask("right", "select legal_on from legal_dates where root_id = 'b'") == date(2025, 3, 31)
    assert house.ask("right", "select object_id from audit where action = 'ticked'") == "b"
    same = "select count(distinct xmin::text) from (select xmin from inbox union all select xmin from audit) x"
    assert house.ask("right", same) == 1


def test_consequences_name_their_cause_and_trace(house: House, ear: Listener) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    body = told(1, answer=True)
    ear.take([body[:-1] + f',"traceparent":"{trace}"}}'.encode(), told(2, answer=True)])
    with house.engine("right").begin() as connection:
        bodies = connection.execute(text("select body from outbox order by seq")).scalars()
        sent = [events.decode(bytes(body)) for body in bodies]
    assert [(e.cause_id, e.seq, e.traceparent) for e in sent] == [("left-s-1", 1, trace), ("left-s-2", 2, "")]
    assert sent[0].actor.rule == "test"
    assert traceparent.get() in ("", trace)


def test_a_database_that_is_gone_is_no_fault_of_the_event(house: House, ear: Listener) -> None:
    ear.take([told(1)])
    house.rig.postgres.stop()
    with pytest.raises(StoreGoneError):
        ear.take([told(2, fails=True)])
    with pytest.raises(DBAPIError):
        ear.sweep()
    house.rig.postgres.start()
    house.engine("right").dispose()
    ear.take([told(2)])
    assert order(house) == [("s", 1), ("s", 2)]
