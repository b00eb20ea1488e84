"""What the passing of days does: reminders, expiry and cards, each told once, in as many statements as for one."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from anjuan.identity.v1.events_pb2 import BodyChanged, LegalDateAdvanced
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.intake.v1.events_pb2 import CaseClosed
from services.kit import clock as wall
from services.kit.identity import system
from services.kit.settings import domain_dir
from services.supervision import views
from services.supervision.model.fold import Standing
from services.supervision.model.plan import threshold
from services.supervision.tests.scene import BUREAU, CITY, Scene
from services.supervision.usecases.tick import next_due, tick

pytestmark = pytest.mark.integration


def _next(scene: Scene, after: str) -> str:
    day = next_due(scene.host.begin(system("tick")), CITY, date.fromisoformat(after))
    return day.isoformat() if day else ""


def _extend(scene: Scene) -> None:
    scene.ask("c1", "extend_clock", "2025-05-26", limit_id="samr-decision-90", nth=1, granted_on="2025-05-26",
              reason="案情复杂")  # fmt: skip


def _state(scene: Scene) -> str:
    return str(scene.rows("select due_state from case_card where case_id = 'c1'")[0]["due_state"])


def test_due_soon_is_told_once_for_each_due_day(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")  # due 3 June; ten days before: 24 May
    scene.go("2025-05-23")
    assert scene.told("ClockDueSoon") == []
    scene.go("2025-05-24")
    scene.go("2025-05-25")
    assert [(e.data.due_on, e.data.remaining) for e in scene.told("ClockDueSoon")] == [("2025-06-03", 10)]
    assert scene.told("ClockDueSoon")[-1].data.card.state == "due_soon"
    scene.assign("c1", "officer-1")
    assert _state(scene) == "due_soon"
    _extend(scene)
    assert _state(scene) == "running"
    scene.go("2025-06-23")
    assert [(e.data.due_on, e.data.remaining) for e in scene.told("ClockDueSoon")] == [
        ("2025-06-03", 10), ("2025-07-03", 10),
    ]  # fmt: skip


def test_of_two_reminders_missed_at_once_the_nearer_is_told(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.go("2025-06-02")
    assert [e.data.remaining for e in scene.told("ClockDueSoon")] == [3]


def test_expiry_is_told_once_on_the_day_after_the_last(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.go("2025-06-03")
    assert scene.told("TimeLimitExpired") == []
    scene.go("2025-06-04")
    scene.go("2025-06-05")
    (told,) = scene.told("TimeLimitExpired")
    assert (told.data.limit_id, told.data.due_on) == ("samr-decision-90", "2025-06-03")
    assert told.occurred_on == date(2025, 6, 4)
    assert (told.data.card.state, told.data.card.due_on, told.data.card.red_cards) == ("overdue", "2025-06-03", 1)
    assert scene.clock("c1", "samr-decision-90")["state"] == "overdue"
    (card,) = scene.rows("select due_state, red_cards, yellow_cards from case_card where case_id = 'c1'")
    assert dict(card) == {"due_state": "overdue", "red_cards": 1, "yellow_cards": 1}
    ledger = scene.rows("select kind from ledger where limit_id = 'samr-decision-90' order by entry_id")
    assert [entry["kind"] for entry in ledger] == ["started", "expired"]


def test_a_card_is_issued_once_to_the_responsible_officer(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.assign("c1", "officer-1", "officer-2")
    scene.go("2025-05-24")
    (yellow,) = scene.told("AlertCardIssued")
    assert (yellow.data.level, yellow.data.rule_id) == ("yellow", "emon-yellow-near-due")
    assert yellow.data.person_id == "officer-1"
    assert yellow.data.text == (
        "黄牌（临近办理时限黄牌）：某市监立〔2025〕1号，普通程序处理决定剩余10日，届满日2025-06-03"
        "（《市场监督管理行政处罚程序规定》第六十四条）。"
    )
    assert yellow.data.card.yellow_cards == 1
    _extend(scene)
    scene.go("2025-06-25")
    assert len(scene.told("AlertCardIssued")) == 1  # the rule has spoken to this clock
    scene.go("2025-07-04")
    assert Counter(e.data.level for e in scene.told("AlertCardIssued")) == {"yellow": 1, "red": 1}


def test_a_clock_that_ran_out_unseen_gets_no_late_reminder(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.go("2025-08-01")
    assert scene.told("ClockDueSoon") == []
    assert [e.data.level for e in scene.told("AlertCardIssued")] == ["red"]


def test_what_was_stopped_in_time_never_expires(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.complete("c1", "decide", "2025-06-03")
    scene.go("2025-06-10")
    assert scene.told("TimeLimitExpired") == []
    assert _next(scene, "2025-06-10") == ""


def test_what_was_stopped_too_late_has_expired_all_the_same(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.complete("c1", "decide", "2025-06-04")
    scene.go("2025-06-05")
    (told,) = scene.told("TimeLimitExpired")
    assert told.data.due_on == "2025-06-03"
    assert scene.clock("c1", "samr-decision-90")["state"] == "stopped"
    assert [e.data.level for e in scene.told("AlertCardIssued")] == ["red"]


def test_a_period_excluded_afterwards_brings_a_clock_back(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.go("2025-06-04")
    scene.ask("c1", "exclude_period", "2025-06-05", limit_id="samr-decision-90", ground="公告", from_on="2025-05-01",
              to_on="2025-05-10")  # fmt: skip
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["state"], clock["due_on"]) == ("running", date(2025, 6, 13))
    scene.go("2025-06-14")
    assert [e.data.due_on for e in scene.told("TimeLimitExpired")] == ["2025-06-03", "2025-06-13"]
    assert [e.data.level for e in scene.told("AlertCardIssued")] == ["red"]


def test_a_limit_begins_when_all_it_waits_for_have_run_out(scene: Scene) -> None:
    scene.serve("c1", "2025-03-05", "p1")
    scene.serve("c1", "2025-03-11", "p2")  # to 12 May; the action directly until 5 September
    scene.go("2025-05-13")
    assert scene.clock("c1", "samr-apply-enforcement") is None
    scene.go("2025-09-06")
    clock = scene.clock("c1", "samr-apply-enforcement")
    # three months from Friday 5 September: 5 December 2025
    assert (clock["starts_on"], clock["due_on"]) == (date(2025, 9, 5), date(2025, 12, 5))
    assert clock["governing"]
    assert scene.told("DueDayChanged")[-1].data.why == "started"
    assert scene.told("DueDayChanged")[-1].data.card.limit_id == "samr-apply-enforcement"


def test_expiry_is_itself_a_fact_to_which_a_clock_can_be_tied(scene: Scene) -> None:
    scene.serve("c1", "2025-03-05", "p1", "penalty-notice")  # five working days: 12 March
    scene.go("2025-03-13")
    clock = scene.clock("c1", "samr-close")
    assert (clock["starts_on"], clock["due_on"]) == (date(2025, 3, 12), date(2025, 4, 2))
    assert scene.told("DueDayChanged")[-1].data.card.limit_id == "samr-close"


def test_a_party_s_period_that_has_run_out_governs_no_longer(scene: Scene) -> None:
    scene.serve("c1", "2025-03-05", "p1")
    scene.serve("c1", "2025-03-11", "p2")
    assert scene.clock("c1", "recon-apply", "p1")["governing"]
    scene.go("2025-05-07")
    (told,) = scene.told("TimeLimitExpired")
    assert (told.data.scope_id, told.data.kind) == ("p1", "limit-on-party")
    assert (told.data.card.limit_id, told.data.card.due_on, told.data.card.state) == (
        "recon-apply", "2025-05-12", "running",
    )  # fmt: skip
    assert scene.clock("c1", "recon-apply", "p2")["governing"]
    assert not scene.clock("c1", "recon-apply", "p1")["governing"]


def test_hours_of_a_scripted_tree_end_with_their_day(scene: Scene) -> None:
    scene.complete("c1", "register", "2025-03-07", taken_at="2025-03-07T15:20:00+08:00")  # until 8 March, 16:00
    assert _next(scene, "2025-03-07") == "2025-03-09"
    scene.go("2025-03-08")
    assert scene.told("TimeLimitExpired") == []
    scene.go("2025-03-09")
    assert [e.data.limit_id for e in scene.told("TimeLimitExpired")] == ["samr-register-evidence-report"]


def test_there_is_no_beginning_while_one_was_stopped_rather_than_ran_out(scene: Scene) -> None:
    scene.serve("c1", "2025-03-05", "p1")
    scene.go("2025-05-10")  # the period for reconsideration has run out
    scene.complete("c1", "sued", "2025-05-12")
    scene.go("2026-03-01")
    assert scene.clock("c1", "samr-apply-enforcement") is None


def test_next_due_names_the_days_on_which_there_is_something_to_tell(scene: Scene) -> None:
    assert _next(scene, "2025-03-03") == ""
    scene.docket("c1", "2025-03-05")
    seen, day = [], "2025-03-05"
    while day := _next(scene, day):
        seen.append(day)
        scene.go(day)
    assert seen == ["2025-05-24", "2025-05-31", "2025-06-04"]


def test_what_became_due_in_the_past_is_told_on_the_next_day(scene: Scene) -> None:
    scene.go("2025-06-10")
    scene.docket("c1", "2025-03-05")
    assert _next(scene, "2025-06-10") == "2025-06-11"
    scene.go("2025-06-11")
    assert [e.data.due_on for e in scene.told("TimeLimitExpired")] == ["2025-06-03"]


def test_bodies_outside_scripted_trees_live_by_the_calendar_day_and_the_hour(empty: Scene) -> None:
    empty.publish()
    empty.bodies(scripted=False)
    today = wall.today()
    scene, due = empty, wall.now() - timedelta(hours=26)
    scene.docket("past", (today - timedelta(days=200)).isoformat())
    scene.docket("now", today.isoformat())
    scene.complete("hours-over", "register", today.isoformat(), taken_at=due.isoformat())
    scene.complete("hours-left", "register", today.isoformat(), taken_at=wall.now().isoformat())
    tick(scene.host.begin(system("tick")), None)
    assert {e.case_id for e in scene.told("TimeLimitExpired")} == {"past", "hours-over"}
    tick(scene.host.begin(system("tick")), None)
    assert len(scene.told("TimeLimitExpired")) == 2


def test_a_tree_s_tick_leaves_others_alone(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    tick(scene.host.begin(system("tick")), None)  # today lies long after, but the tree stands still
    assert scene.told("TimeLimitExpired") == []
    with scene.host.engine.begin() as connection:
        connection.execute(text("delete from body_tree where body_id = :body"), {"body": BUREAU})
    scene.go("2025-08-01")  # a body that is not (yet) known is nobody's
    assert scene.told("TimeLimitExpired") == []


def test_two_scripted_trees_have_dates_of_their_own(scene: Scene) -> None:
    one = Body(body_id="court", name="court", kind="court", tier="basic")
    scene.tell("identity", BodyChanged(body=one), "2025-01-01", stream="court")
    scene.tell("identity", LegalDateAdvanced(root_body_id="court", legal_on="2025-03-03"), "2025-03-03", stream="court")
    scene.docket("here", "2025-03-05")
    scene.docket("there", "2025-03-05", body="court")
    scene.go("2025-06-04")
    assert [e.case_id for e in scene.told("TimeLimitExpired")] == ["here"]
    with scene.host.begin(system("test")) as uow:
        assert next_due(uow, "court", date(2025, 3, 5)) == date(2025, 5, 24)


def test_so_many_working_days_before_are_counted_over_holidays() -> None:
    # 1 to 8 October 2025 are holidays, Sunday 28 September is worked
    standing = Standing("running", due_on=date(2025, 10, 9))
    assert threshold(standing, "working-day", 1) == (date(2025, 9, 30), None)
    assert threshold(standing, "working-day", 3) == (date(2025, 9, 28), None)
    assert threshold(standing, "month", 10) == (date(2025, 9, 29), None)


def test_a_new_year_of_the_calendar_counts_provisional_days_anew(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.file("c1", "2026-12-25")  # 15 working days lead into 2027
    scene.file("c2", "2025-03-03")
    clock = scene.clock("c1", "samr-verify-clue")
    assert (clock["due_on"], clock["provisional"]) == (date(2027, 1, 15), True)
    shutil.copytree(domain_dir(), tmp_path / "domain")
    calendar = tmp_path / "domain" / "calendar.yaml"
    data = yaml.load(calendar.read_text(), Loader=yaml.CSafeLoader)
    data["years"][2027] = {"days_off_on_weekdays": ["2027-01-01"], "working_weekends": []}
    calendar.write_text(yaml.safe_dump(data, allow_unicode=True))
    monkeypatch.setenv("ANJUAN_DOMAIN_DIR", str(tmp_path / "domain"))
    scene.go("2025-03-04")
    clock = scene.clock("c1", "samr-verify-clue")
    assert (clock["due_on"], clock["provisional"]) == (date(2027, 1, 18), False)
    assert [(e.case_id, e.data.why) for e in scene.told("DueDayChanged")][2:] == [("c1", "recounted")]


def test_a_measure_that_was_not_dealt_with_in_time_lapses_by_law(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    scene.complete("c1", "keep_evidence", "2025-03-05")  # seven working days: 14 March
    assert scene.clock("c1", "samr-register-evidence")["governing"]
    scene.go("2025-03-17")
    (told,) = scene.told("TimeLimitExpired")
    assert (told.data.limit_id, told.data.kind) == ("samr-register-evidence", "measure-term")
    assert (told.data.card.limit_id, told.data.card.state) == ("samr-verify-clue", "running")  # the case is not late
    scene.tell("intake", CaseClosed(closed_on="2025-03-20"), "2025-03-20", case="c1")
    clock_id = scene.clock("c1", "samr-register-evidence")["clock_id"]
    with scene.host.begin(scene.actor("body_leader")) as uow:
        steps = [step.text for step in views.get_clock(uow, clock_id).steps]
    assert "停止：2025-03-20停止计时，措施已于2025-03-14届满时自动解除。" in steps
