"""Asking a superior: its own small procedure decides, or a clerk records the paper; the node below goes on."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from anjuan.intake.v1 import events_pb2 as intake_facts
from anjuan.intake.v1 import intake_pb2
from anjuan.kit.v1.cards_pb2 import SupervisionCard
from anjuan.supervision.v1 import events_pb2 as supervision_facts
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.effects import plain, struct
from services.kit.errors import CaseNotKnownError, InvalidInputError, RuleRefusedError
from services.workflow.__main__ import ROOM
from services.workflow.model.superior import paper_answer, request_case
from services.workflow.tests.desk import CITY, COUNTY, ON, Desk
from services.workflow.tests.tiny import bundle, form

BELOW, ABOVE = ("below", "1.0.0"), ("superior-approval", "1.0.0")
ASK = {"id": "ask", "effect": "ask_superior", "with": {
    "approver": "=form.approver", "matter": "再次延长期限", "limit_id": "=['limit'][0]", "nth": 2,
    "reason": "=form.why", "amount": 3, "unit": "month"}}  # fmt: skip
EXTEND = {"id": "extend", "effect": "extend_clock", "after": ["ask"], "when": "results.ask.granted", "with": {
    "limit_id": "=['limit'][0]", "nth": 2, "granted_on": "=results.ask.decided_on",
    "requested_on": "=results.ask.asked_on", "reason": "=form.why"}}  # fmt: skip
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
ANSWER = form(granted={"type": "boolean"}, reason=TEXT, amount=NUMBER, unit=TEXT,
              case_number=TEXT | {"x-default": "=case.request.case_number"})  # fmt: skip
SMALL = "start s\ntask decide\nxor x\nend granted refused\ns -> decide -> x\n" + (
    "x -> granted : forms.decide.granted\nx -> refused : !forms.decide.granted"
)
CARD = SupervisionCard(limit_id="limit", due_on="2025-03-20", state="running", unit="month")


def publish(desk: Desk, **decide: Any) -> None:
    effects = {"effects": [ASK, EXTEND]}
    asks = {"a": form(approver=TEXT, why=TEXT)}
    desk.publish(bundle("below", "start s\ntask a b\nend e\ns -> a -> b -> e", {"a": effects, "b": {}}, forms=asks))
    desk.publish(bundle(
        "superior-approval", SMALL, {"decide": {"actor": {"role": "body_leader"}} | decide}, forms={"decide": ANSWER},
        ends=("granted", "refused"), channels={"request": {"who": ["body_leader"]}},
    ))  # fmt: skip


def begin(desk: Desk, approver: str = "one-tier-up", **decide: Any) -> str:
    """A case whose officer has asked; its governing limit runs out on 20 March."""
    publish(desk, **decide)
    case_id = desk.file(BELOW)
    due(desk, case_id)
    answer = desk.complete("zhang", case_id, "a", {"approver": approver, "why": "案情复杂"})
    assert (answer.state, list(answer.waiting_for)) == ("waiting_for_effects", ["ask_superior", "extend_clock"])
    return case_id


def due(desk: Desk, case_id: str) -> None:
    fact = supervision_facts.DueDayChanged(limit_id="limit", due_on=CARD.due_on, state="running", card=CARD)
    desk.tell("supervision", fact, stream=case_id, case_id=case_id, body_id=COUNTY)


def effect_of(desk: Desk, case_id: str) -> str:
    rows = desk.query("select effect_id from effects where case_id = :c and effect = 'ask_superior'", c=case_id)
    return str(rows[-1].effect_id)


def received(desk: Desk, effect_id: str) -> str:
    """What intake makes of the request: a case of the upper body."""
    [asked] = desk.told(effect_id, "SuperiorAsked")
    case_id, body_id = request_case(effect_id), asked.data.to_body_id
    filing = intake_pb2.Filing(filing_id="f", case_id=case_id, body_id=body_id, procedure_id=ABOVE[0],
                               channel="request", title=asked.data.title, content=asked.data.request)  # fmt: skip
    card = desk.card(case_id, ABOVE, body_id=body_id, channel="request", title=asked.data.title)
    desk.intake(intake_facts.FilingSubmitted(filing=filing, card=card), case_id, ABOVE, body_id=body_id)
    return case_id


def decided(desk: Desk, case_id: str, **form_: Any) -> dict[str, Any]:
    """The chief decides; what the procedure has concluded."""
    desk.complete("chief", case_id, "decide", form_)
    [told] = desk.told(case_id, "ProcedureConcluded")
    return plain(told.data.answer)


def answered(desk: Desk, asking: str, effect_id: str, results: dict[str, Any]) -> None:
    request = {"effect_id": effect_id, "effect": "ask_superior", "case_id": asking, "owner": "intake"}
    desk.answer(request, **results)


def test_the_upper_body_decides_in_a_case_of_its_own(desk: Desk) -> None:
    asking = begin(desk)
    effect_id = effect_of(desk, asking)
    [asked] = desk.told(effect_id, "SuperiorAsked")
    assert (asked.data.to_body_id, asked.data.pack_id, asked.case_id) == (CITY, "superior-approval", asking)
    assert asked.data.title == "某县市场监督管理局报请再次延长期限：线索一件"
    told = plain(asked.data.request)
    assert told.items() >= {
        "matter": "再次延长期限", "limit_id": "limit", "nth": 2, "reason": "案情复杂", "asked_by": COUNTY,
        "asked_by_name": "某县市场监督管理局", "due_on": "2025-03-20", "asked_on": "2025-03-03", "case_id": asking,
        "effect_id": effect_id, "requested_by": "zhang某",
    }.items()  # fmt: skip
    with desk.host.begin_as_system("test") as uow:
        assert ROOM.unanswered is not None
        assert ROOM.unanswered(uow) == 0, "a superior takes days: the bus is at rest meanwhile"
    upper = received(desk, effect_id)
    task = desk.task("chief", upper, "decide")
    assert (task.body_id, task.case_title) == (CITY, asked.data.title)
    for who in ("stranger", "leader", "zhang"):
        assert desk.list(who, case_id=upper).to_do == 0
        for method, request in (("GetTask", pb.GetTaskRequest(task_id=task.task_id)),
                                ("GetCourse", pb.GetCourseRequest(case_id=upper))):  # fmt: skip
            with pytest.raises(CaseNotKnownError):
                desk.ask(who, method, request)
    desk.advance(date(2025, 3, 6))
    results = decided(desk, upper, granted=True, amount=3, unit="month", reason="同意")
    assert results == {"granted": True, "decided_on": "2025-03-06", "asked_on": "2025-03-03", "amount": 3,
                       "unit": "month", "reason": "同意"}  # fmt: skip
    answered(desk, asking, effect_id, results)
    answered(desk, asking, effect_id, results)
    [extend] = desk.asked(asking, "extend_clock")
    assert (extend["params"]["granted_on"], extend["params"]["requested_on"]) == ("2025-03-06", "2025-03-03")
    desk.answer(extend, due_on="2025-06-20")
    assert desk.open_nodes(asking) == ["b"]


def test_a_backdated_decision_counts_from_the_day_it_was_made(desk: Desk) -> None:
    upper = received(desk, effect_of(desk, begin(desk)))
    desk.advance(date(2025, 3, 21))
    task = desk.task("chief", upper, "decide")
    request = pb.CompleteTaskRequest(task_id=task.task_id, data=struct({"granted": True}), if_version=task.version,
                                     occurred_on="2025-03-03")  # fmt: skip
    desk.ask("chief", "CompleteTask", request)
    [told] = desk.told(upper, "ProcedureConcluded")
    assert plain(told.data.answer)["decided_on"] == "2025-03-21"


def test_a_refusal_is_a_result_and_the_node_goes_on(desk: Desk) -> None:
    asking = begin(desk)
    effect_id = effect_of(desk, asking)
    results = decided(desk, received(desk, effect_id), granted=False, reason="理由不足")
    assert (results["granted"], results["reason"]) == (False, "理由不足")
    answered(desk, asking, effect_id, results)
    assert (desk.open_nodes(asking), desk.asked(asking, "extend_clock")) == (["b"], [])


def test_what_the_upper_body_cannot_receive_comes_back_to_who_asked(desk: Desk) -> None:
    asking = begin(desk)
    request = {"effect_id": effect_of(desk, asking), "effect": "ask_superior", "case_id": asking, "owner": "intake"}
    desk.answer(request, refused="没有程序“superior-approval”")
    assert "没有程序" in desk.task("zhang", asking, "a").refused_reason


def test_what_has_run_out_is_not_asked_for(desk: Desk) -> None:
    publish(desk)
    case_id = desk.file(BELOW)
    due(desk, case_id)
    asks = {"approver": "one-tier-up", "why": "案情复杂"}
    with pytest.raises(RuleRefusedError, match="group-discussion"):
        desk.complete("zhang", case_id, "a", asks | {"approver": "group-discussion"})
    desk.advance(date(2025, 3, 21))
    with pytest.raises(RuleRefusedError, match="2025-03-20 届满"):
        desk.complete("zhang", case_id, "a", asks)


def test_a_superior_elsewhere_answers_on_paper(desk: Desk) -> None:
    asking = begin(desk, "high-court")
    effect_id = effect_of(desk, asking)
    [asked] = desk.told(effect_id)
    assert (asked.type, asked.data.to_body_id) == ("SuperiorAsked", "")
    assert (desk.list("novice", case_id=asking).to_do, desk.list("stranger").to_do) == (0, 0)
    task = desk.task("zhang", asking, "a")
    assert task.title == "登记上级批复：再次延长期限"
    view = desk.ask("zhang", "GetTask", pb.GetTaskRequest(task_id=task.task_id))
    assert ("批复扫描件" in view.form_schema_json, list(view.actions), dict(view.draft)) == (True, ["complete"], {})
    desk.advance(date(2025, 3, 10))
    paper = {"granted": True, "decided_on": "2025-03-07", "number": "（2025）粤延1号", "amount": 3, "unit": "month"}
    for wrong, said in ((paper, "扫描件"), (paper | {"scan": "a" * 64}, "请先上传"),
                        (paper | {"scan": "a" * 64, "decided_on": "2025-03-11"}, "不得晚于今天")):  # fmt: skip
        with pytest.raises(InvalidInputError, match=said):
            desk.complete("zhang", asking, "a", wrong)
    elsewhere = desk.archive.bring(desk.actor("stranger"), b"a paper of another body")
    with pytest.raises(InvalidInputError, match="批复扫描件尚未上传完成，请先上传再登记") as refused:
        desk.complete("zhang", asking, "a", paper | {"scan": elsewhere})
    assert [fault["pointer"] for fault in refused.value.fields] == ["/data/scan"]
    scan = desk.archive.bring(desk.actor("li"), "批复".encode())
    with pytest.raises(InvalidInputError, match="不得早于报请之日 2025-03-03"):
        desk.complete("zhang", asking, "a", paper | {"scan": scan, "decided_on": "2025-03-02"})
    with pytest.raises(InvalidInputError, match="不能超过报请的 3个月"):
        desk.complete("zhang", asking, "a", paper | {"scan": scan, "amount": 4})
    assert desk.complete("zhang", asking, "a", paper | {"scan": scan}).state == "done"
    [extend] = desk.asked(asking, "extend_clock")
    assert extend["params"]["granted_on"] == "2025-03-07", "the paper's own date"
    [told] = desk.told(asking, "SuperiorAnswered")
    assert (told.data.number, told.data.scan_sha256, told.data.granted) == ("（2025）粤延1号", scan, True)
    results = desk.course("zhang", asking).visits[0].effects[0].results
    assert plain(results).items() >= {"granted": True, "asked_on": ON.isoformat(), "scan": scan}.items()
    desk.answer(extend, due_on="2025-06-20")
    assert desk.open_nodes(asking) == ["b"]


@pytest.mark.parametrize(("wrong", "said"), [
    ({"decided_on": "2025-03-02"}, "不得早于报请之日"),
    ({"decided_on": "2025-03-11"}, "不得晚于今天"),
    ({"amount": 4}, "不能超过报请的 3个月"),
    ({"unit": "year"}, "按报请的单位“个月”填写"),
    ({"unit": ""}, "一并填写"),
    ({"amount": 0}, "一并填写"),
    ({"granted": False}, "未批准的"),
])  # fmt: skip
def test_a_paper_grants_no_more_than_was_asked_for(wrong: dict[str, Any], said: str) -> None:
    paper = {"granted": True, "decided_on": "2025-03-05", "number": "1", "amount": 3, "unit": "month", "scan": "a"}
    asked, today = {"amount": 3, "unit": "month"}, date(2025, 3, 10)
    assert paper_answer(paper, asked, "2025-03-03", today)["amount"] == 3
    assert paper_answer(paper | {"amount": 9}, {"amount": 0, "unit": ""}, "2025-03-03", today)["amount"] == 9
    with pytest.raises(InvalidInputError, match=said):
        paper_answer(paper | wrong, asked, "2025-03-03", today)


def test_an_operator_gives_up_a_paper_answer(desk: Desk) -> None:
    asking = begin(desk, "high-court")
    request = pb.RefuseEffectRequest(effect_id=effect_of(desk, asking), reason="上级要求改日再报")
    desk.ask("operator", "RefuseEffect", request)
    task = desk.task("zhang", asking, "a")
    assert (task.title, "改日再报" in task.refused_reason) == ("a", True)
