"""A lower body asks: one case of the asked body, however often it is told; its end answers the effect."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from anjuan.workflow.v1.events_pb2 import EffectWithdrawn, ProcedureConcluded, SuperiorAsked
from services.intake.tests.scene import BUREAU, COURT_PACK, TODAY, UPPER, Scene, bundle, civil
from services.intake.usecases.requests import case_of
from services.intake.views import get_case
from services.kit.effects import plain, struct
from services.kit.errors import CaseNotKnownError
from services.kit.identity import Actor

CHIEF = Actor("staff", "p-chief", "省局局长", UPPER, frozenset({"body_leader"}))
SISTER = Actor("staff", "p-sister", "别局局长", "body-sister", frozenset({"body_leader"}))
REQUEST = {"asked_by": BUREAU, "case_id": "asking", "matter": "延长办案期限", "asked_on": TODAY.isoformat()}


def asked(scene: Scene, effect_id: str, **changed: Any) -> str:
    """The bureau asks the province's; answers the id of the request's case."""
    known: dict[str, Any] = {"effect_id": effect_id, "to_body_id": UPPER, "pack_id": "small", "title": "报请延长",
                             "request": struct(REQUEST | {"effect_id": effect_id})}  # fmt: skip
    place = {"case_id": "asking", "body_id": BUREAU}
    scene.hears("workflow", SuperiorAsked(**known | changed), effect_id, **place)
    return case_of(effect_id)


def concluded(scene: Scene, case_id: str, outcome: str = "granted", **answer: Any) -> None:
    fact = ProcedureConcluded(outcome=outcome, answer=struct(answer))
    scene.hears("workflow", fact, case_id, case_id=case_id, body_id=UPPER)


@pytest.fixture
def small(scene: Scene) -> Scene:
    pack = COURT_PACK | {"checklist": {"items": []}}
    data = bundle(pack, id="small", kind="any", channels={"request": {"who": ["judge"]}}, party_roles={})
    scene.publish(data, "small")
    scene.knows(CHIEF)
    return scene


def test_a_request_is_a_case_of_the_asked_body(small: Scene) -> None:
    effect_id = str(uuid4())
    case_id = asked(small, effect_id, secrecy_level=2)
    asked(small, effect_id)
    [told] = small.told(case_id)
    assert (told.type, told.body_id, told.pack_id) == ("FilingSubmitted", UPPER, "small")
    assert plain(told.data.filing.content)["matter"] == "延长办案期限"
    assert (told.data.card.channel, told.data.card.secrecy_level, list(told.data.card.parties)) == ("request", 2, [])
    with small.begin(CHIEF) as uow:
        assert get_case(uow, case_id).title == "报请延长"
    with small.begin(SISTER) as uow, pytest.raises(CaseNotKnownError):
        get_case(uow, case_id)
    assert small.told(effect_id) == []


def test_its_end_answers_the_effect_and_closes_the_case(small: Scene) -> None:
    effect_id = str(uuid4())
    case_id = asked(small, effect_id)
    concluded(small, case_id, granted=True, decided_on="2025-03-03", amount=3)
    [done] = small.told(effect_id)
    assert (done.type, done.case_id, done.data.effect) == ("EffectDone", "asking", "ask_superior")
    assert plain(done.data.results) == {"granted": True, "decided_on": "2025-03-03", "amount": 3}
    closed = small.told(case_id)[-1]
    assert (closed.type, closed.data.card.state, closed.data.disposition) == ("CaseClosed", "closed", "同意")


def test_what_cannot_be_received_refuses_the_effect(small: Scene) -> None:
    for changed, said in (({"pack_id": "unknown"}, "没有程序"), ({"pack_id": "penalty"}, "不能以程序")):
        effect_id = str(uuid4())
        case_id = asked(small, effect_id, **changed)
        [told] = small.told(effect_id)
        assert (told.type, said in told.data.reason, small.told(case_id)) == ("EffectRefused", True, [])


def withdrawn(scene: Scene, effect_id: str) -> None:
    """The body below takes it back."""
    fact = EffectWithdrawn(effect_id=effect_id, effect="ask_superior", owner="workflow", reason="改日再报")
    scene.hears("workflow", fact, effect_id, case_id="asking", body_id=BUREAU)


def test_what_is_taken_back_below_is_closed_without_an_answer(small: Scene) -> None:
    effect_id = str(uuid4())
    case_id = asked(small, effect_id)
    withdrawn(small, effect_id)
    told = small.told(case_id)[-1]
    assert (told.type, told.body_id, told.data.reason) == ("RequestWithdrawn", UPPER, "改日再报")
    small.hears("workflow", ProcedureConcluded(outcome="withdrawn"), case_id, case_id=case_id, body_id=UPPER)
    closed = small.told(case_id)[-1]
    assert (closed.type, closed.data.card.state, closed.data.disposition) == ("CaseClosed", "closed", "下级撤回请示")
    assert small.told(effect_id) == []


def test_an_answer_that_was_given_already_wins(small: Scene) -> None:
    for answer_first in (True, False):
        effect_id = str(uuid4())
        case_id = asked(small, effect_id)
        acts = [lambda e=effect_id: withdrawn(small, e), lambda c=case_id: concluded(small, c, granted=True)]
        for act in reversed(acts) if answer_first else acts:
            act()
        assert [t.type for t in small.told(effect_id)] == ["EffectDone"]
        assert small.told(case_id)[-1].data.disposition == "同意"
    withdrawn(small, str(uuid4()))  # one that was answered on paper, or never received, is nothing here


def test_no_filing_of_people_answers_an_effect(small: Scene) -> None:
    effect_id = str(uuid4())
    forged = small.submits(civil(content=struct({"claim": "偿还货款"})))
    concluded(small, forged.case_id, granted=True)
    assert (small.told(effect_id), small.told(forged.case_id)[-1].type) == ([], "FilingSubmitted")
