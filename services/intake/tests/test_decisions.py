"""Effects of completed nodes: accept, decline, tell defects, refuse docketing, close, link."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake.tests.scene import CLERK, TODAY, Scene, civil
from services.kit import schema
from services.kit.effects import struct
from services.kit.numbers import check_case_number

LATER = date(2025, 3, 10)


def state(scene: Scene, case: pb.SubmitFilingAnswer) -> tuple[str, str]:
    with scene.begin(CLERK) as uow:
        found = uow.cases.get(case.case_id)
    return found.state, found.filing.state


def last(scene: Scene, case: pb.SubmitFilingAnswer) -> str:
    return scene.told(case.case_id)[-1].type


def test_accepting(scene: Scene) -> None:
    case = scene.submits(civil())
    assert scene.asks("accept_filing", case, LATER) == {"accepted_on": "2025-03-10"}
    assert (state(scene, case), last(scene, case)) == (("accepted", "accepted"), "FilingAccepted")
    assert scene.told(case.case_id)[-1].occurred_on == LATER
    assert scene.asks("accept_filing", case) == {"refused": "案件已受理，不能受理"}
    assert scene.asks("decline_filing", case, reason="x") == {"refused": "案件已受理，不能决定不予受理"}


@pytest.mark.parametrize(
    ("effect", "ends", "fact", "day", "said"),
    [
        ("decline_filing", ("declined", "declined"), "FilingDeclined", "declined_on", "不予受理应当说明理由"),
        ("refuse_docketing", ("not_docketed", "declined"), "DocketingRefused", "refused_on", "不予立案应当说明理由"),
    ],
)
def test_refusing(scene: Scene, effect: str, ends: tuple[str, str], fact: str, day: str, said: str) -> None:
    case = scene.submits(civil())
    assert scene.asks(effect, case, reason=" ") == {"refused": said}
    assert state(scene, case) == ("received", "submitted")
    assert scene.asks(effect, case, reason="不属于本院管辖", article="第一百二十二条") == {day: "2025-03-03"}
    assert (state(scene, case), last(scene, case)) == (ends, fact)
    assert scene.told(case.case_id)[-1].data.reason == "不属于本院管辖"
    for after in ("docket", "accept_filing", "close_case"):
        assert "不能" in scene.asks(after, case, disposition="withdrawn")["refused"]


def test_a_refusal_takes_a_number_of_the_docketed_where_the_pack_asks_for_it(scene: Scene) -> None:
    first, refused, third = (scene.submits(civil()) for _ in range(3))
    scene.asks("docket", first)
    assert scene.asks("refuse_docketing", refused, reason=" ", numbered=True) == {"refused": "不予立案应当说明理由"}
    number = "（2025）粤0703民初2号"
    answer = scene.asks("refuse_docketing", refused, reason="不属于本院管辖", numbered=True)
    assert answer == {"refused_on": "2025-03-03", "case_number": number}
    assert "不能" in scene.asks("refuse_docketing", refused, reason="再次", numbered=True)["refused"]
    assert scene.asks("docket", third)["case_number"] == "（2025）粤0703民初3号", "without a gap"
    card = scene.told(refused.case_id)[-1].data.card
    assert (card.state, card.case_number, card.docketed_on) == ("not_docketed", number, "")
    assert str(check_case_number(number)) == number


def test_closing_on_the_day_that_the_law_names(scene: Scene) -> None:
    case = scene.submits(civil())
    said = {"closed_on": "2025-03-08", "disposition": "judgment", "closing": "closing-court-judgment"}
    assert scene.asks("close_case", case, LATER, **said) == {"refused": "案件尚未受理，不能结案"}
    scene.asks("docket", case)
    assert "早于立案日期" in scene.asks("close_case", case, LATER, **said | {"closed_on": "2025-03-02"})["refused"]
    assert "晚于办理结案" in scene.asks("close_case", case, LATER, **said | {"closed_on": "2025-03-11"})["refused"]
    assert "不是日期" in scene.asks("close_case", case, LATER, **said | {"closed_on": "三月"})["refused"]
    assert scene.asks("close_case", case, LATER, **said) == {"closed_on": "2025-03-08"}
    fact = scene.told(case.case_id)[-1]
    assert (fact.occurred_on, fact.data.closing, fact.data.card.closed_on) == (LATER, said["closing"], "2025-03-08")
    assert state(scene, case) == ("closed", "accepted")


def test_a_notice_tells_everything_at_once(scene: Scene) -> None:
    case = scene.submits(civil(materials=[]))
    both = [
        {"checklist_item": "complaint", "detail": "缺起诉状"},
        {"checklist_item": "identity", "detail": "缺身份证明"},
    ]
    assert "一项也没有" in scene.asks("issue_deficiency_notice", case, defects=[])["refused"]
    assert "请提交原告的身份证明" in scene.asks("issue_deficiency_notice", case, defects=both[:1])["refused"]
    strange = [*both, {"checklist_item": "passport", "detail": "缺护照"}]
    assert "“passport”" in scene.asks("issue_deficiency_notice", case, defects=strange)["refused"]
    formal = [*both, {"detail": "请求不明确"}]
    assert scene.asks("issue_deficiency_notice", case, LATER, defects=formal, due_on="2025-03-20")["notice_id"]
    fact = scene.told(case.case_id)[-1].data
    assert (fact.due_on, [d.detail for d in fact.defects]) == ("2025-03-20", ["缺起诉状", "缺身份证明", "请求不明确"])
    assert state(scene, case) == ("received", "deficient")
    for effect in ("accept_filing", "docket"):
        assert "补正告知后尚未补正" in scene.asks(effect, case, LATER)["refused"]
    assert "不能再次告知" in scene.asks("issue_deficiency_notice", case, LATER, defects=both)["refused"]
    assert scene.asks("decline_filing", case, LATER, reason="逾期未补正")["declined_on"] == "2025-03-10"


def test_links_name_the_other_case(scene: Scene) -> None:
    one, two = scene.submits(civil()), scene.submits(civil())
    number = scene.asks("docket", two)["case_number"]
    assert scene.asks("link_case", one, relation="related", case_number=number)["link_id"]
    assert scene.asks("link_case", one, relation="appeal_of", case_number="（2024）粤0703民初9号")["link_id"]
    assert scene.asks("link_case", two, relation="related", case_number=number) == {"refused": "案件不能与自身关联"}
    with scene.begin(CLERK) as uow:
        assert [link.linked_case_id for link in uow.links.of(one.case_id)] == [two.case_id, ""]
    assert last(scene, one) == "CaseLinked"


def test_an_effect_is_performed_once(scene: Scene) -> None:
    case = scene.submits(civil())
    first = scene.asks_again("effect-1", "docket", case)
    told = scene.told(case.case_id)
    assert scene.asks_again("effect-1", "docket", case) == first
    assert (scene.told(case.case_id), len(scene.told("effect-1"))) == (told, 1)
    assert scene.asks_again("effect-2", "docket", case) == {"refused": "案件已立案，不能立案"}


def test_a_refused_effect_leaves_nothing_behind(scene: Scene) -> None:
    case = scene.submits(civil(materials=[]))
    bad = [{"checklist_item": "complaint", "detail": "x"}, {"checklist_item": "identity", "detail": "y"}]
    assert "不是日期" in scene.asks("issue_deficiency_notice", case, defects=bad, due_on="soon")["refused"]
    with scene.begin(CLERK) as uow:
        assert uow.notices.of(case.case_id) == []
        actions = uow.connection.execute(select(schema.audit.c.action)).scalars().all()
    assert state(scene, case) == ("received", "submitted")
    assert (actions, len(scene.told(case.case_id))) == (["submit_filing"], 1)


def test_an_effect_for_a_pack_not_yet_here_waits(scene: Scene) -> None:
    case = scene.submits(civil(content=struct({"claim": "还款"})))
    with scene.begin(CLERK) as uow:
        uow.connection.execute(schema.packs.delete())
    with pytest.raises(IndexError):  # no answer yet
        scene.asks("docket", case, TODAY)
    with scene.begin(CLERK) as uow:
        waiting = uow.connection.execute(select(schema.inbox_waiting)).mappings().one()
    assert (waiting["parked_at"], "尚未同步到此处" in waiting["error"]) == (None, True)
