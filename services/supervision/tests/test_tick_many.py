"""What the passing of days costs: as many statements for twenty thousand clocks as for twenty."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from services.ops.rig.statements import statements
from services.supervision.settings import SETTINGS
from services.supervision.tests.scene import BUREAU, Scene

pytestmark = pytest.mark.integration


def test_twenty_thousand_clocks_take_as_many_statements_as_twenty(scene: Scene) -> None:
    def cost(cases: range, day: str) -> int:
        _many(scene, cases, date.fromisoformat(day) - timedelta(days=1))
        before = _events(scene)
        with statements(scene.listener.host.engine) as seen:
            scene.go(day)
        assert _events(scene) == before + 2 * len(cases)
        return len(seen)

    few = cost(range(20), "2025-05-24")
    passes = 20_000 // SETTINGS.tick_clocks + 1
    assert cost(range(20, 20_020), "2025-05-30") <= few * passes
    assert scene.rows("select count(*) as n from alert_cards where level = 'red'")[0]["n"] == 20_020
    (books,) = scene.rows("""
        select count(*) as n, count(distinct (aggregate_id, seq)) as places, count(distinct aggregate_id) as cases
        from outbox""")
    assert (books["n"], books["places"], books["cases"]) == (40_040, 40_040, 20_020)
    (card,) = scene.rows("select count(*) as n from case_card where due_state = 'overdue' and red_cards = 1")
    assert card["n"] == 20_020
    assert scene.rows("select count(*) as n from audit where action = 'expire_clock'")[0]["n"] == 20_020


def _events(scene: Scene) -> int:
    return int(scene.rows("select count(*) as n from outbox")[0]["n"])


def _many(scene: Scene, numbers: range, due_on: date) -> None:
    """Running clocks of so many cases, made by the database itself from one that facts have made."""
    if not scene.clock("model", "samr-decision-90"):
        scene.docket("model", "2025-03-05")
        scene.complete("model", "decide", "2025-03-06")
        with scene.host.engine.begin() as connection:
            connection.execute(text("truncate outbox"))
    copy = text("""
        insert into clocks (clock_id, case_id, body_id, limit_id, scope_id, run, scope, pack_id, pack_version, name,
            kind, unit, law, article, rank, state, starts_on, due_on, governing, plan, next_act_on)
        select 'clock-' || n, 'case-' || n, body_id, limit_id, scope_id, run, scope, pack_id, pack_version, name,
            kind, unit, law, article, rank, 'running', starts_on, :due, true, cast(:plan as jsonb),
            cast(:due as date) + 1
        from clocks, generate_series(cast(:low as int), cast(:high as int)) n where case_id = 'model'""")
    cards = text("""
        insert into case_card (case_id, body_id, limit_id, due_on, due_state, officer_ids)
        select 'case-' || n, :body, 'samr-decision-90', :due, 'running', '{officer}'
        from generate_series(cast(:low as int), cast(:high as int)) n""")
    act = '{"key": "%s", "kind": "%s", "on": "%s", "at": null, "remaining": 0, "level": "%s", "rule": "%s"}'
    after = due_on + timedelta(days=1)
    rule = "emon-statutory-overdue"
    expire = act % (f"expire {due_on}", "expire", after, "", "")
    plan = f"{expire}, {act % (f'card {rule}', 'card', after, 'red', rule)}"
    where = {"low": numbers.start, "high": numbers.stop - 1, "due": due_on, "body": BUREAU}
    with scene.host.engine.begin() as connection:
        connection.execute(copy, {**where, "plan": f"[{plan}]"})
        connection.execute(cards, where)
