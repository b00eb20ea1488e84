"""Consequences: held, asked for, done, refused and asked again; nothing done is asked twice."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import ConflictError, DomainError, InvalidInputError, NotAllowedError, RuleRefusedError
from services.workflow.__main__ import ROOM
from services.workflow.tests.desk import ON, Desk
from services.workflow.tests.tiny import bundle, form

TINY = ("tiny", "1.0.0")
DRAWING = "start s\ntask a b\nend e\ns -> a -> b -> e"
ACCEPT = {"id": "accept", "effect": "accept_filing", "with": {"reason": "=form.why"}}
DOCKET = {"id": "docket", "effect": "docket", "after": ["accept"], "with": {"reason": "=results.accept.accepted_on"}}
REFUSE = {"id": "refuse", "effect": "refuse_docketing", "when": "form.why == 'no'", "with": {"reason": "=form.why"}}
NOTIFY = {"id": "tell", "effect": "notify", "after": ["docket"],
          "with": {"to": "parties", "text": "=results.docket.case_number"}}  # fmt: skip
FORMS = {"a": form(why={"type": "string"})}


def begin(desk: Desk, *effects: Any, who: str = "zhang", **node: Any) -> str:
    node = {"effects": list(effects), "awaits": [e["id"] for e in effects if e["id"] != "tell"]} | node
    desk.publish(bundle("tiny", DRAWING, {"a": node, "b": {}}, forms=FORMS))
    case_id = desk.file(TINY)
    desk.complete(who, case_id, "a", {"why": "yes"})
    return case_id


def unanswered(desk: Desk) -> int:
    assert ROOM.unanswered is not None
    with desk.host.begin_as_system("test") as uow:
        return ROOM.unanswered(uow)


def test_effects_wait_for_one_another_and_the_token_for_those_awaited(desk: Desk) -> None:
    case_id = begin(desk, ACCEPT, DOCKET, REFUSE, NOTIFY)
    [task] = desk.list("zhang", state="done").tasks
    assert (task.state, list(task.waiting_for)) == ("waiting_for_effects", ["accept_filing", "docket"])
    assert task.waiting_since
    [accept] = desk.asked(case_id, "accept_filing")
    assert (accept["owner"], accept["params"], accept["attempt"]) == ("intake", {"reason": "yes"}, 1)
    assert accept["occurred_on"] == ON
    visit_id = desk.course("zhang", case_id).visits[0].visit_id
    assert accept["effect_id"] == str(uuid5(UUID(visit_id), "accept:1"))
    assert (desk.asked(case_id, "docket"), unanswered(desk), desk.open_nodes(case_id)) == ([], 1, ["a"])
    desk.answer(accept, accepted_on="2025-03-03")
    [docket] = desk.asked(case_id, "docket")
    assert docket["params"] == {"reason": "2025-03-03"}
    assert docket["answers"] == {"accept": {"accepted_on": "2025-03-03"}}
    desk.answer(docket, case_number="某市监立案〔2025〕1号", docketed_on="2025-03-03")
    assert desk.open_nodes(case_id) == ["b"]
    [completed] = desk.told(case_id, "NodeCompleted")
    assert set(completed.raw["results"]) == {"accept", "docket"}
    [notify] = desk.asked(case_id, "notify")
    assert (notify["params"]["text"], unanswered(desk)) == ("某市监立案〔2025〕1号", 1)
    desk.answer(notify, notice_ids=["n1"])
    assert unanswered(desk) == 0
    states = {e.name: e.state for e in desk.course("zhang", case_id).visits[0].effects}
    assert states == {"accept": "done", "docket": "done", "refuse": "dropped", "tell": "done"}


def test_refusal_opens_the_node_again_and_done_effects_stand(desk: Desk) -> None:
    case_id = begin(desk, ACCEPT, DOCKET)
    [accept] = desk.asked(case_id, "accept_filing")
    desk.answer(accept, accepted_on="2025-03-03")
    [docket] = desk.asked(case_id, "docket")
    desk.answer(docket, refused="当事人名称有误，请先更正")
    assert desk.list("li").to_do == 0
    task = desk.task("zhang", case_id, "a")
    assert (task.state, task.refused_reason) == ("open", "立案编号未能办理：当事人名称有误，请先更正")
    assert (unanswered(desk), len(desk.told(case_id, "NodeSentBack"))) == (0, 1)
    desk.complete("zhang", case_id, "a", {"why": "again"})
    assert len(desk.asked(case_id, "accept_filing")) == 1
    again = desk.asked(case_id, "docket")[1]
    assert (again["attempt"], again["effect_id"]) == (2, str(uuid5(UUID(task.visit_id), "docket:2")))
    desk.answer(docket, refused="迟到的重复答复")
    desk.answer(again, case_number="某1号", docketed_on="2025-03-03")
    desk.answer(again, case_number="某1号", docketed_on="2025-03-03")
    assert desk.open_nodes(case_id) == ["b"]
    assert len(desk.told(case_id, "NodeCompleted")) == 1


def test_refusal_after_approval_comes_back_to_the_last_approver(desk: Desk) -> None:
    levels = [{"id": "leader", "title": "批准", "actor": {"role": "body_leader"}}]
    case_id = begin(desk, ACCEPT, approval={"mode": "single", "levels": levels})
    assert desk.asked(case_id, "accept_filing") == []
    desk.decide("leader", case_id, "a")
    mine = desk.list("zhang", state="done").tasks[0]
    with pytest.raises(ConflictError):
        desk.ask("zhang", "Recall", pb.RecallRequest(task_id=mine.task_id))
    desk.answer(desk.asked(case_id, "accept_filing")[0], refused="材料不齐")
    assert (desk.list("zhang").to_do, desk.task("leader", case_id, "a").kind) == (0, "approval")
    desk.decide("leader", case_id, "a", "return", "请补充材料")
    desk.complete("zhang", case_id, "a", {"why": "补充"})
    desk.decide("leader", case_id, "a")
    last = desk.asked(case_id, "accept_filing")[-1]
    assert (last["attempt"], last["params"]) == (2, {"reason": "补充"})
    desk.answer(last, accepted_on="2025-03-03")
    assert desk.open_nodes(case_id) == ["b"]
    opinions = desk.course("leader", case_id).visits[0].opinions
    assert [o.decision for o in opinions] == ["submit", "agree", "return", "submit", "agree"]


def test_effects_still_out_are_not_asked_again(desk: Desk) -> None:
    free = {**DOCKET, "after": [], "with": {"reason": "=form.why"}}
    case_id = begin(desk, ACCEPT, free)
    [accept], [docket] = desk.asked(case_id, "accept_filing"), desk.asked(case_id, "docket")
    desk.answer(accept, refused="一")
    desk.complete("zhang", case_id, "a", {"why": "二"})
    assert (len(desk.asked(case_id, "docket")), len(desk.asked(case_id, "accept_filing"))) == (1, 2)
    desk.answer(desk.asked(case_id, "accept_filing")[1], accepted_on="2025-03-03")
    assert desk.open_nodes(case_id) == ["a"]
    desk.answer(docket, case_number="某1号", docketed_on="2025-03-03")
    assert desk.open_nodes(case_id) == ["b"]


def test_an_operator_gives_up_a_parked_effect(desk: Desk) -> None:
    case_id = begin(desk, ACCEPT)
    [accept] = desk.asked(case_id, "accept_filing")
    request = pb.RefuseEffectRequest(effect_id=accept["effect_id"], reason="登记系统停用，改日再办")
    for who, refusal in (("leader", NotAllowedError), ("zhang", NotAllowedError)):
        with pytest.raises(refusal):
            desk.ask(who, "RefuseEffect", request)
    with pytest.raises(InvalidInputError):
        desk.ask("operator", "RefuseEffect", pb.RefuseEffectRequest(effect_id=accept["effect_id"]))
    assert desk.ask("operator", "RefuseEffect", request).state == "refused"
    with pytest.raises(ConflictError):
        desk.ask("operator", "RefuseEffect", request)
    assert [e.type for e in desk.told(accept["effect_id"])] == ["EffectWithdrawn"]
    assert "改日再办" in desk.task("zhang", case_id, "a").refused_reason
    # performed after all: then it is done, and is not asked for again
    desk.answer(accept, accepted_on="2025-03-03")
    assert desk.complete("zhang", case_id, "a", {"why": "yes"}).state == "done"
    assert len(desk.asked(case_id, "accept_filing")) == 1


def test_answers_of_strangers_change_nothing(desk: Desk) -> None:
    case_id = begin(desk, ACCEPT)
    [accept] = desk.asked(case_id, "accept_filing")
    desk.answer(accept | {"effect_id": "nobody-asked"}, accepted_on="2025-03-03")
    assert (desk.open_nodes(case_id), desk.query("select * from inbox_waiting")) == (["a"], [])


def test_own_effects_are_performed_at_once_or_refuse_the_act(desk: Desk) -> None:
    assign = {"id": "assign", "effect": "assign_case", "with": {"officers": "=form.officers"}}
    rule = {"actor": {"relation": "case_officer", "qualification": "law_enforcement_certificate", "min_people": 2}}
    desk.publish(bundle("tiny", DRAWING, {"a": {"effects": [assign]}, "b": rule},
                        forms={"a": form(officers={"type": "array"})}))  # fmt: skip
    case_id = desk.file(TINY)
    for officers, why in ((["zhang"], "不少于 2 人"), (["zhang", "novice"], "novice某.*执法资格"),
                          (["zhang", "stranger"], "不是本机关"), (["zhang", "zhang"], "每人一次")):  # fmt: skip
        with pytest.raises(DomainError, match=why):
            desk.complete("zhang", case_id, "a", {"officers": officers})
    assert (desk.open_nodes(case_id), desk.told(case_id, "CaseAssigned")) == (["a"], [])
    assert desk.complete("zhang", case_id, "a", {"officers": ["li", "qian"]}).state == "done"
    [assigned] = desk.told(case_id, "CaseAssigned")
    assert (list(assigned.data.officer_ids), list(assigned.data.card.officer_ids)) == (["li", "qian"], ["li", "qian"])
    assert (desk.list("zhang").to_do, desk.list("li").to_do, desk.list("qian").to_do) == (0, 1, 1)
    assert desk.asked(case_id, "assign_case") == []


def test_a_parameter_of_the_wrong_type_is_said_at_the_node(desk: Desk) -> None:
    desk.publish(bundle("tiny", DRAWING, {"a": {"effects": [ACCEPT]}, "b": {}}, forms={"a": form(why={})}))
    case_id = desk.file(TINY)
    with pytest.raises(RuleRefusedError, match="reason 应为 string"):
        desk.complete("zhang", case_id, "a", {"why": 3})
    assert (desk.open_nodes(case_id), desk.asked(case_id, "accept_filing")) == (["a"], [])


def test_an_own_effect_refused_after_anothers_answer_opens_the_node_again(desk: Desk) -> None:
    assign = {"id": "assign", "effect": "assign_case", "after": ["accept"], "with": {"officers": "=[form.why]"}}
    case_id = begin(desk, ACCEPT, assign)
    [accept] = desk.asked(case_id, "accept_filing")
    desk.answer(accept, accepted_on="2025-03-03")
    assert desk.query("select * from inbox_waiting") == []
    assert desk.task("zhang", case_id, "a").refused_reason == "指定承办人未能办理：yes不是本机关的在职人员"
    assert list(desk.course("leader", case_id).officer_ids) == []
    desk.complete("zhang", case_id, "a", {"why": "li"})
    assert (desk.open_nodes(case_id), len(desk.told(case_id, "CaseAssigned"))) == (["b"], 1)
