"""Approval rounds inside one node: single and in sequence, returned, recalled, never by oneself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError, PreconditionError
from services.workflow.tests.desk import ON, Desk
from services.workflow.tests.tiny import bundle, form

TINY = ("tiny", "1.0.0")
DRAWING = "start s\ntask a b\nend e\ns -> a -> b -> e"
HEAD = {"id": "head", "title": "科长审核", "actor": {"role": "division_head"}, "when": "form.amount > 100"}
LEADER = {"id": "leader", "title": "局长批准", "actor": {"role": "body_leader"}}
FORMS = {"a": form(amount={"type": "integer"})}


def begin(desk: Desk, amount: int = 500, who: str = "zhang", **approval: object) -> str:
    rule = {"mode": "sequence", "levels": [HEAD, LEADER]} | approval
    effect = {"id": "told", "effect": "notify", "with": {"to": "officers", "text": "=approvals.leader.name"}}
    desk.publish(bundle("tiny", DRAWING, {"a": {"approval": rule, "effects": [effect], "awaits": []}, "b": {}},
                        forms=FORMS))  # fmt: skip
    case_id = desk.file(TINY)
    assert desk.complete(who, case_id, "a", {"amount": amount}).state == "done"
    return case_id


def said(desk: Desk, case_id: str) -> list[tuple[int, str, str, str]]:
    return [(o.round, o.level, o.person_id, o.decision) for o in desk.course("leader", case_id).visits[0].opinions]


def test_level_after_level(desk: Desk) -> None:
    case_id = begin(desk)
    assert desk.list("leader").to_do == 0
    task = desk.task("head", case_id, "a")
    assert (task.kind, task.level, task.title, task.from_name) == ("approval", "head", "a·科长审核", "zhang某")
    view = desk.ask("head", "GetTask", pb.GetTaskRequest(task_id=task.task_id))
    assert (list(view.actions), view.draft["amount"]) == (["approve", "return"], 500)
    desk.decide("head", case_id, "a")
    assert desk.open_nodes(case_id) == ["a"]
    last = desk.task("leader", case_id, "a")
    done = desk.decide("leader", case_id, "a", said="准予")
    kept = desk.query("select version from tasks where task_id = :id", id=last.task_id)[0].version
    assert (done.state, done.version, kept) == ("done", last.version + 1, last.version + 1)
    assert desk.open_nodes(case_id) == ["b"]
    assert said(desk, case_id) == [(1, "", "zhang", "submit"), (1, "head", "head", "agree"),
                                   (1, "leader", "leader", "agree")]  # fmt: skip
    [completed] = desk.told(case_id, "NodeCompleted")
    assert completed.data.completed_by == "leader"
    assert [r["params"]["text"] for r in desk.asked(case_id, "notify")] == ["leader某"]


def test_a_level_that_does_not_apply_is_skipped(desk: Desk) -> None:
    case_id = begin(desk, amount=100)
    assert (desk.list("head").to_do, desk.list("leader").to_do) == (0, 1)
    desk.decide("leader", case_id, "a")
    assert desk.open_nodes(case_id) == ["b"]


def test_return_goes_to_who_filled_it_in_and_begins_a_new_round(desk: Desk) -> None:
    case_id = begin(desk)
    desk.decide("head", case_id, "a")
    with pytest.raises(InvalidInputError, match="理由"):
        desk.decide("leader", case_id, "a", "return", " ")
    assert desk.decide("leader", case_id, "a", "return", "金额不清").state == "returned"
    assert [desk.list(p).to_do for p in ("li", "head", "leader")] == [0, 0, 0]
    task = desk.task("zhang", case_id, "a")
    assert (task.kind, task.refused_reason, task.from_name) == ("form", "a·局长批准退回：金额不清", "leader某")
    assert desk.ask("zhang", "GetTask", pb.GetTaskRequest(task_id=task.task_id)).draft["amount"] == 500
    [back] = desk.told(case_id, "NodeSentBack")
    assert (back.data.level, back.data.reason, back.data.sent_back_by) == ("leader", "金额不清", "leader")
    desk.complete("zhang", case_id, "a", {"amount": 300})
    desk.decide("head", case_id, "a")
    desk.decide("leader", case_id, "a")
    assert [s[:2] for s in said(desk, case_id)] == [(1, ""), (1, "head"), (1, "leader"), (2, ""), (2, "head"),
                                                    (2, "leader")]  # fmt: skip
    [completed] = desk.told(case_id, "NodeCompleted")
    assert completed.raw["data"] == {"amount": 300.0}


def test_recall_before_the_next_has_acted(desk: Desk) -> None:
    case_id = begin(desk)
    mine = desk.list("zhang", state="done", case_id=case_id).tasks[0]
    assert list(desk.ask("zhang", "GetTask", pb.GetTaskRequest(task_id=mine.task_id)).actions) == ["recall"]
    with pytest.raises(NotAllowedError):
        desk.ask("li", "Recall", pb.RecallRequest(task_id=mine.task_id))
    desk.ask("zhang", "Recall", pb.RecallRequest(task_id=mine.task_id, reason="写错金额"))
    assert desk.list("head").to_do == 0
    desk.complete("zhang", case_id, "a", {"amount": 200})
    desk.decide("head", case_id, "a")
    with pytest.raises(ConflictError, match="下一级"):
        desk.ask("zhang", "Recall", pb.RecallRequest(task_id=mine.task_id))
    his = desk.list("head", state="done", case_id=case_id).tasks[0]
    desk.ask("head", "Recall", pb.RecallRequest(task_id=his.task_id, reason="再看看"))
    assert (desk.list("head").to_do, desk.list("leader").to_do) == (1, 0)
    desk.decide("head", case_id, "a", "return", "还是退回")
    desk.complete("zhang", case_id, "a", {"amount": 50})
    desk.decide("leader", case_id, "a")
    with pytest.raises(ConflictError):
        desk.ask("zhang", "Recall", pb.RecallRequest(task_id=mine.task_id))
    assert desk.open_nodes(case_id) == ["b"]


def test_no_recall_where_the_pack_says_never(desk: Desk) -> None:
    case_id = begin(desk, recall="never")
    mine = desk.list("zhang", state="done", case_id=case_id).tasks[0]
    with pytest.raises(ConflictError, match="不能撤回"):
        desk.ask("zhang", "Recall", pb.RecallRequest(task_id=mine.task_id))


def test_nobody_approves_what_he_has_filled_in(desk: Desk) -> None:
    case_id = begin(desk, who="both")
    assert desk.list("both").to_do == 0
    task = desk.task("head", case_id, "a")
    with pytest.raises(NotAllowedError, match="不由您办理"):
        desk.ask("both", "DecideApproval", pb.DecideApprovalRequest(task_id=task.task_id, decision="agree"))
    with pytest.raises(ConflictError, match="要审批"):
        desk.ask("head", "CompleteTask", pb.CompleteTaskRequest(task_id=task.task_id))
    with pytest.raises(InvalidInputError):
        desk.ask("head", "DecideApproval", pb.DecideApprovalRequest(task_id=task.task_id, decision="maybe"))
    desk.decide("head", case_id, "a")
    desk.decide("leader", case_id, "a")
    assert desk.open_nodes(case_id) == ["b"]


def test_what_comes_back_to_somebody_who_has_left_waits_for_his_colleagues(desk: Desk) -> None:
    case_id = begin(desk)
    desk.person("zhang", state="left")
    desk.decide("head", case_id, "a", "return", "重办")
    assert [desk.list(p).to_do for p in ("zhang", "li", "qian")] == [0, 1, 1]
    assert desk.complete("li", case_id, "a", {"amount": 5}).state == "done"


def test_an_act_is_not_dated_before_the_one_before_it(desk: Desk) -> None:
    case_id = begin(desk)
    desk.advance(ON + timedelta(days=9))
    task = desk.task("head", case_id, "a")
    agree: dict[str, Any] = {"task_id": task.task_id, "decision": "agree", "if_version": task.version}
    for day in ("2025-03-02", "2025-03-13"):
        with pytest.raises(InvalidInputError):
            desk.ask("head", "DecideApproval", pb.DecideApprovalRequest(**agree, occurred_on=day))
    desk.ask("head", "DecideApproval", pb.DecideApprovalRequest(**agree, occurred_on="2025-03-06"))
    last = desk.task("leader", case_id, "a")
    approve: dict[str, Any] = {"task_id": last.task_id, "decision": "agree", "if_version": last.version}
    with pytest.raises(InvalidInputError, match="2025-03-06"):
        desk.ask("leader", "DecideApproval", pb.DecideApprovalRequest(**approve, occurred_on="2025-03-05"))
    desk.ask("leader", "DecideApproval", pb.DecideApprovalRequest(**approve, occurred_on="2025-03-07"))
    assert desk.told(case_id, "NodeCompleted")[0].occurred_on == date(2025, 3, 7)


def test_nobody_decides_what_he_has_not_read(desk: Desk) -> None:
    case_id = begin(desk)
    task = desk.task("head", case_id, "a")
    for decision in ("agree", "return"):
        known: dict[str, Any] = {"task_id": task.task_id, "decision": decision, "text": "无"}
        with pytest.raises(InvalidInputError, match="If-Match"):
            desk.ask("head", "DecideApproval", pb.DecideApprovalRequest(**known))
        with pytest.raises(PreconditionError, match="已变化"):
            desk.ask("head", "DecideApproval", pb.DecideApprovalRequest(**known, if_version=task.version + 1))
    assert desk.decide("head", case_id, "a").state == "done"


def test_the_legal_day_of_an_act_is_not_the_day_it_is_dated(desk: Desk) -> None:
    effect = {
        "id": "told",
        "effect": "notify",
        "with": {"to": "officers", "text": "=act.occurred_on + ' ' + act.legal_on"},
    }
    nodes = {"a": {"approval": {"mode": "single", "levels": [LEADER]}, "effects": [effect]}, "b": {}}
    desk.publish(bundle("tiny", DRAWING, nodes, forms=FORMS))
    case_id = desk.file(TINY)
    desk.complete("zhang", case_id, "a", {"amount": 1})
    desk.advance(ON + timedelta(days=9))
    task = desk.task("leader", case_id, "a")
    agree: dict[str, Any] = {"task_id": task.task_id, "decision": "agree", "if_version": task.version}
    desk.ask("leader", "DecideApproval", pb.DecideApprovalRequest(**agree, occurred_on="2025-03-04"))
    assert [r["params"]["text"] for r in desk.asked(case_id, "notify")] == ["2025-03-04 2025-03-12"]


def test_a_level_waits_until_enough_have_agreed_each_for_himself(desk: Desk) -> None:
    two = {"id": "leader", "title": "集体审核", "actor": {"role": "case_officer", "min_people": 2}}
    case_id = begin(desk, levels=[two])
    told = [e.data for e in desk.told(case_id, "ApprovalAsked")]
    assert (told[0].title, list(told[0].person_ids)) == ("a·集体审核", ["both", "li", "novice", "qian"])
    desk.decide("li", case_id, "a")
    assert (desk.open_nodes(case_id), desk.list("li").to_do) == (["a"], 0)
    assert desk.decide("qian", case_id, "a").state == "done"
    assert (desk.open_nodes(case_id), said(desk, case_id)[1:]) == (
        ["b"], [(1, "leader", "li", "agree"), (1, "leader", "qian", "agree")])  # fmt: skip
    assert [list(e.data.person_ids) for e in desk.told(case_id, "ApprovalAsked")][1] == ["both", "novice", "qian"]
