"""Each kind of fact moves its clock, and others hear of it."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from anjuan.workflow.v1.events_pb2 import HearingScheduled, NodeOpened, PackPublished, ProcedureStarted
from services.kit.legal_calendar import LEGAL_ZONE
from services.kit.testing import until
from services.supervision.tests.scene import Scene

pytestmark = pytest.mark.integration


def test_a_fact_starts_a_clock_and_the_due_day_is_told(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    clock = scene.clock("c1", "samr-verify-clue")
    # 15 working days after Monday 3 March 2025: Monday 24 March
    assert (clock["state"], clock["starts_on"], clock["due_on"]) == ("running", date(2025, 3, 3), date(2025, 3, 24))
    (told,) = scene.told("DueDayChanged")
    assert (told.data.limit_id, told.data.due_on, told.data.why) == ("samr-verify-clue", "2025-03-24", "started")
    assert told.data.governing
    assert (told.data.card.limit_id, told.data.card.due_on, told.data.card.state) == (
        "samr-verify-clue", "2025-03-24", "running",
    )  # fmt: skip
    assert (told.occurred_on, told.case_id, told.body_id) == (date(2025, 3, 3), "c1", "bureau")
    (card,) = scene.rows("select limit_id, due_on, due_state from case_card where case_id = 'c1'")
    assert dict(card) == {"limit_id": "samr-verify-clue", "due_on": date(2025, 3, 24), "due_state": "running"}


def test_the_limit_of_lowest_rank_that_runs_governs(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    scene.docket("c1", "2025-03-05")
    assert scene.clock("c1", "samr-verify-clue")["state"] == "stopped"
    assert scene.clock("c1", "samr-verify-clue")["stopped_on"] == date(2025, 3, 5)
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["due_on"], clock["governing"]) == (date(2025, 6, 3), True)
    assert not scene.clock("c1", "samr-verify-clue")["governing"]
    scene.complete("c1", "decide", "2025-05-06")
    (card,) = scene.rows("select limit_id, due_on, due_state from case_card where case_id = 'c1'")
    assert dict(card) == {"limit_id": "samr-decision-90", "due_on": None, "due_state": "stopped"}
    assert [e.data.why for e in scene.told("DueDayChanged")] == ["started", "stopped", "started", "stopped"]


def test_a_period_between_two_facts_does_not_count(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.open("c1", "hearing", "2025-04-01")
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["state"], clock["due_on"], clock["suspended_on"]) == ("suspended", None, date(2025, 4, 1))
    assert scene.told("DueDayChanged")[-1].data.card.state == "suspended"
    assert scene.told("DueDayChanged")[-1].data.card.due_on == ""
    scene.complete("c1", "hearing", "2025-04-10")
    # 3 June and ten days: 13 June 2025, a Friday
    assert scene.clock("c1", "samr-decision-90")["due_on"] == date(2025, 6, 13)
    assert scene.told("DueDayChanged")[-1].data.why == "resumed"


def test_what_is_still_open_when_a_clock_stops_ends_with_it(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.open("c1", "hearing", "2025-04-01")
    scene.complete("c1", "decide", "2025-04-10")
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["state"], clock["due_on"], clock["suspended_on"]) == ("stopped", date(2025, 6, 13), None)


def test_suspension_and_resumption_take_the_days_that_the_pack_names(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.complete("c1", "suspend", "2025-04-03", ruled_on="2025-04-01")
    assert scene.clock("c1", "samr-decision-90")["suspended_on"] == date(2025, 4, 1)
    scene.complete("c1", "resume", "2025-04-11", ruled_on="2025-04-10")
    assert scene.clock("c1", "samr-decision-90")["due_on"] == date(2025, 6, 13)


def test_overlapping_periods_count_once(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.open("c1", "hearing", "2025-04-01")
    scene.complete("c1", "suspend", "2025-04-05", ruled_on="2025-04-05")
    scene.complete("c1", "hearing", "2025-04-10")
    assert scene.clock("c1", "samr-decision-90")["state"] == "suspended"
    scene.complete("c1", "resume", "2025-04-15", ruled_on="2025-04-15")
    # 15 days in all: 3 June -> 18 June 2025
    assert scene.clock("c1", "samr-decision-90")["due_on"] == date(2025, 6, 18)


def test_facts_extend_in_the_order_of_the_rule(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.complete("c1", "head_extends", "2025-05-20")
    assert scene.clock("c1", "samr-decision-90")["due_on"] == date(2025, 7, 3)
    scene.complete("c1", "group_extends", "2025-06-20", days=20)
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["due_on"], clock["extensions"]) == (date(2025, 7, 23), 2)


def test_an_extension_by_a_fact_after_expiry_does_not_count(scene: Scene) -> None:
    scene.docket("c1", "2025-03-05")
    scene.complete("c1", "head_extends", "2025-06-04")
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["due_on"], clock["extensions"]) == (date(2025, 6, 3), 0)
    assert len(scene.rows("select * from ledger where kind = 'extended'")) == 1


def test_every_visit_of_a_node_has_a_clock_of_its_own(scene: Scene) -> None:
    scene.open("c1", "review", "2025-03-05", visit="v1")
    scene.complete("c1", "review", "2025-03-10", visit="v1")
    scene.open("c1", "review", "2025-03-12", visit="v2")
    assert scene.clock("c1", "samr-legal-review", "v1")["state"] == "stopped"
    second = scene.clock("c1", "samr-legal-review", "v2")
    assert (second["state"], second["due_on"]) == ("running", date(2025, 3, 26))


def test_a_clock_begun_again_after_its_end_is_another(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    scene.docket("c1", "2025-03-05")
    scene.file("c1", "2025-03-10")
    first, second = (scene.clock("c1", "samr-verify-clue", run=run) for run in (1, 2))
    assert (first["state"], first["due_on"]) == ("stopped", date(2025, 3, 24))
    assert (second["state"], second["starts_on"], second["due_on"]) == ("running", date(2025, 3, 10), date(2025, 3, 31))
    scene.file("c1", "2025-03-12")  # inside a run: part of it
    assert scene.clock("c1", "samr-verify-clue", run=3) is None


def test_every_party_has_a_clock_of_its_own_from_the_day_it_was_served(scene: Scene) -> None:
    scene.serve("c1", "2025-03-05", "p1")
    scene.serve("c1", "2025-03-11", "p2")
    # 60 days: Sunday 4 May is a holiday, the 5th too; 10 May 2025 is a Saturday, Monday 12 May follows
    assert scene.clock("c1", "recon-apply", "p1")["due_on"] == date(2025, 5, 6)
    assert scene.clock("c1", "recon-apply", "p2")["due_on"] == date(2025, 5, 12)
    scene.complete("c1", "reconsider", "2025-04-01", party_id="p2")
    assert scene.clock("c1", "recon-apply", "p1")["state"] == "running"
    assert scene.clock("c1", "recon-apply", "p2")["state"] == "stopped"


def test_an_end_without_object_stops_the_clocks_that_had_begun(scene: Scene) -> None:
    scene.serve("c1", "2025-03-05", "p1", "penalty-notice")
    scene.complete("c1", "statements", "2025-03-07")
    assert scene.clock("c1", "samr-statement-period", "c1-penalty-notice")["state"] == "stopped"


def test_hours_run_from_the_next_full_hour_and_never_roll(scene: Scene) -> None:
    scene.complete("c1", "register", "2025-03-07", taken_at="2025-03-07T15:20:00+08:00")
    clock = scene.clock("c1", "samr-register-evidence-report")
    assert clock["due_at"].isoformat() == "2025-03-08T08:00:00+00:00"  # Saturday 16:00 in Beijing
    assert scene.told("DueDayChanged")[-1].data.due_at == "2025-03-08T16:00:00+08:00"


def test_hours_are_over_by_the_minute_where_the_fact_tells_it(scene: Scene) -> None:
    scene.complete("c1", "register", "2025-03-07", taken_at="2025-03-07T15:20:00+08:00")  # until the 8th, 16:00
    scene.instant = datetime(2025, 3, 8, 16, 30, tzinfo=LEGAL_ZONE)
    scene.complete("c1", "report", "2025-03-08")
    scene.go("2025-03-09")
    assert [e.data.limit_id for e in scene.told("TimeLimitExpired")] == ["samr-register-evidence-report"]
    assert scene.clock("c1", "samr-register-evidence-report")["state"] == "stopped"


def test_a_limit_counted_back_is_due_before_the_hearing(scene: Scene) -> None:
    message = HearingScheduled(hearing_id="h1", starts_at="2025-04-16T09:00:00+08:00")
    scene.tell("workflow", message, "2025-03-20", case="c1")
    # seven working days before Wednesday 16 April: 7 April
    assert scene.clock("c1", "pen-hearing-notice", "h1")["due_on"] == date(2025, 4, 7)
    scene.complete("c1", "notify", "2025-04-01", hearing_id="h1")
    assert scene.clock("c1", "pen-hearing-notice", "h1")["state"] == "stopped"


def test_beyond_the_published_calendar_a_due_day_is_provisional(scene: Scene) -> None:
    scene.docket("c1", "2026-11-02")
    clock = scene.clock("c1", "samr-decision-90")
    assert (clock["due_on"], clock["provisional"]) == (date(2027, 2, 1), True)
    assert scene.told("DueDayChanged")[-1].data.provisional
    assert scene.told("DueDayChanged")[-1].data.card.provisional


def test_a_case_of_a_pack_not_yet_loaded_waits_for_it(empty: Scene) -> None:
    empty.bodies()
    empty.file("c1", "2025-03-03")
    assert empty.clock("c1", "samr-verify-clue") is None
    (waiting,) = empty.rows("select error, parked_at from inbox_waiting")
    assert "尚未装入" in waiting["error"]
    assert waiting["parked_at"] is None
    empty.publish()

    def tried_again() -> object:
        empty.listener.sweep()
        return empty.clock("c1", "samr-verify-clue")

    until(tried_again, 10, "the event tried again")
    assert empty.clock("c1", "samr-verify-clue")["due_on"] == date(2025, 3, 24)


def test_a_pack_whose_bundle_is_not_stored_yet_waits(empty: Scene) -> None:
    message = PackPublished(pack_id="other", version="1.0.0", sha256="0" * 64, valid_from="2025-01-01")
    empty.tell("workflow", message, "2025-01-01", stream="other")
    (waiting,) = empty.rows("select error, parked_at from inbox_waiting")
    assert "对象存储" in waiting["error"]
    assert waiting["parked_at"] is None


def test_facts_of_a_case_without_pack_or_rule_move_nothing(scene: Scene) -> None:
    scene.tell("workflow", ProcedureStarted(), "2025-03-03", case="c1")
    scene.tell("workflow", NodeOpened(node_id="elsewhere", visit_id="v"), "2025-03-03", case="c1")
    assert scene.rows("select * from ledger") == []
    assert scene.told() == []


def test_a_fact_of_no_use_to_the_pack_s_condition_is_parked_not_guessed(scene: Scene) -> None:
    scene.complete("c1", "register", "2025-03-07", elsewhere="2025-03-07")
    (waiting,) = scene.rows("select error from inbox_waiting")
    assert "taken_at" in waiting["error"]


@pytest.mark.parametrize(
    "statement", ["update ledger set from_on = '2025-01-01'", "delete from ledger", "truncate ledger"]
)
def test_the_ledger_can_only_grow(scene: Scene, statement: str) -> None:
    scene.file("c1", "2025-03-03")
    with pytest.raises(DBAPIError, match=r"insert-only|permission denied"), scene.host.engine.begin() as connection:
        connection.execute(text(statement))
    assert len(scene.rows("select * from ledger")) == 1


def test_every_count_leaves_an_audit_row(scene: Scene) -> None:
    scene.file("c1", "2025-03-03")
    (row,) = scene.rows("select action, object_id, case_id, legal_on, actor from audit")
    assert (row["action"], row["case_id"], row["legal_on"]) == ("clock_started", "c1", date(2025, 3, 3))
    assert row["object_id"] == scene.clock("c1", "samr-verify-clue")["clock_id"]
    assert row["actor"]["name"] == "张三"
