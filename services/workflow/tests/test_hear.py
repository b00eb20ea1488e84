"""Facts move tokens: joins, races, quorums, boundaries, facts that came early; random orders, restored each time."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from anjuan.documents.v1 import events_pb2 as document_facts
from anjuan.intake.v1 import events_pb2 as intake_facts
from anjuan.kit.v1.cards_pb2 import SupervisionCard
from anjuan.supervision.v1 import events_pb2 as supervision_facts
from services.kit import clock
from services.workflow.tests.desk import COUNTY, ON, Desk
from services.workflow.tests.tiny import bundle

TINY = ("tiny", "1.0.0")
JOIN = "start s\ntask a b c d\npar p j\nend e\ns -> a -> p -> b -> j -> d -> e\np -> c -> j"
RACE = """start s
race r
wait corrected
catch expired
task go late
end e
s -> r -> corrected -> go -> e
r -> expired -> late -> e"""
RACE_NODES = {
    "corrected": {"waits_for": {"event": "FilingCorrected"}},
    "expired": {"waits_for": {"event": "TimeLimitExpired", "match": "event.limit_id == 'x-limit'"}},
    "go": {}, "late": {},
}  # fmt: skip


def begin(desk: Desk, drawing: str, nodes: dict[str, Any], **more: Any) -> str:
    desk.publish(bundle("tiny", drawing, nodes, **more))
    return desk.file(TINY)


def expire(desk: Desk, case_id: str, limit_id: str = "x-limit") -> None:
    fact = supervision_facts.TimeLimitExpired(limit_id=limit_id, due_on="2025-03-10")
    desk.tell("supervision", fact, stream=case_id, case_id=case_id, body_id=COUNTY)


def served(desk: Desk, case_id: str, instrument: str, party: str) -> None:
    fact = document_facts.InstrumentServed(instrument_id="i1", instrument=instrument, party_id=party)
    desk.tell("documents", fact, stream=case_id, case_id=case_id, body_id=COUNTY)


def correct(desk: Desk, case_id: str) -> None:
    desk.intake(intake_facts.FilingCorrected(card=desk.card(case_id, TINY, title="更正后")), case_id, TINY)


def states(desk: Desk, case_id: str) -> dict[str, str]:
    return {v.node_id: v.state for v in desk.course("leader", case_id).visits}


def test_parallel_branches_join(desk: Desk) -> None:
    case_id = begin(desk, JOIN, {name: {} for name in "abcd"})
    desk.complete("zhang", case_id, "a")
    assert desk.open_nodes(case_id) == ["b", "c"]
    desk.complete("li", case_id, "c")
    assert desk.open_nodes(case_id) == ["b"]
    desk.complete("zhang", case_id, "b")
    assert desk.open_nodes(case_id) == ["d"]


@pytest.mark.parametrize(("first", "node", "loser"), [(correct, "go", "expired"), (expire, "late", "corrected")])
def test_a_race_is_won_by_the_first_fact_and_the_loser_is_recorded(
    desk: Desk, first: Any, node: str, loser: str
) -> None:
    case_id = begin(desk, RACE, RACE_NODES)
    assert desk.open_nodes(case_id) == ["corrected", "expired"]
    expire(desk, case_id, "another-limit")
    first(desk, case_id)
    assert desk.open_nodes(case_id) == [node]
    (correct if first is expire else expire)(desk, case_id)
    assert desk.open_nodes(case_id) == [node]
    assert states(desk, case_id)[loser] == "cancelled"
    [cancelled] = desk.told(case_id, "NodeCancelled")
    assert cancelled.data.node_id == loser
    assert desk.query("select * from inbox_waiting") == []


def test_a_quorum_counts_each_addressee_once(desk: Desk) -> None:
    wait = {"event": "InstrumentServed", "quorum": "all", "of": "case.parties.map(p, p.party_id)",
            "key": "event.party_id", "match": "event.instrument == 'notice'"}  # fmt: skip
    case_id = begin(desk, "start s\nwait w\ntask a\nend e\ns -> w -> a -> e", {"w": {"waits_for": wait}, "a": {}})
    served(desk, case_id, "notice", "nobody")
    served(desk, case_id, "other", "pa")
    assert desk.open_nodes(case_id) == ["w"]
    served(desk, case_id, "notice", "pa")
    assert (desk.open_nodes(case_id), states(desk, case_id)["w"]) == (["a"], "done")


@pytest.mark.parametrize(("since", "after"), [("opened", ["w"]), ("case", ["b"])])
def test_facts_before_the_opening_count_only_where_the_pack_says_so(desk: Desk, since: str, after: list[str]) -> None:
    drawing = "start s\ntask a b\nwait w\nend e\ns -> a -> w -> b -> e"
    case_id = begin(desk, drawing, {"a": {}, "b": {}, "w": {"waits_for": {"event": "FilingCorrected", "from": since}}})
    correct(desk, case_id)
    desk.complete("zhang", case_id, "a")
    assert desk.open_nodes(case_id) == after


def test_an_early_fact_counts_once_in_a_loop(desk: Desk) -> None:
    drawing = "start s\ntask a b\nwait w\nxor m g\nend e\ns -> a -> m -> w -> b -> g"
    drawing += "\ng -> m : size(case.title) > 0\ng -> e : size(case.title) == 0"
    case_id = begin(desk, drawing, {"a": {}, "b": {}, "w": {"waits_for": {"event": "FilingCorrected", "from": "case"}}})
    correct(desk, case_id)
    desk.complete("zhang", case_id, "a")
    desk.complete("zhang", case_id, "b")
    assert desk.open_nodes(case_id) == ["w"]


def test_a_boundary_interrupts_its_node(desk: Desk) -> None:
    drawing = "start s\ntask a c\nedge! stop_it on a\nend e f\ns -> a -> e\nstop_it -> c -> f"
    nodes = {"a": {}, "c": {}, "stop_it": {"waits_for": {"event": "CaseClosed"}}}
    case_id = begin(desk, drawing, nodes, ends=("e", "f"))
    desk.intake(intake_facts.CaseClosed(card=desk.card(case_id, TINY, state="closed")), case_id, TINY)
    assert (desk.open_nodes(case_id), states(desk, case_id)["a"]) == (["c"], "cancelled")
    assert [t.node_id for t in desk.list("zhang").tasks] == ["c"]


def test_own_facts_move_tokens_too(desk: Desk) -> None:
    drawing = "start s\npar p j\ntask a\nwait w\nend e\ns -> p -> a -> j -> e\np -> w -> j"
    assign = {"id": "assign", "effect": "assign_case", "with": {"officers": "=['li']"}}
    case_id = begin(desk, drawing, {"a": {"effects": [assign]}, "w": {"waits_for": {"event": "CaseAssigned"}}})
    desk.complete("zhang", case_id, "a")
    assert desk.course("leader", case_id).concluded


def test_a_case_waits_until_its_pack_is_published(desk: Desk) -> None:
    case_id = desk.file(("tiny", "2.0.0"))
    expire(desk, case_id)
    assert [r.attempts for r in desk.query("select attempts from inbox_waiting")] == [1, 1]
    assert desk.query("select 1 from inbox_waiting where parked_at is not null") == []
    desk.publish(bundle("tiny", RACE, RACE_NODES, version="2.0.0"))
    with desk.host.engine.begin() as connection:
        connection.exec_driver_sql("update inbox_waiting set retry_at = clock_timestamp() - interval '1 second'")
    desk.listener.sweep()
    desk.listener.sweep()
    assert desk.query("select * from inbox_waiting") == []
    assert desk.open_nodes(case_id) == ["late"]


def test_a_day_told_before_the_procedure_has_begun_waits_for_nothing(desk: Desk) -> None:
    desk.publish(bundle("tiny", JOIN, {node: {} for node in "abcd"}))
    case_id, soon = clock.new_id(), SupervisionCard(limit_id="x", due_on="2025-03-10", state="running")
    told = supervision_facts.DueDayChanged(limit_id="x", due_on="2025-03-10", state="running", card=soon)
    more = {"case_id": case_id, "body_id": COUNTY, "pack_id": TINY[0], "pack_version": TINY[1]}
    desk.tell("supervision", told, stream=case_id, **more)
    assert desk.query("select * from inbox_waiting") == []
    desk.file(TINY, case_id)
    assert [(t.due_on, t.due_state) for t in desk.list("zhang").tasks] == [("2025-03-10", "running")]


def test_due_days_are_passed_on_to_open_tasks(desk: Desk) -> None:
    drawing = RACE.replace("race r", "race r\ntask z").replace("s -> r", "s -> z -> r")
    case_id = begin(desk, drawing, RACE_NODES | {"z": {}})
    quiet = desk.file(TINY)

    def supervise(fact: Any) -> None:
        desk.tell("supervision", fact, stream=case_id, case_id=case_id, body_id=COUNTY)

    card = SupervisionCard(limit_id="x-limit", due_on="2025-03-10", state="running", unit="working-day")
    supervise(supervision_facts.DueDayChanged(limit_id="x-limit", due_on="2025-03-10", state="running", card=card))
    shown = desk.list("zhang")
    rows = [(t.case_id, t.due_on, t.due_state) for t in shown.tasks]
    assert rows == [(case_id, "2025-03-10", "running"), (quiet, "", "")]
    assert (shown.to_do, shown.due_soon, shown.overdue) == (2, 0, 0)
    card.state = "due_soon"
    supervise(supervision_facts.ClockDueSoon(limit_id="x-limit", due_on="2025-03-10", remaining=3, card=card))
    soon = desk.list("zhang", due_state="due_soon")
    assert ([t.case_id for t in soon.tasks], soon.due_soon, soon.overdue) == ([case_id], 1, 0)
    desk.complete("zhang", case_id, "z")
    desk.advance(ON + timedelta(days=8))
    correct(desk, case_id)
    over = desk.list("zhang", due_state="overdue")
    assert [(t.node_id, t.due_state) for t in over.tasks] == [("go", "overdue")]
    assert (over.to_do, over.due_soon, over.overdue) == (2, 0, 1)
    later = SupervisionCard(limit_id="x-limit", due_on="2025-04-10", state="running")
    supervise(supervision_facts.DueDayChanged(limit_id="x-limit", due_on="2025-04-10", state="running", card=later))
    assert desk.list("zhang", due_state="running").tasks[0].due_on == "2025-04-10"
    assert desk.list("zhang").overdue == 0


@pytest.mark.parametrize("seed", range(4))
def test_random_orders_end_the_same(desk: Desk, seed: int) -> None:
    """Every step is its own transaction on the state read from the database; a second room takes turns."""
    chance = random.Random(seed)
    drawing = """start s
par p j
task a b c
wait w v
end e
s -> p -> a -> b -> j -> e
p -> w -> c -> j
p -> v -> j"""
    nodes = {"a": {}, "b": {}, "c": {}, "w": {"waits_for": {"event": "FilingCorrected"}},
             "v": {"waits_for": {"event": "TimeLimitExpired"}}}  # fmt: skip
    case_id = begin(desk, drawing, nodes)
    other = Desk(desk.rig, desk.archive, desk.sequences)
    facts = [lambda d: correct(d, case_id), lambda d: expire(d, case_id)]
    try:
        while not desk.course("leader", case_id).concluded:
            tasks = [t.node_id for t in desk.list("zhang", case_id=case_id).tasks]
            pick = chance.randrange(len(tasks) + len(facts))
            if pick < len(tasks):
                desk.complete("zhang", case_id, tasks[pick])
            else:
                facts.pop(pick - len(tasks))(chance.choice([desk, other]))
    finally:
        other.consuming.engine.dispose()
    assert states(desk, case_id) == dict.fromkeys("awbcv", "done")
    assert len(desk.told(case_id, "ProcedureConcluded")) == 1
