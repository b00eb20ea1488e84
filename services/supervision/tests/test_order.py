"""Rooms tell independently: whatever order their facts arrive in, the same clocks stand in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from anjuan.documents.v1.events_pb2 import InstrumentIssued, InstrumentServed
from anjuan.intake.v1.events_pb2 import CaseClosed, CaseDocketed, FilingSubmitted
from anjuan.workflow.v1.events_pb2 import NodeOpened
from services.kit.events import Event
from services.kit.identity import system
from services.supervision.model.fold import case_standings
from services.supervision.tests.scene import PACK, Scene
from services.supervision.usecases.facts import Case, recount

pytestmark = pytest.mark.integration

def _life(scene: Scene, case: str) -> list[Event]:
    """A case's facts as the rooms tell them, by day."""

    def node(name: str, on: str, **data: Any) -> Event:
        return scene.completed(case, name, on, **data)

    def served(party: str, on: str) -> Event:
        message = InstrumentServed(instrument_id="i", instrument="penalty-decision", party_id=party, served_on=on)
        return scene.make("documents", message, on, case=case)

    issued = InstrumentIssued(instrument="extension", issued_on="2025-06-18")
    return [
        scene.make("intake", FilingSubmitted(), "2025-03-03", case=case),
        scene.make("intake", CaseDocketed(docketed_on="2025-03-05"), "2025-03-05", case=case),
        scene.make("workflow", NodeOpened(node_id="review", visit_id=f"{case}-review"), "2025-03-05", case=case),
        node("review", "2025-03-05"),
        node("open_trial", "2025-03-06"),
        scene.make("workflow", NodeOpened(node_id="hearing", visit_id=f"{case}-h"), "2025-04-01", case=case),
        node("suspend", "2025-04-04", ruled_on="2025-04-04"),
        node("hearing", "2025-04-10"),
        node("resume", "2025-04-15", ruled_on="2025-04-15"),
        scene.make("documents", issued, "2025-06-18", case=case),  # the last day, only because of the days excluded
        node("group_extends", "2025-07-18", days=20),  # again the last day
        node("decide", "2025-07-30"),
        served("p1", "2025-07-30"),
        served("p2", "2025-08-01"),
        scene.make("intake", CaseClosed(closed_on="2025-07-30"), "2025-08-01", case=case),
        node("reconsider", "2025-08-01", party_id="p2"),
    ]


@st.composite
def _orders(draw: st.DrawFn) -> list[int]:
    """How the facts of three rooms mix; each room's own stay in order, the inbox sees to that."""
    sources = [0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 2, 2, 0, 1]
    streams = {s: [i for i, source in enumerate(sources) if source == s] for s in set(sources)}
    return [streams[source].pop(0) for source in draw(st.permutations(sources))]


_COLUMNS = """limit_id, scope_id, run, state, starts_on, due_on, stopped_on, suspended_on, provisional, extensions,
    governing"""


def _clocks(scene: Scene, case: str) -> list[dict[str, Any]]:
    rows = scene.rows(f"select {_COLUMNS} from clocks where case_id = :case order by 1, 2, 3", case=case)
    return [{**row, "scope_id": row["scope_id"].removeprefix(case)} for row in rows]


def _told(scene: Scene, case: str, facts: Sequence[Event]) -> list[dict[str, Any]]:
    for fact in facts:
        scene.take(fact)
    assert scene.rows("select error from inbox_waiting") == []
    return _clocks(scene, case)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=_orders())
def test_any_order_of_facts_gives_the_same_clocks(scene: Scene, order: list[int]) -> None:
    number = len(scene.rows("select distinct case_id from ledger"))
    plain, mixed = f"plain-{number}", f"mixed-{number}"
    expected = _told(scene, plain, _life(scene, plain))
    facts = _life(scene, mixed)
    assert _told(scene, mixed, [facts[i] for i in order]) == expected
    decision = next(c for c in expected if c["limit_id"] == "samr-decision-90")
    # 90 days, 15 excluded, 30 more and then 20: Thursday 7 August 2025
    assert (decision["state"], decision["due_on"].isoformat(), decision["extensions"]) == ("stopped", "2025-08-07", 2)


def test_an_end_told_before_its_beginning_of_the_same_day_ends_it(scene: Scene) -> None:
    docketed = scene.make("intake", CaseDocketed(docketed_on="2025-03-05"), "2025-03-05", case="c1")
    decided = scene.completed("c1", "decide", "2025-03-05")
    scene.take(replace(decided, at=docketed.at))
    assert scene.clock("c1", "samr-decision-90") is None
    scene.take(replace(docketed, at=decided.at))
    assert scene.clock("c1", "samr-decision-90")["state"] == "stopped"


def test_one_room_s_own_order_holds(scene: Scene) -> None:
    for node, more in (("report", {}), ("register", {"taken_at": "2025-03-05T09:30:00+08:00"})):
        scene.take(scene.completed("c1", node, "2025-03-05", **more))
    assert scene.clock("c1", "samr-register-evidence-report")["state"] == "running"


def test_recomputed_from_the_ledger_every_clock_is_as_stored(scene: Scene) -> None:
    before = _told(scene, "c1", _life(scene, "c1"))
    scene.go("2026-02-20")  # parties' periods run out, and the limits that wait for them begin
    before = _clocks(scene, "c1")
    assert {c["limit_id"] for c in before} >= {"samr-apply-enforcement", "samr-decision-90"}
    stored = scene.rows("select * from clocks order by clock_id")
    with scene.host.begin(system("test")) as uow:
        limits = uow.packs.limits(*PACK)
        recount(uow, limits, Case("c1", "bureau", uow.legal_on("bureau")), limits.rules)
        standings = case_standings(limits, uow.ledger.of_case("c1", limits.rules), limits.rules)
    assert scene.rows("select * from clocks order by clock_id") == stored
    for row in stored:
        standing = standings[row["limit_id"], row["scope_id"], row["run"]]
        assert (standing.state, standing.due_on, standing.due_at) == (row["state"], row["due_on"], row["due_at"])
    with scene.host.engine.begin() as connection:
        connection.execute(text("delete from clocks"))
    with scene.host.begin(system("test")) as uow:
        recount(uow, uow.packs.limits(*PACK), Case("c1", "bureau", uow.legal_on("bureau")), limits.rules)
    assert _clocks(scene, "c1") == before
