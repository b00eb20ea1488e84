"""Who sees which clocks and cards, page by page, and how a clock explains itself."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.kit.v1.cards_pb2 import PartyCard
from anjuan.supervision.v1 import supervision_pb2 as pb
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError, NotFoundError
from services.kit.identity import Actor
from services.kit.paging import cursor
from services.supervision import views
from services.supervision.tests.scene import BUREAU, CITY, COUNTY, Scene

pytestmark = pytest.mark.integration


def _clocks(scene: Scene, actor: Actor, **asked: Any) -> pb.ListClocksAnswer:
    with scene.host.begin(actor) as uow:
        return views.list_clocks(uow, pb.ListClocksRequest(**asked))


def _cards(scene: Scene, actor: Actor, **asked: Any) -> pb.ListAlertCardsAnswer:
    with scene.host.begin(actor) as uow:
        return views.list_alert_cards(uow, pb.ListAlertCardsRequest(**asked))


def _clock(scene: Scene, actor: Actor, clock_id: str) -> pb.Clock:
    with scene.host.begin(actor) as uow:
        return views.get_clock(uow, clock_id)


def test_clocks_of_a_case_with_what_is_left(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    scene.docket("c1", "2025-03-05")
    scene.go("2025-05-24")
    leader = scene.actor("body_leader")
    decision, clue = sorted(_clocks(scene, leader, case_id="c1").clocks, key=lambda c: c.rank)
    assert (decision.limit_id, decision.remaining, decision.due_soon, decision.governing) == (
        "samr-decision-90", 10, True, True,
    )  # fmt: skip
    assert (decision.case_number, decision.kind, decision.law, decision.article) == (
        "某市监立〔2025〕1号", "limit-on-authority", "市场监督管理行政处罚程序规定", "第六十四条",
    )  # fmt: skip
    assert (clue.state, clue.stopped_on, clue.remaining) == ("stopped", "2025-03-05", 0)
    scene.go("2025-06-05")
    (late,) = _clocks(scene, leader, case_id="c1", state="overdue").clocks
    assert (late.remaining, late.due_soon) == (-2, False)


def test_working_days_are_left_in_working_days(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    (clue,) = _clocks(scene, scene.actor("body_leader"), case_id="c1").clocks
    assert (clue.unit, clue.remaining) == ("working-day", 15)


def test_the_list_of_a_body_takes_in_those_below_by_due_day_in_pages(scene: Scene) -> None:
    days = ("2025-03-12", "2025-03-11", "2025-03-10", "2025-03-07", "2025-03-06", "2025-03-05", "2025-03-04")
    for number, day in enumerate(days):
        scene.file(f"c{number}", day, body=BUREAU if number % 2 else COUNTY)
    scene.file("elsewhere", "2025-03-01", body=CITY)
    head = scene.actor("body_leader", COUNTY)
    seen, cursor = [], ""
    for _ in range(4):
        page = _clocks(scene, head, body_id=COUNTY, limit=2, cursor=cursor)
        seen += [c.case_id for c in page.clocks]
        cursor = page.next_cursor
    assert seen == [f"c{number}" for number in range(6, -1, -1)]
    assert cursor == ""
    assert {c.case_id for c in _clocks(scene, head, body_id=BUREAU).clocks} == {"c1", "c3", "c5"}
    early = _clocks(scene, head, due_from="2025-03-26", due_to="2025-03-27", governing=True)
    assert [c.due_on for c in early.clocks] == ["2025-03-26", "2025-03-27"]
    assert {c.case_id for c in early.clocks} == {"c5", "c4"}


def test_nobody_sees_upwards_or_sideways(scene: Scene) -> None:
    scene.file("mine", "2025-03-03")
    scene.file("above", "2025-03-03", body=COUNTY)
    officer = scene.actor("supervisor")
    assert {c.case_id for c in _clocks(scene, officer, body_id=CITY).clocks} == {"mine"}
    with pytest.raises(CaseNotKnownError):
        _clocks(scene, officer, case_id="above")
    with pytest.raises(CaseNotKnownError):
        _clocks(scene, officer, case_id="no-such-case")
    above = scene.clock("above", "samr-verify-clue")["clock_id"]
    for hidden in (above, "no-such-clock"):
        with pytest.raises(NotFoundError, match="没有这个计时"):
            _clock(scene, officer, hidden)


def test_an_officer_sees_the_clocks_of_the_own_cases(scene: Scene) -> None:
    for case in ("c1", "c2"):
        scene.file(case, "2025-03-03")
        scene.assign(case, f"officer of {case}")
    officer = Actor("staff", "officer of c1", "王五", body_id=BUREAU, roles=frozenset({"case_officer"}))
    assert {c.case_id for c in _clocks(scene, officer).clocks} == {"c1"}


def test_a_party_sees_the_clocks_of_the_case_and_its_own_alone(scene: Scene) -> None:
    parties = [PartyCard(party_id=f"p{n}", name=f"当事人{n}", role="respondent", account_id=f"a{n}") for n in (1, 2)]
    scene.file("c1", "2025-03-03", *parties)
    scene.serve("c1", "2025-03-05", "p1")
    scene.serve("c1", "2025-03-05", "p2")
    scene.open("c1", "review", "2025-03-05", visit="v1")
    party = Actor("party", "a1", "当事人1", account_id="a1")
    seen = {(c.limit_id, c.scope_id) for c in _clocks(scene, party, case_id="c1").clocks}
    assert seen == {("samr-verify-clue", ""), ("adm-sue-direct", ""), ("recon-apply", "p1")}
    with pytest.raises(NotFoundError):
        _clock(scene, party, scene.clock("c1", "recon-apply", "p2")["clock_id"])
    with pytest.raises(NotAllowedError):
        _cards(scene, party, case_id="c1")


def test_a_clock_explains_itself_line_by_line_with_its_ledger(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.open("c1", "hearing", "2025-04-01")
    scene.complete("c1", "hearing", "2025-04-10")
    scene.ask("c1", "extend_clock", "2025-05-20", limit_id="samr-decision-90", nth=1, granted_on="2025-05-19",
              reason="案情复杂")  # fmt: skip
    scene.complete("c1", "head_extends", "2025-07-20")  # too late, and only the second would be next
    clock = _clock(scene, scene.actor("body_leader"), scene.clock("c1", "samr-decision-90")["clock_id"])
    assert clock.due_on == "2025-07-14"  # 3 June and 10 and 30 days: Sunday 13 July
    texts = [step.text for step in clock.steps]
    assert "2025-03-05" in texts[0]
    assert any("听证" in step.text and step.article.endswith("第六十四条") for step in clock.steps)
    assert any(text.startswith("第1次延长") for text in texts)
    assert texts[-1].startswith("延长未计入")
    assert all(step.article for step in clock.steps)
    assert [entry.kind for entry in clock.ledger] == ["started", "excluded", "resumed", "extended", "extended"]
    granted = clock.ledger[3]
    assert (granted.nth, granted.approver_relation, granted.reason) == (1, "own-head", "案情复杂")
    assert getattr(granted, "from") == "2025-05-19"


def test_cards_are_seen_from_above_newest_first(scene: Scene) -> None:
    for case in ("c1", "c2"):
        scene.docket(case, "2025-03-05")
        scene.assign(case, "officer-1")
    scene.go("2025-06-04")
    supervisor = scene.actor("supervisor", CITY)
    first = _cards(scene, supervisor, limit=1)
    second = _cards(scene, supervisor, limit=1, cursor=first.next_cursor)
    cards = [*first.cards, *second.cards]
    assert {card.case_id for card in cards} == {"c1", "c2"}
    assert cards[0].card_id > cards[1].card_id
    assert second.next_cursor == ""
    assert {(c.level, c.rule_name, c.person_id, c.issued_on) for c in cards} == {
        ("red", "超法定期限", "officer-1", "2025-06-04")
    }
    assert len(_cards(scene, supervisor, case_id="c1").cards) == 1
    assert not _cards(scene, supervisor, level="yellow").cards


@pytest.mark.parametrize("asked", [{"state": "late"}, {"due_to": "tomorrow"}, {"cursor": "?"}, {"cursor": "W10="},
                                   {"cursor": cursor("2025-03-01", "\0")}])
def test_bad_input_is_named(scene: Scene, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        _clocks(scene, scene.actor("supervisor"), **asked)
    with pytest.raises(InvalidInputError, match="limit"):
        _clocks(scene, scene.actor("supervisor"), limit=-1)
