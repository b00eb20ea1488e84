"""One tick over 1,000,000 open clocks of which 10,000 are due: select, mark, ledger, cards, audit and outbox rows.

A third of the due ones run out (with a red card), a third turn yellow, a third become due soon. The database is one
of its own with supervision's tables; the use case is the one that the ticker calls, in one transaction.
"""

from __future__ import annotations

import gc

from services.kit import clock, identity
from services.kit.database import Cause
from services.kit.run import COLLECTOR
from services.ops.bench.figures import Figure
from services.ops.bench.ground import Ground
from services.supervision.__main__ import ROOM
from services.supervision.store import SupervisionUnit
from services.supervision.usecases.tick import tick

NAME, BODIES = "benchtick", 500
_BODIES = """
    insert into body_tree (body_id, root_id, name, kind, tier)
    select 'body-' || n, 'body-' || n, '某局', 'bureau', 'county' from generate_series(0, %(bodies)s - 1) n"""
_CASES = """
    insert into case_card (case_id, body_id, state, title, case_number, limit_id, due_on, due_state, due_unit)
    select 'case-' || n, 'body-' || n %% %(bodies)s, 'docketed', '某案', '某市监罚〔2026〕' || n || '号',
        'samr-verify-clue', date '2027-12-01', 'running', 'working-day' from generate_series(1, %(clocks)s) n"""
_STREAMS = "insert into streams (aggregate_id, version) select 'case-' || n, 3 from generate_series(1, %(clocks)s) n"
_CLOCKS = """
    insert into clocks (clock_id, case_id, body_id, limit_id, run, scope, pack_id, pack_version, name, kind, unit, law,
        article, rank, state, starts_on, due_on, governing, calendar, plan, next_act_on)
    select 'clock-' || n, 'case-' || n, 'body-' || n %% %(bodies)s, 'samr-verify-clue', 1, 'case',
        'admin-penalty-general', '0.1.0', '案源核查', 'authority', 'working-day', '市场监督管理行政处罚程序规定',
        '第十八条', 1, 'running', date '2026-01-05', date '2027-12-01', true, '', jsonb_build_array(
            jsonb_build_object('key', 'soon 2027-12-01 3', 'kind', 'soon', 'on', '2027-11-26', 'at', null,
                               'remaining', 3, 'level', '', 'rule', ''),
            jsonb_build_object('key', 'card due-soon', 'kind', 'card', 'on', '2027-11-26', 'at', null,
                               'remaining', 3, 'level', 'yellow', 'rule', 'due-soon'),
            jsonb_build_object('key', 'expire 2027-12-01', 'kind', 'expire', 'on', '2027-12-02', 'at', null,
                               'remaining', 0, 'level', '', 'rule', ''),
            jsonb_build_object('key', 'card overdue', 'kind', 'card', 'on', '2027-12-02', 'at', null,
                               'remaining', 0, 'level', 'red', 'rule', 'overdue')),
        date '2027-11-26' from generate_series(1, %(clocks)s) n"""
# of the next 10,000 clocks every act that comes first in its third is due yesterday
_DUE = """
    update clocks set next_act_on = current_date - 1, plan = case substr(clock_id, 7)::int %% 3
        when 0 then jsonb_build_array(plan -> 2 || d.day, plan -> 3 || d.day)
        when 1 then jsonb_build_array(plan -> 1 || d.day, plan -> 2, plan -> 3)
        else jsonb_build_array(plan -> 0 || d.day, plan -> 2, plan -> 3) end
    from (select jsonb_build_object('on', (current_date - 1)::text) as day) d
    where substr(clock_id, 7)::int > %(after)s and substr(clock_id, 7)::int <= %(after)s::int + %(due)s"""


def measure(ground: Ground) -> list[Figure]:
    """Seconds of one tick."""
    clocks, due = ground.size(1_000_000, 20_000), ground.size(10_000, 200)
    engine, spent = ground.scratch(ROOM, NAME), []
    gc.set_threshold(*COLLECTOR)  # as in the process of the tickers
    ground.fill(NAME, _BODIES, bodies=BODIES)
    for statement in (_CASES, _STREAMS, _CLOCKS):
        ground.fill(NAME, statement, bodies=BODIES, clocks=clocks)
    for number in range(ground.runs):
        ground.fill(NAME, _DUE, after=number * due, due=due)
        ground.fill(NAME, "analyze" if number else "vacuum analyze")
        began = clock.monotonic()
        tick(SupervisionUnit(engine, "supervision", Cause(identity.system("tick"))), None)
        spent.append(clock.monotonic() - began)
        _check(ground, due * (number + 1))
    engine.dispose()
    ground.postgres.drop_database(NAME)
    what = f"tick, {clocks:,} clocks open, {due:,} due"
    return [Figure(what, "s", tuple(spent), at_most=3.0)]


def _check(ground: Ground, due: int) -> None:
    """Raises RuntimeError unless every due clock has told and nothing is due any more."""
    with ground.engine(NAME).connect() as connection:
        asked = "select count(distinct aggregate_id), (select count(*) from clocks where next_act_on < current_date)"
        told, left = connection.exec_driver_sql(f"{asked} from outbox").one()
    if (told, left) != (due, 0):
        raise RuntimeError(f"{told} of {due} clocks have told, {left} are still due")
