"""What happens by itself: under one lease, each part for itself, with partitions made ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from services.kit.inbox.streams import Listener
from services.kit.tests.house import House
from services.kit.tests.rooms import RIGHT
from services.kit.tick import Ticker, make_partitions

pytestmark = pytest.mark.integration


def ticker(house: House, scripted: bool = False) -> Ticker:
    return Ticker(Listener.of(RIGHT, house.host(RIGHT, scripted)))


def ticked(house: House) -> list[str]:
    with house.engine("right").begin() as connection:
        return list(connection.execute(text("select object_id from audit where action = 'ticked'")).scalars())


def test_ticks_for_everybody_but_not_where_dates_are_moved_by_hand(house: House) -> None:
    ticker(house, scripted=True).step()
    assert ticked(house) == []
    house.ask("right", "with x as (delete from leases returning 1) select 1")
    ticker(house).step()
    assert ticked(house) == ["everybody"]


def test_only_one_of_two_ticks_until_its_lease_ends(house: House) -> None:
    first, second = ticker(house), ticker(house)
    first.step()
    second.step()
    assert len(ticked(house)) == 1
    house.ask("right", "with x as (update leases set until = now() returning 1) select 1")
    second.step()
    first.step()
    assert len(ticked(house)) == 2


def test_one_part_in_trouble_does_not_hold_up_the_others(house: House, caplog: pytest.LogCaptureFixture) -> None:
    def stumble(uow: object, root_id: str | None) -> None:
        raise ValueError("a clock is broken")

    room = replace(RIGHT, tick=stumble)
    house.ask("right", "with x as (insert into idempotency (actor_id, key, request_hash, created_at) values "
                       "('a', 'old', '', now() - interval '30 days'), ('a', 'new', '', now()) returning 1) "
                       "select 1")  # fmt: skip
    Ticker(Listener.of(room, house.host(room, scripted=False))).step()
    assert "a clock is broken" in caplog.text
    assert house.ask("right", "select string_agg(key, ',') from idempotency") == "new"


def partitions(house: House) -> dict[str, int]:
    """Rows in each."""
    with house.engine("left").begin() as connection:
        names = connection.execute(text("select inhrelid::regclass::text from pg_inherits "
                                        "where inhparent = 'outbox'::regclass")).scalars().all()  # fmt: skip
        return {name: connection.execute(text(f"select count(*) from {name}")).scalar_one() for name in names}


def test_partitions_are_made_ahead_and_late_rows_move_along(house: House) -> None:
    house.emit(3)
    house.ask("left", "with x as (insert into outbox (event_id, aggregate_id, seq, type, body, created_at) "
                      "values ('e', 'late', 1, 'X', '{}', '2031-05-20'), ('f', 'late', 2, 'X', '{}', '2031-07-01') "
                      "returning 1) select 1")  # fmt: skip
    assert partitions(house)["outbox_rest"] == 2
    for _ in range(2):
        with house.engine("left").begin() as connection:
            make_partitions(connection, date(2031, 5, 31))
    found = partitions(house)
    assert found["outbox_2031_05"] == 1
    assert found["outbox_2031_06"] == 0
    assert found["outbox_rest"] == 1
    assert sum(found.values()) == 5
    assert house.ask("left", "select count(*) from outbox where sent_at is null") == 5


def test_a_new_month_begins_in_its_own_partition(house: House) -> None:
    with house.engine("left").begin() as connection:
        make_partitions(connection, date(2031, 12, 1))
    house.ask("left", "with x as (insert into outbox (event_id, aggregate_id, seq, type, body, created_at) "
                      "values ('e', 's', 1, 'X', '{}', '2032-01-31 23:59:59+00') returning 1) select 1")  # fmt: skip
    assert partitions(house)["outbox_2032_01"] == 1
