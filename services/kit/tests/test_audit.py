"""The chain shows every tampering, and no late commit lands behind it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from psycopg import ServerCursor
from sqlalchemy import event, text

from services.kit import audit
from services.kit.run import Host
from services.kit.tests.house import House
from services.kit.tests.rooms import RIGHT

pytestmark = pytest.mark.integration


@pytest.fixture
def host(house: House) -> Host:
    return house.host(RIGHT)


def record(house: House, *names: str) -> None:
    for name in names:
        with house.unit("right") as uow:
            uow.record("act", name, detail={"名": name})


def chained(house: House, host: Host, *names: str) -> audit.Chainer:
    record(house, *names)
    chainer = audit.Chainer(host)
    chainer.step()
    return chainer


def alter(house: House, statement: str) -> None:
    with house.engine("right").begin() as connection:
        connection.execute(text(statement))


def test_rows_are_linked_and_heads_signed(house: House, host: Host) -> None:
    chained(house, host, "a", "b", "c")
    record(house, "d")
    found = audit.verify(host)
    assert (found.rows, found.unchained, found.faults) == (3, 1, [])
    assert len(found.head) == 64
    key = host.settings.data / "keys" / "audit-right.pem"
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("statement", "fault"), [
    ("update audit set object_id = 'x' where position = 2", "第2行与前一行不衔接"),
    ("update audit set at = at - interval '1 second' where position = 3", "第3行与前一行不衔接"),
    ("delete from audit where position = 2", "第3行与前一行不衔接"),
    ("delete from audit where position = 4", "第4行不见了"),
    ("update audit set link = null where position = 2", "第3行与前一行不衔接"),
    ("with p as (select 1) update audit set object_id = case position when 2 then 'c' else 'b' end "
     "where position in (2, 3)", "第2行与前一行不衔接"),
    ("update audit_heads set rows = 3", "第4行处的签名无效"),
    ("update audit_heads set signature = decode(repeat('00', 64), 'hex')", "第4行处的签名无效"),
])  # fmt: skip
def test_tampering_shows(house: House, host: Host, statement: str, fault: str) -> None:
    chained(house, host, "a", "b", "c", "d")
    assert audit.verify(host).faults == []
    alter(house, statement)
    assert any(said.startswith(fault) or f"签名的{fault}" in said for said in audit.verify(host).faults)


def test_linking_keeps_no_cursor_at_the_server(house: House, host: Host) -> None:
    """One that dies with the server is reported as an error of ours, beside the lost connection."""
    seen: list[Any] = []
    event.listen(host.engine, "after_cursor_execute", lambda *told: seen.append(told[1:3]))
    chained(house, host, "a", "b")
    assert audit.verify(host).unchained == 0
    linking = [type(cursor) for cursor, statement in seen if "link IS NULL" in statement]
    assert linking
    assert ServerCursor not in linking


def test_a_chain_reckoned_anew_without_the_key_shows(house: House, host: Host) -> None:
    chained(house, host, "a", "b")
    alter(house, "update audit set object_id = 'x' where position = 1")
    with house.engine("right").begin() as connection:
        link = audit.START
        for row in connection.execute(text("select * from audit order by position")).all():
            link = audit._next(link, row)
            values = {"link": link, "position": row.position}
            connection.execute(text("update audit set link = :link where position = :position"), values)
        connection.execute(text("update audit_heads set link = :link"), {"link": link})
    assert any("签名无效" in fault for fault in audit.verify(host).faults)


def test_a_late_commit_is_linked_in_its_place(house: House, host: Host) -> None:
    chainer = chained(house, host, "a")
    slow = house.unit("right")
    with slow:
        slow.record("act", "slow")
        slow.flush()
        record(house, "quick")
        for _ in range(3):
            chainer.step()
        assert audit.verify(host).unchained == 1
    chainer.step()
    chainer.step()
    found = audit.verify(host)
    assert (found.rows, found.unchained, found.faults) == (3, 0, [])
    assert house.ask("right", "select string_agg(object_id, ',' order by position) from audit") == "a,slow,quick"


def test_it_keeps_up_while_somebody_always_writes(house: House, host: Host) -> None:
    chainer = audit.Chainer(host)
    for name in "abcdef":
        with house.unit("right") as uow:
            uow.record("act", name)
            uow.flush()
            chainer.step()
    assert house.ask("right", "select count(*) from audit where link is not null") >= 4
    assert audit.verify(host).faults == []


def cut(house: House, after: int) -> None:
    """The tail, and all that the database knew of it."""
    alter(house, f"delete from audit where position > {after}")
    alter(house, f"delete from audit_heads where position > {after}")


def test_a_tail_cut_off_with_its_heads_shows(house: House, host: Host) -> None:
    chained(house, host, "a", "b")
    chained(house, host, "c", "d")
    assert audit.verify(host).faults == []
    assert len(list(host.objects.keys(audit.ANCHORS.format("right")))) == 1  # one a day
    cut(house, after=2)
    assert audit.verify(host).faults == ["已签名的第4行不见了：链尾被删除"]


def test_a_tail_cut_off_shows_even_when_the_chain_has_gone_on(house: House, host: Host) -> None:
    chained(house, host, "a", "b", "c", "d")
    cut(house, after=0)
    for name in ("e", "f"):
        chained(house, host, name)
    assert audit.verify(host).faults == ["已签名的第4行不见了：链尾被删除"]


def test_an_anchor_that_somebody_else_wrote_shows(house: House, host: Host) -> None:
    chained(house, host, "a", "b")
    (key,) = host.objects.keys(audit.ANCHORS.format("right"))
    forged = host.objects.get(key).replace(b'"rows": 2', b'"rows": 1')
    host.objects.put(key, io.BytesIO(forged), len(forged))
    assert any("签名无效" in fault for fault in audit.verify(host).faults)
