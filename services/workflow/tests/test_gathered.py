"""What a unit of work gathers: written before the next read, at once, or not at all."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import text

from anjuan.kit.v1.cards_pb2 import SupervisionCard
from anjuan.supervision.v1.events_pb2 import DueDayChanged
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import clock, events
from services.kit.effects import struct
from services.ops.rig.statements import statements
from services.workflow.model.audience import Seat
from services.workflow.store import WorkflowUnit
from services.workflow.store.whole import Due
from services.workflow.tests.desk import COUNTY, Desk
from services.workflow.tests.test_complete_task import TINY, line


def _hearing(uow: WorkflowUnit, hearing_id: str) -> None:
    at = clock.now()
    uow.hearings.add(hearing_id=hearing_id, case_id="c", body_id=COUNTY, room="第一法庭", starts_at=at,
                     ends_at=at.replace(year=at.year + 1), panel_ids=("zhang", "li"), state="scheduled")  # fmt: skip


def test_a_read_finds_what_was_added_and_changed_before(desk: Desk) -> None:
    with desk.host.begin_as_system("test") as uow:
        _hearing(uow, "h")
        uow.hearings.change("h", state="cancelled")
        uow.hearings.change("h", kind="trial")  # not among the columns of the new row
        found = uow.hearings.find("h")
        assert (found.state, found.kind, found.panel_ids) == ("cancelled", "trial", ("zhang", "li"))
        uow.hearings.change("h", kind="pre_trial")
    assert desk.query("select kind from hearings")[0].kind == "pre_trial"


def test_a_savepoint_takes_back_what_was_gathered_in_it_alone(desk: Desk) -> None:
    with desk.host.begin_as_system("test") as uow:
        _hearing(uow, "kept")
        with suppress(ValueError), uow.savepoint():
            _hearing(uow, "lost")
            uow.hearings.change("kept", state="cancelled")
            raise ValueError
    assert [(r.hearing_id, r.state) for r in desk.query("select * from hearings")] == [("kept", "scheduled")]


def test_a_column_that_there_is_not_is_refused_where_it_is_named(desk: Desk) -> None:
    with pytest.raises(ValueError, match="hearings has no rom"), desk.host.begin_as_system("test") as uow:
        uow.hearings.change("h", rom="第一法庭")


def test_a_task_leaves_a_list_and_comes_back_to_it_in_one_transaction(desk: Desk) -> None:
    case_id = line(desk)
    task_id = desk.task("zhang", case_id, "a").task_id
    with desk.host.begin_as_system("test") as uow:
        found = uow.tasks.whole(task_id)
        assert found is not None
        assert (found.task.version, found.caller) == (1, None)
        uow.tasks.unseat(task_id)
        uow.tasks.seat(task_id, [*found.seats, Seat("person:county:head", 0)], found.instance, Due())
        uow.tasks.change(task_id, title="改过")
        uow.tasks.unseat(task_id)
        uow.tasks.seat(task_id, found.seats, found.instance, Due())
    again = desk.task("zhang", case_id, "a")
    assert (again.title, again.version, desk.list("head", case_id=case_id).to_do) == ("改过", 2, 0)


def test_what_was_read_ahead_gives_way_to_a_day_told_since(desk: Desk) -> None:
    one, other = line(desk), desk.file(TINY)
    with desk.host.begin_as_system("test") as uow:
        uow.lock(one, other)
        assert uow.tasks.instance_with_due(one) is not None  # and with it the other's
        told = text("update case_card set due_on = '2025-03-10', due_state = 'running' where case_id = :id")
        uow.connection.execute(told, {"id": other})
        uow.tasks.redate(other)
        found = uow.tasks.instance_with_due(other)
        assert found is not None
        assert (found[0].case_id, found[1].on) == (other, date(2025, 3, 10))


def test_a_completion_is_five_statements(desk: Desk) -> None:
    case_id = line(desk)
    task = desk.task("zhang", case_id, "a")
    request = pb.CompleteTaskRequest(task_id=task.task_id, data=struct({"reason": "情况属实"}), if_version=task.version)
    desk.ask("zhang", "GetTask", pb.GetTaskRequest(task_id=task.task_id))  # the pack is loaded from here on
    with statements(desk.host.engine) as asked:
        assert desk.ask("zhang", "CompleteTask", request).state == "done"
    assert len(asked) == 5, asked


def test_filings_and_days_that_come_together_cost_so_many_statements_however_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    line(desk)
    bodies: list[bytes] = []
    monkeypatch.setattr(desk, "tell", lambda source, fact, **more: bodies.append(
        events.encode(desk.event(source, fact, **more))))  # fmt: skip
    costs, filed = [], dict[str, str]()
    for many in (3, 30):
        for at in range(many):
            day = f"2025-03-{at + 1:02d}"
            case_id = desk.file(TINY)
            filed[case_id] = day
            card = SupervisionCard(limit_id="x", due_on=day, state="running")
            desk.tell("supervision", DueDayChanged(limit_id="x", card=card), stream=case_id, case_id=case_id,
                      body_id=COUNTY, pack_id=TINY[0], pack_version=TINY[1])  # fmt: skip
        with statements(desk.host.engine) as asked:
            desk.listener.take(bodies)
        costs.append(len(asked))
        bodies.clear()
    assert costs[0] == costs[1], asked
    rows = desk.query("select case_id, due_on, due_state from task_audience where due_state = 'running'")
    assert {r.case_id: r.due_on.isoformat() for r in rows} == filed
