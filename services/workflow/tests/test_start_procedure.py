"""The real pack of the general penalty procedure, from the lead to 立案 and investigation."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.intake.v1 import events_pb2 as intake_facts
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import CaseNotKnownError, ConflictError, InvalidInputError, NotAllowedError, RuleRefusedError
from services.kit.procedure.bundle import bundle_of
from services.kit.settings import procedures_dir
from services.workflow.tests.desk import Desk

VERIFIED = {"findings": "现场发现待售商品无合格证明", "result": "suspected"}
ALL = {"evidence": True, "punishable": True, "competent": True, "within_limitation": True}
DOCKET = {**ALL, "decision": "docket", "reason": "符合立案条件"}
NUMBER = "某县市监立案〔2025〕1号"


@pytest.fixture
def pack(desk: Desk) -> tuple[str, str]:
    found = desk.publish(bundle_of(procedures_dir() / "admin-penalty-general"))
    return found.pack_id, found.version


def approve(desk: Desk, case_id: str, form: dict[str, Any]) -> None:
    desk.complete("zhang", case_id, "verify_lead", VERIFIED)
    desk.complete("zhang", case_id, "docketing_approval", form)
    desk.decide("head", case_id, "docketing_approval")
    desk.decide("leader", case_id, "docketing_approval", said="同意立案")


def test_from_the_lead_to_investigation(desk: Desk, pack: tuple[str, str]) -> None:
    case_id = desk.file(pack)
    started = desk.told(case_id)
    assert [e.type for e in started] == ["ProcedureStarted", "NodeOpened"]
    assert desk.list("novice").to_do == 0
    with pytest.raises(InvalidInputError) as refused:
        desk.complete("zhang", case_id, "verify_lead", {"result": "unknown"})
    assert len(refused.value.fields) == 2
    desk.complete("zhang", case_id, "verify_lead", VERIFIED)
    assert desk.list("li", case_id=case_id).to_do == 0, "the approval form is filled in by who verified"
    with pytest.raises(RuleRefusedError, match="第十九条"):
        desk.complete("zhang", case_id, "docketing_approval", DOCKET | {"evidence": False})
    desk.complete("zhang", case_id, "docketing_approval", DOCKET)
    assert desk.list("legal_head").to_do == 0, "only the head of the investigating department"
    desk.decide("head", case_id, "docketing_approval")
    desk.decide("leader", case_id, "docketing_approval")
    [docket] = desk.asked(case_id, "docket")
    assert (docket["params"], desk.asked(case_id, "refuse_docketing")) == ({"reason": "符合立案条件"}, [])
    card = desk.card(case_id, pack, state="docketed", case_number=NUMBER, docketed_on="2025-03-03")
    desk.intake(intake_facts.CaseDocketed(case_number=NUMBER, docketed_on="2025-03-03", card=card), case_id, pack)
    assert desk.open_nodes(case_id) == ["docketing_approval"]
    desk.answer(docket, case_number=NUMBER, docketed_on="2025-03-03")
    assert desk.open_nodes(case_id) == ["assign_officers"]
    task = desk.task("head", case_id, "assign_officers")
    assert (task.case_number, task.case_title) == (NUMBER, "线索一件")
    with pytest.raises(RuleRefusedError, match="novice某"):
        desk.complete("head", case_id, "assign_officers", {"officers": ["li", "novice"]})
    desk.complete("head", case_id, "assign_officers", {"officers": ["li", "qian"]})
    investigate(desk, case_id)


def investigate(desk: Desk, case_id: str) -> None:
    form = {"summary": "现场检查并制作笔录", "rights_told": False,
            "evidence": [{"kind": "physical", "name": "样品", "taken_on": "2025-03-03"}]}  # fmt: skip
    with pytest.raises(RuleRefusedError, match="至少 2 人"):
        desk.complete("li", case_id, "investigation", form)
    with pytest.raises(NotAllowedError):
        desk.complete("li", case_id, "investigation", form, with_ids=["zhang"])
    with pytest.raises(RuleRefusedError, match="第二十一条"):
        desk.complete("li", case_id, "investigation", form, with_ids=["qian"])
    desk.complete("li", case_id, "investigation", form | {"rights_told": True}, with_ids=["qian"])
    course = desk.course("leader", case_id)
    assert (course.concluded, course.outcome, list(course.officer_ids)) == (False, "", ["li", "qian"])
    assert [(v.node_id, v.state) for v in course.visits] == [
        *((n, "done") for n in ("verify_lead", "docketing_approval", "assign_officers", "investigation")),
        ("final_report", "open"),
    ]
    assert [o.person_id for o in course.visits[1].opinions] == ["zhang", "head", "leader"]
    assert list(course.flows) == ["to_verify", "to_approval", "to_decided", "to_docket_or_not", "to_named_reporter",
                                  "docket_it", "to_investigation", "to_investigation_over", "to_final_report",
                                  "to_nobody"]  # fmt: skip
    assert [e.type for e in desk.told(case_id)].count("NodeCompleted") == 4


def test_refused_docketing_goes_the_other_way(desk: Desk, pack: tuple[str, str]) -> None:
    case_id = desk.file(pack)
    approve(desk, case_id, {**ALL, "evidence": False, "decision": "refuse", "ground": "other", "reason": "证据不足"})
    [refuse] = desk.asked(case_id, "refuse_docketing")
    assert refuse["params"] == {"reason": "证据不足", "article": "市场监督管理行政处罚程序规定第二十条"}
    desk.answer(refuse, refused_on="2025-03-03")
    course = desk.course("leader", case_id)
    assert (course.concluded, course.outcome) == (True, "not_docketed")


def test_sent_back_to_the_verification(desk: Desk, pack: tuple[str, str]) -> None:
    case_id = desk.file(pack)
    desk.complete("zhang", case_id, "verify_lead", VERIFIED)
    task = desk.task("zhang", case_id, "docketing_approval")
    view = desk.ask("zhang", "GetTask", pb.GetTaskRequest(task_id=task.task_id))
    assert (list(view.send_back_to), list(view.actions)) == (["verify_lead"], ["complete", "send_back"])
    request = pb.SendBackRequest(task_id=task.task_id, to_node_id="verify_lead", reason="核查不够")
    with pytest.raises(RuleRefusedError):
        desk.ask("zhang", "SendBack", pb.SendBackRequest(task_id=task.task_id, to_node_id="investigation", reason="x"))
    with pytest.raises(InvalidInputError):
        desk.ask("zhang", "SendBack", pb.SendBackRequest(task_id=task.task_id, to_node_id="verify_lead"))
    assert desk.ask("zhang", "SendBack", request).state == "returned"
    assert desk.open_nodes(case_id) == ["verify_lead"]
    states = [(v.node_id, v.state) for v in desk.course("zhang", case_id).visits]
    assert states == [("verify_lead", "done"), ("docketing_approval", "cancelled"), ("verify_lead", "open")]
    again = desk.task("li", case_id, "verify_lead")
    assert desk.ask("li", "GetTask", pb.GetTaskRequest(task_id=again.task_id)).draft["result"] == "suspected"


def test_people_may_ask_for_more_beside_the_procedure(desk: Desk, pack: tuple[str, str]) -> None:
    case_id = desk.file(pack)
    offered = [r.node_id for r in desk.course("zhang", case_id).requests]
    assert offered == ["ask_longer_verification", "ask_test"]
    assert list(desk.course("leader", case_id).requests) == []
    ask = pb.OpenRequestRequest(case_id=case_id, node_id="ask_test")
    with pytest.raises(NotAllowedError):
        desk.ask("leader", "OpenRequest", ask)
    [task] = desk.ask("zhang", "OpenRequest", ask).tasks
    assert (task.node_id, desk.open_nodes(case_id)) == ("entrust_test", ["entrust_test", "verify_lead"])
    with pytest.raises(ConflictError):
        desk.ask("zhang", "OpenRequest", ask)
    with pytest.raises(ConflictError):
        desk.ask("zhang", "OpenRequest", pb.OpenRequestRequest(case_id=case_id, node_id="verify_lead"))
    with pytest.raises(CaseNotKnownError):
        desk.ask("stranger", "OpenRequest", ask)


def test_the_same_filing_twice_starts_one_procedure(desk: Desk, pack: tuple[str, str]) -> None:
    case_id = desk.file(pack)
    desk.sequences["intake", case_id] = 0
    desk.file(pack, case_id)
    assert len(desk.told(case_id)) == 2
