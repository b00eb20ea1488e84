"""What was asked of a superior is taken back: below, above, and when the answer is given already."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.intake.v1 import events_pb2 as intake_facts
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.effects import plain
from services.kit.errors import ConflictError, RuleRefusedError
from services.workflow.model.superior import request_case
from services.workflow.tests.desk import CITY, Desk
from services.workflow.tests.test_superior import (
    ABOVE,
    ASK,
    BELOW,
    TEXT,
    answered,
    begin,
    decided,
    effect_of,
    publish,
    received,
)
from services.workflow.tests.tiny import bundle, form


def taken_back(desk: Desk, asking: str, effect_id: str) -> None:
    """What intake makes of EffectWithdrawn: it tells the procedure above."""
    [told] = desk.told(effect_id, "EffectWithdrawn")
    assert (told.data.effect, told.case_id) == ("ask_superior", asking)
    above = request_case(effect_id)
    card = desk.card(above, ABOVE, body_id=CITY, channel="request")
    fact = intake_facts.RequestWithdrawn(effect_id=effect_id, reason=told.data.reason, card=card)
    desk.intake(fact, above, ABOVE, body_id=CITY)


def test_what_is_taken_back_below_ends_above(desk: Desk) -> None:
    asking = begin(desk)
    effect_id = effect_of(desk, asking)
    upper = received(desk, effect_id)
    desk.ask("operator", "RefuseEffect", pb.RefuseEffectRequest(effect_id=effect_id, reason="改日再报"))
    taken_back(desk, asking, effect_id)
    assert (desk.list("chief", case_id=upper).to_do, desk.open_nodes(upper)) == (0, [])
    course = desk.course("chief", upper)
    assert (course.concluded, course.outcome, list(course.requests)) == (True, "withdrawn", [])
    assert (course.visits[-1].state, course.visits[-1].reason) == ("cancelled", "下级撤回请示：改日再报")
    [concluded] = desk.told(upper, "ProcedureConcluded")
    assert not concluded.data.HasField("answer"), "nothing is told below"
    assert "改日再报" in desk.task("zhang", asking, "a").refused_reason


def test_an_answer_that_was_given_already_wins(desk: Desk) -> None:
    asking = begin(desk)
    effect_id = effect_of(desk, asking)
    upper = received(desk, effect_id)
    results = decided(desk, upper, granted=True, amount=3, unit="month")
    with pytest.raises(ConflictError, match="上级已经答复"):
        desk.ask("operator", "RefuseEffect", pb.RefuseEffectRequest(effect_id=effect_id, reason="改日再报"))
    desk.intake(intake_facts.CaseClosed(closed_on="2025-03-03", card=desk.card(asking, BELOW)), asking, BELOW)
    taken_back(desk, asking, effect_id)
    assert desk.course("chief", upper).outcome == "granted"
    answered(desk, asking, effect_id, results)
    assert len(desk.told(asking, "SuperiorAnswered")) == 1


def sealing(desk: Desk) -> tuple[str, str, str, dict[str, Any]]:
    """Decided above, what follows asked of another room, the operator told so, the case below closed meanwhile."""
    asking = begin(desk, effects=[{"id": "reply", "effect": "docket", "with": {"reason": "=form.reason"}}])
    effect_id = effect_of(desk, asking)
    upper = received(desk, effect_id)
    desk.complete("chief", upper, "decide", {"granted": True, "reason": "同意"})
    [request] = desk.asked(upper, "docket")
    with pytest.raises(ConflictError, match="上级已经答复"):
        desk.ask("operator", "RefuseEffect", pb.RefuseEffectRequest(effect_id=effect_id, reason="改日再报"))
    desk.intake(intake_facts.CaseClosed(closed_on="2025-03-03", card=desk.card(asking, BELOW)), asking, BELOW)
    taken_back(desk, asking, effect_id)
    assert (desk.course("chief", upper).concluded, desk.told(request["effect_id"], "EffectWithdrawn")) == (False, [])
    return asking, effect_id, upper, request


def test_an_answer_that_is_being_sealed_wins(desk: Desk) -> None:
    asking, effect_id, upper, request = sealing(desk)
    desk.answer(request, instrument_id="i1")
    assert desk.course("chief", upper).outcome == "granted"
    [told] = desk.told(upper, "ProcedureConcluded")
    answered(desk, asking, effect_id, plain(told.data.answer))
    assert [t.data.granted for t in desk.told(asking, "SuperiorAnswered")] == [True]


def test_a_taken_back_request_ends_when_its_answer_cannot_be_sealed(desk: Desk) -> None:
    _, _, upper, request = sealing(desk)
    desk.answer(request, refused="没有印章")
    assert (desk.list("chief", case_id=upper).to_do, desk.course("chief", upper).outcome) == (0, "withdrawn")


@pytest.mark.parametrize("approver", ["one-tier-up", "high-court"])
def test_a_closed_case_asks_no_more(desk: Desk, approver: str) -> None:
    asking = begin(desk, approver)
    effect_id = effect_of(desk, asking)
    desk.intake(intake_facts.CaseClosed(closed_on="2025-03-03", card=desk.card(asking, BELOW)), asking, BELOW)
    assert [t.data.reason for t in desk.told(effect_id, "EffectWithdrawn")] == ["报请机关的案件已结案"]
    assert (desk.list("zhang", case_id=asking).to_do, desk.open_nodes(asking)) == (0, [])
    visit = desk.course("zhang", asking).visits[0]
    assert (visit.state, visit.reason) == ("cancelled", "本案已结案，报请随之撤回")
    assert [e.state for e in visit.effects] == ["dropped", "dropped"]


def closes(desk: Desk, asking: str) -> None:
    closed = desk.card(asking, BELOW, state="closed", closed_on="2025-03-03")
    desk.intake(intake_facts.CaseClosed(closed_on="2025-03-03", card=closed), asking, BELOW)


def left(desk: Desk, asking: str) -> None:
    """The asking node is over, and was told so once."""
    assert (desk.list("zhang", case_id=asking).to_do, desk.open_nodes(asking)) == (0, [])
    assert [t.data.reason for t in desk.told(asking, "NodeCancelled")] == ["本案已结案，报请随之撤回"]


def test_a_node_that_was_reopened_is_not_done_again_in_a_closed_case(desk: Desk) -> None:
    asking = begin(desk)
    desk.ask("operator", "RefuseEffect", pb.RefuseEffectRequest(effect_id=effect_of(desk, asking), reason="改日再报"))
    assert desk.open_nodes(asking) == ["a"]
    closes(desk, asking)
    left(desk, asking)


@pytest.mark.parametrize("refused", ["", "没有印章"])
def test_a_paper_that_was_still_being_sealed_asks_nothing_of_a_closed_case(desk: Desk, refused: str) -> None:
    paper = {"id": "paper", "effect": "docket", "with": {"reason": "=form.why"}}
    nodes = {"a": {"effects": [paper, ASK | {"after": ["paper"]}]}}
    asks = {"a": form(approver=TEXT, why=TEXT)}
    desk.publish(bundle("below", "start s\ntask a\nend e\ns -> a -> e", nodes, forms=asks))
    asking = desk.file(BELOW)
    desk.complete("zhang", asking, "a", {"approver": "one-tier-up", "why": "案情复杂"})
    [request] = desk.asked(asking, "docket")
    closes(desk, asking)
    assert desk.open_nodes(asking) == ["a"], "what the paper says is not known yet"
    desk.answer(request, refused=refused, case_number="1")
    left(desk, asking)


def test_what_was_cancelled_is_told_once_when_the_procedure_leaves_it_too(desk: Desk) -> None:
    nodes = {"a": {"effects": [ASK]}, "gone": {"waits_for": {"event": "CaseClosed"}}}
    flow = "start s\ntask a\nedge! gone on a\nend e f\ns -> a -> e\ngone -> f"
    asks = form(approver=TEXT, why=TEXT)
    desk.publish(bundle("below", flow, nodes, forms={"a": asks}, ends=("e", "f")))
    asking = desk.file(BELOW)
    desk.complete("zhang", asking, "a", {"approver": "one-tier-up", "why": "案情复杂"})
    closes(desk, asking)
    left(desk, asking)
    assert [t.data.outcome for t in desk.told(asking, "ProcedureConcluded")] == ["f"]


def test_who_comes_to_ask_when_the_case_is_closed_is_refused(desk: Desk) -> None:
    publish(desk)
    case_id = desk.file(BELOW)
    closed = desk.card(case_id, BELOW, state="closed", closed_on="2025-03-03")
    desk.intake(intake_facts.CaseClosed(closed_on="2025-03-03", card=closed), case_id, BELOW)
    with pytest.raises(RuleRefusedError, match="本案已结案"):
        desk.complete("zhang", case_id, "a", {"approver": "one-tier-up", "why": "案情复杂"})


def test_a_node_that_is_left_another_way_asks_no_more(desk: Desk) -> None:
    nodes = {"a": {"effects": [ASK]}, "gone": {"waits_for": {"event": "RegisterCorrected"}}}
    flow = "start s\ntask a\nedge! gone on a\nend e f\ns -> a -> e\ngone -> f"
    asks = form(approver=TEXT, why=TEXT)
    desk.publish(bundle("below", flow, nodes, forms={"a": asks}, ends=("e", "f")))
    asking = desk.file(BELOW)
    desk.complete("zhang", asking, "a", {"approver": "one-tier-up", "why": "案情复杂"})
    effect_id = effect_of(desk, asking)
    desk.intake(intake_facts.RegisterCorrected(card=desk.card(asking, BELOW)), asking, BELOW)
    assert [t.data.reason for t in desk.told(effect_id, "EffectWithdrawn")] == ["报请的环节已撤销"]
    assert desk.course("zhang", asking).outcome == "f"
