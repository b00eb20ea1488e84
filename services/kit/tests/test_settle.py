"""The operators' door, and the one question tests wait on: has every fact had all its consequences?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from anjuan.kit.v1 import operations_pb2 as pb
from anjuan.kit.v1.operations_pb2_grpc import OperationsStub
from services.kit import identity, jobs, rpc
from services.kit.errors import InvalidInputError, NotAllowedError, UnavailableError
from services.kit.identity import Actor
from services.kit.process import Process
from services.kit.testing import NotSettledError, balances, until
from services.kit.tests.house import House
from services.kit.tests.rooms import LEFT, RIGHT

Ask = Callable[..., Any]


@pytest.fixture
def served(house: House) -> Iterator[House]:
    """The house with both rooms' servers, relays and tickers in this process."""
    process = Process(house.settings)
    for room in (LEFT, replace(RIGHT, unanswered=lambda uow: 0)):
        process.serve(room, house.host(room))
        process.relay(room)
        process.tick(room, house.host(room))
    process.start()
    yield house
    process.end()


@pytest.fixture
def ask(served: House) -> Iterator[Ask]:
    """Call right's door as the platform itself, or as another actor."""
    with rpc.channel(served.settings.rpc["right"]) as channel:
        stub = OperationsStub(channel)

        def call(name: str, request: Any, actor: Actor | None = None) -> Any:
            key = (served.rig.place.keys / "token.pem").read_bytes()
            token = identity.sign_token(actor, served.settings.site, key) if actor else served.token
            return rpc.invoke(getattr(stub, name), request, token=token)

        yield call


@pytest.mark.integration
def test_settles_only_when_the_answers_of_the_answers_are_in(served: House) -> None:
    served.emit(50, streams=7, answer=True)
    with pytest.raises(NotSettledError, match="right 已应用 left 的事件 0 / 50"):
        served.settle(timeout=2)
    served.start("right", "consume")
    until(lambda: served.noted() == 50, 90, "right has noted all")
    with pytest.raises(NotSettledError, match="left 已应用 right 的事件 0 / 50"):
        served.settle(timeout=2)
    served.start("left", "consume")
    served.settle()
    books = balances(dict(served.settings.rpc), served.token)
    assert books["left"].applied_by_source["right"] == books["right"].sent_by_source["right"] == 50


@pytest.mark.integration
def test_a_job_is_unfinished_until_done_and_a_failed_one_too(served: House) -> None:
    with served.unit("right") as uow:
        jobs.add(uow, "work", {"fails": True})
    with pytest.raises(NotSettledError, match="1 个到期未办的作业"):
        served.settle(timeout=0)
    served.ask("right", "with x as (update jobs set attempts = 1, run_at = now() + interval '1 hour' returning 1) "
                        "select 1")  # fmt: skip
    with pytest.raises(NotSettledError, match="1 个到期未办的作业"):
        served.settle(timeout=0)
    served.ask("right", "with x as (update jobs set parked_at = now(), error = 'E' returning 1) select 1")
    with pytest.raises(NotSettledError, match="job work is parked"):
        served.settle(timeout=90)


@pytest.mark.integration
def test_a_parked_event_is_a_failure_with_its_name(served: House, ask: Ask) -> None:
    served.emit(3, fails=True)
    served.start("right", "consume")
    with pytest.raises(NotSettledError, match=r"right: event EffectDone is parked \(left stream-0/1\): ValueError"):
        served.settle(timeout=90)
    (parked,) = ask("GetBalance", pb.GetBalanceRequest()).parked
    assert (parked.type, parked.effect_id) == ("EffectDone", "effect-0")
    assert ask("RetryParked", pb.RetryParkedRequest(parked_id=parked.parked_id)).retried == 1
    assert served.ask("right", "select parked from inbox where aggregate_id = 'stream-0'") is False
    assert ask("GetBalance", pb.GetBalanceRequest()).waiting == 3
    assert ask("RetryParked", pb.RetryParkedRequest()).retried == 0
    with pytest.raises(InvalidInputError):
        ask("RetryParked", pb.RetryParkedRequest(parked_id="nonsense"))


@pytest.mark.integration
def test_a_new_listener_is_filled_by_replay(served: House) -> None:
    served.emit(120, streams=4)
    until(lambda: served.unsent() == 0, 90, "all sent")
    channel = served.channel()
    channel.queue_purge("right.from.left.v1")
    channel.connection.close()
    served.start("right", "consume")
    served.emit(4, streams=4)
    with rpc.channel(served.settings.rpc["left"]) as door:
        replay = OperationsStub(door).Replay
        request = pb.ReplayRequest(queue="right.from.left.v1")
        until(lambda: served.unsent() == 0, 90, "all sent")
        assert rpc.invoke(replay, request, token=served.token).events == 124
        with pytest.raises(UnavailableError):
            rpc.invoke(replay, pb.ReplayRequest(queue="nobody.v1"), token=served.token)
    served.start("left", "consume")
    served.settle()
    assert served.noted() == 124


@pytest.mark.integration
def test_only_operators_come_in(ask: Ask) -> None:
    judge = Actor(kind="staff", person_id="p", name="张三", roles=frozenset({"judge"}))
    for name, request in (("GetBalance", pb.GetBalanceRequest()), ("VerifyAudit", pb.VerifyAuditRequest()),
                          ("Replay", pb.ReplayRequest()), ("RetryParked", pb.RetryParkedRequest()),
                          ("ListAudit", pb.ListAuditRequest()), ("NextDue", pb.NextDueRequest())):  # fmt: skip
        with pytest.raises(NotAllowedError):
            ask(name, request, judge)
    operator = Actor(kind="operator", person_id="o", name="运维")
    assert ask("GetBalance", pb.GetBalanceRequest(), operator).service == "right"


@pytest.mark.integration
def test_the_next_due_day(ask: Ask) -> None:
    assert ask("NextDue", pb.NextDueRequest(root_body_id="b", after="2025-03-01")).due_on == "2025-03-31"
    assert ask("NextDue", pb.NextDueRequest(root_body_id="b", after="2025-03-31")).due_on == ""
    with pytest.raises(InvalidInputError):
        ask("NextDue", pb.NextDueRequest(root_body_id="b", after="tomorrow"))


@pytest.mark.integration
def test_audit_is_listed_page_by_page_and_verified(served: House, ask: Ask) -> None:
    with served.unit("right") as uow:
        for number in range(5):
            uow.record("act", str(number), case_id="c", detail={"n": number})
        uow.record("act", "other", case_id="d")
    until(lambda: ask("VerifyAudit", pb.VerifyAuditRequest()).rows == 6, 90, "the ticker has linked all")
    verdict = ask("VerifyAudit", pb.VerifyAuditRequest())
    assert (verdict.unchained, list(verdict.faults)) == (0, [])
    first = ask("ListAudit", pb.ListAuditRequest(case_id="c", limit=3))
    rest = ask("ListAudit", pb.ListAuditRequest(case_id="c", limit=3, cursor=first.next_cursor))
    assert [row.object_id for row in (*first.rows, *rest.rows)] == ["0", "1", "2", "3", "4"]
    assert (first.rows[1].detail_json, first.rows[1].actor_name, rest.next_cursor) == ('{"n": 1}', "系统", "")
    with pytest.raises(InvalidInputError):
        ask("ListAudit", pb.ListAuditRequest(cursor="x"))
