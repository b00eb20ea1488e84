"""What nodes ask of this room: extensions before expiry, excluded periods, resumption."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.kit.effects import plain
from services.supervision.tests.scene import Scene

pytestmark = pytest.mark.integration


def _done(answer: Any) -> dict[str, Any]:
    assert answer.DESCRIPTOR.name == "EffectDone", answer.reason
    return plain(answer.results)


def _refused(answer: Any) -> str:
    assert answer.DESCRIPTOR.name == "EffectRefused"
    return str(answer.reason)


def test_an_extension_moves_the_due_day_by_what_the_rule_gives(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "extend_clock", "2025-05-20", limit_id="samr-decision-90", nth=1, granted_on="2025-05-19",
                       reason="案情复杂")  # fmt: skip
    assert _done(answer) == {"due_on": "2025-07-03"}
    assert scene.told("DueDayChanged")[-1].data.why == "extended"
    (entry,) = scene.rows("select * from ledger where kind = 'extended'")
    assert (entry["from_on"], entry["reason"]) == (date(2025, 5, 19), "案情复杂")
    assert entry["detail"]["approver_relation"] == "own-head"
    assert entry["detail"]["article"] == "《市场监督管理行政处罚程序规定》第六十四条"
    assert entry["detail"]["faults"] == []


def test_on_the_last_day_an_extension_is_still_in_time(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "extend_clock", "2025-06-03", limit_id="samr-decision-90", nth=1, granted_on="2025-06-03",
                       reason="案情复杂")  # fmt: skip
    assert _done(answer)["due_on"] == "2025-07-03"


def test_after_expiry_an_extension_is_refused_with_its_article(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "extend_clock", "2025-06-04", limit_id="samr-decision-90", nth=1, granted_on="2025-06-04",
                       reason="案情复杂")  # fmt: skip
    assert "第六十四条" in _refused(answer)
    assert "2025-06-03届满" in _refused(answer)
    assert scene.clock("c1", "samr-decision-90")["due_on"] == date(2025, 6, 3)
    assert scene.rows("select * from ledger where kind = 'extended'") == []


def test_what_was_granted_in_time_counts_when_it_is_entered_later(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.go("2025-06-04")
    assert scene.clock("c1", "samr-decision-90")["state"] == "overdue"
    answer = scene.ask("c1", "extend_clock", "2025-06-05", limit_id="samr-decision-90", nth=1, granted_on="2025-06-03",
                       reason="案情复杂")  # fmt: skip
    assert _done(answer)["due_on"] == "2025-07-03"
    assert scene.clock("c1", "samr-decision-90")["state"] == "running"


def test_a_grant_dated_after_the_act_is_refused(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "extend_clock", "2025-05-20", limit_id="samr-decision-90", nth=1, granted_on="2025-05-21",
                       reason="案情复杂")  # fmt: skip
    assert "2025-05-21晚于今天2025-05-20" in _refused(answer)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"nth": 2}, "不能办理第2次延长"),
        ({"nth": 1, "amount": 31, "unit": "calendar-day"}, "至多30日"),
        ({"nth": 1, "amount": 10, "unit": "working-day"}, "不能以 working-day 计"),
    ],
)
def test_an_extension_beyond_the_rule_is_refused(scene: Scene, params: dict[str, Any], why: str) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "extend_clock", "2025-05-20", limit_id="samr-decision-90", granted_on="2025-05-20",
                       reason="案情复杂", **params)  # fmt: skip
    assert why in _refused(answer)


def test_the_second_extension_takes_its_length_from_the_instrument_and_there_is_no_third(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    given = {"limit_id": "samr-decision-90", "granted_on": "2025-05-20", "reason": "案情特别复杂"}
    _done(scene.ask("c1", "extend_clock", "2025-05-20", nth=1, **given))
    assert "未定延长多久" in _refused(scene.ask("c1", "extend_clock", "2025-05-20", nth=2, **given))
    more = scene.ask("c1", "extend_clock", "2025-05-20", nth=2, amount=20, unit="calendar-day", **given)
    assert _done(more) == {"due_on": "2025-07-23"}
    assert "至多延长2次" in _refused(scene.ask("c1", "extend_clock", "2025-05-20", nth=3, amount=5, **given))


def test_a_missed_lead_time_is_a_recorded_fault_and_no_bar(scene: Scene) -> None:
    scene.complete("c1", "open_trial", "2025-03-05")  # six months: Friday 5 September 2025
    answer = scene.ask("c1", "extend_clock", "2025-09-03", limit_id="civil-first-ordinary-trial", nth=1,
                       granted_on="2025-09-03", requested_on="2025-08-20", reason="有特殊情况")  # fmt: skip
    assert _done(answer) == {"due_on": "2026-03-05"}
    (entry,) = scene.rows("select detail from ledger where kind = 'extended'")
    (fault,) = entry["detail"]["faults"]
    # asked 15 days before (21 August) in time, to be decided 5 days before: Sunday 31 August -> Friday 29 August
    assert (fault["limit_id"], fault["latest_on"], fault["done_on"]) == (
        "civil-audience-ext-decision", "2025-08-29", "2025-09-03",
    )  # fmt: skip
    assert entry["detail"]["approver_relation"] == "own-president"


def test_a_period_is_excluded_on_a_ground_of_the_article_alone(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    asked = {"limit_id": "samr-decision-90", "from_on": "2025-04-01", "to_on": "2025-04-10"}
    why = _refused(scene.ask("c1", "exclude_period", "2025-04-11", ground="出差", **asked))
    assert "没有“出差”" in why
    assert "听证" in why
    ground = "检测、检验、检疫、鉴定"
    assert _done(scene.ask("c1", "exclude_period", "2025-04-11", ground=ground, **asked)) == {"due_on": "2025-06-13"}


def test_an_open_exclusion_stands_still_until_it_is_resumed(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    ground = {"limit_id": "samr-decision-90", "ground": "检测、检验、检疫、鉴定"}
    assert "不能恢复" in _refused(scene.ask("c1", "resume_period", "2025-03-20", to_on="2025-03-20", **ground))
    assert _done(scene.ask("c1", "exclude_period", "2025-04-01", from_on="2025-04-01", **ground)) == {}
    assert scene.clock("c1", "samr-decision-90")["state"] == "suspended"
    early = scene.ask("c1", "resume_period", "2025-04-10", to_on="2025-03-31", **ground)
    assert "不能恢复" in _refused(early)
    assert _done(scene.ask("c1", "resume_period", "2025-04-10", to_on="2025-04-10", **ground)) == {
        "due_on": "2025-06-13"
    }
    assert "不能恢复" in _refused(scene.ask("c1", "resume_period", "2025-04-12", to_on="2025-04-12", **ground))


def test_a_period_after_expiry_cannot_be_excluded(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "exclude_period", "2025-06-20", limit_id="samr-decision-90", ground="公告",
                       from_on="2025-06-04", to_on="2025-06-10")  # fmt: skip
    assert "已于2025-06-03届满" in _refused(answer)


def test_dates_out_of_order_are_refused(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    answer = scene.ask("c1", "exclude_period", "2025-04-20", limit_id="samr-decision-90", ground="公告",
                       from_on="2025-04-10", to_on="2025-04-01")  # fmt: skip
    assert "早于开始日" in _refused(answer)


def test_a_limit_that_does_not_run_cannot_be_extended(scene: Scene) -> None:
    given = {"nth": 1, "granted_on": "2025-05-20", "reason": "案情复杂"}
    assert "没有期限" in _refused(scene.ask("c1", "extend_clock", "2025-05-20", limit_id="no-such", **given))
    assert "尚未起算" in _refused(scene.ask("c1", "extend_clock", "2025-05-20", limit_id="samr-decision-90", **given))
    scene.docket("c1", "2025-03-05")
    scene.complete("c1", "decide", "2025-05-06")
    assert "已经停止" in _refused(scene.ask("c1", "extend_clock", "2025-05-20", limit_id="samr-decision-90", **given))


def test_of_several_clocks_one_must_be_named(scene: Scene) -> None:
    for visit in ("v1", "v2"):
        scene.open("c1", "review", "2025-03-05", visit=visit)
    given = {"limit_id": "samr-legal-review", "nth": 1, "granted_on": "2025-03-10", "amount": 5,
             "unit": "working-day", "reason": "特殊情况"}  # fmt: skip
    assert "scope_id" in _refused(scene.ask("c1", "extend_clock", "2025-03-10", **given))
    assert _done(scene.ask("c1", "extend_clock", "2025-03-10", scope_id="v2", **given)) == {"due_on": "2025-03-26"}
    assert scene.clock("c1", "samr-legal-review", "v1")["due_on"] == date(2025, 3, 19)
