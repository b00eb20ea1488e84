"""What a batch of facts moves is read and written once, however many cases it speaks of; the clocks are the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from anjuan.intake.v1.events_pb2 import CaseDocketed, FilingSubmitted
from anjuan.kit.v1.cards_pb2 import IntakeCard
from services.kit.errors import RuleRefusedError
from services.kit.events import Event
from services.ops.rig.statements import statements
from services.supervision.model.matching import entries_of
from services.supervision.tests.scene import BUREAU, Scene
from services.supervision.usecases.facts import Case, apart, enter

pytestmark = pytest.mark.integration
_CLOCKS = """select case_id, limit_id, due_on, state, governing, done, jsonb_array_length(plan) as acts from clocks
             order by case_id, limit_id"""
_LEDGER = "select case_id, limit_id, kind, from_on, event_type from ledger order by case_id, limit_id, from_on, kind"


def facts(scene: Scene, case: str) -> list[Event]:
    """A filing, and that it is docketed, two days apart."""
    number, title = "某市监立〔2025〕1号", "某某涉嫌销售不合格商品案"
    filed = FilingSubmitted(card=IntakeCard(body_id=BUREAU, state="accepted", title=title))
    card = IntakeCard(body_id=BUREAU, state="docketed", title=title, case_number=number)
    docketed = CaseDocketed(docketed_on="2025-03-05", case_number=number, card=card)
    return [scene.make("intake", filed, "2025-03-03", case=case),
            scene.make("intake", docketed, "2025-03-05", case=case)]  # fmt: skip


def stripped(rows: list[Any], *cases: str) -> list[dict[str, Any]]:
    return [{**row, "case_id": ""} for row in map(dict, rows) if row["case_id"] in cases]


def test_facts_of_many_cases_are_written_at_once_as_one_by_one(scene: Scene) -> None:
    for one in facts(scene, "alone"):
        scene.take(one)
    cases = [f"c{n}" for n in range(10)]
    with statements(scene.listener.host.engine) as seen:
        scene.take(*(one for case in cases for one in facts(scene, case)))
    for table in ("ledger", "clocks"):
        assert sum(f"insert into {table} (" in one for one in seen) == 1, table
        assert sum(f"FROM {table}" in one for one in seen) == 1, table
    for rows in (scene.rows(_CLOCKS), scene.rows(_LEDGER)):
        alone = stripped(rows, "alone")
        assert alone
        for case in cases:
            assert stripped(rows, case) == alone, case


def test_what_a_case_gathered_goes_with_it_when_it_cannot_be_counted(scene: Scene) -> None:
    first, second = facts(scene, "good")[0], facts(scene, "bad")[0]
    with scene.host.begin_as_system("test") as uow:
        limits = uow.packs.limits(first.pack_id, first.pack_version)
        for one in (first, second):
            with apart(uow, one.case_id):
                case = Case(one.case_id, one.body_id, date(2025, 3, 3))
                enter(uow, limits, case, entries_of(limits, one))
                if one is second:
                    raise RuleRefusedError("无法计算")
    assert {row["case_id"] for row in scene.rows(_CLOCKS)} == {"good"}
    assert {row["case_id"] for row in scene.rows(_LEDGER)} == {"good"}


def test_cases_that_follow_one_by_one_are_read_ahead_once(scene: Scene) -> None:
    """On the day on which many limits run out, each case follows in a savepoint, and all are locked."""
    cases = [f"c{n}" for n in range(20)]
    scene.take(*(one for case in cases for one in facts(scene, case)))
    asked: list[str] = []
    note = lambda *told: asked.extend(told[3]["case_ids"] if "FROM ledger" in told[2] else ())  # noqa: E731
    event.listen(scene.host.engine, "before_cursor_execute", note)
    with scene.host.begin_as_system("test") as uow:
        uow.lock(*cases)
        for case in cases:
            with apart(uow, case):
                if case == cases[5]:
                    raise RuleRefusedError("无法计算")
                assert uow.ledger.of_case(case, {entry["limit_id"] for entry in scene.rows(_LEDGER)})
    event.remove(scene.host.engine, "before_cursor_execute", note)
    assert len(asked) <= 2 * len(cases)
