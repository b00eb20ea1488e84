"""The work list of one officer in a body of 2,000 cases, among 1,000,000 cases of 500 bodies; one page of twenty.

Every case has one open task; an officer finds all of their body's under a role and a tenth of them by name. Asked over
HTTP through the gateway, one request at a time, first pages and such that follow, with and without filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

from services.ops.bench.figures import Figure, quantile
from services.ops.bench.ground import Ground
from services.ops.bench.load import Request, send

BODIES = 500
_INSTANCES = """
    insert into case_card (case_id, body_id, state, title, case_number, procedure_id, pack_version, party_names, cause,
        department_id, officer_ids, limit_id, due_on, due_state, due_unit)
    select 'case-' || n, %(body)s::text || n %% %(bodies)s, 'docketed', '某案' || n, '某市监罚〔2026〕' || n || '号',
        'admin-penalty-general', '0.1.0', '吴江', '无照经营', '',
        array[%(body)s::text || n %% %(bodies)s || '-officer'],
        'samr-verify-clue', current_date + (n / %(bodies)s) %% 60, 'running', 'working-day'
    from generate_series(1, %(cases)s) n"""
_VISITS = """
    insert into visits (visit_id, instance_id, case_id, node_id, title, stage, kind, state, opened_on)
    select 'visit-' || n, 'instance-' || n, 'case-' || n, 'verify_lead', '案源核查', 'lead', 'task', 'open',
        current_date from generate_series(1, %(cases)s) n"""
_TASKS = """
    insert into tasks (task_id, instance_id, case_id, visit_id, body_id, node_id, title, stage, kind, state,
        candidate_role, opened_on)
    select 'task-' || n, 'instance-' || n, 'case-' || n, 'visit-' || n, %(body)s::text || n %% %(bodies)s,
        'verify_lead', '案源核查', 'lead', 'form', 'open', 'case_officer', current_date
    from generate_series(1, %(cases)s) n"""
_AUDIENCE = """
    insert into task_audience (task_id, key, due_on, rule, case_id, body_id, pack_id, due_state)
    select 'task-' || n, key, current_date + (n / %(bodies)s) %% 60, 0, 'case-' || n, b.body, 'admin-penalty-general',
        'running'
    from generate_series(1, %(cases)s) n, lateral (select %(body)s::text || n %% %(bodies)s as body) b,
        lateral (values ('role:' || b.body || ':case_officer::'),
                        (case when n %% 10 = 0 then 'person:' || b.body || ':' || b.body || '-officer' end)) k (key)
    where key is not null"""


def measure(ground: Ground) -> list[Figure]:
    """Milliseconds of a page."""
    cases, pages = ground.size(1_000_000, 20_000), ground.size(200, 20)
    values = {"cases": cases, "bodies": BODIES, "body": "bench-"}
    officers = ground.crowd.officers
    for statement in (_INSTANCES, _VISITS, _TASKS, _AUDIENCE):
        ground.fill("workflow", statement, **values)
    ground.fill("workflow", "vacuum analyze")
    runs = []
    asked = cycle([(officer.voice.token(), path) for officer in officers for path in _paths()])
    for _ in range(ground.runs):
        requests = (Request(path, token) for token, path in islice(asked, pages))
        outcome = send(ground.platform.address, 1, requests)
        if outcome.rate:
            runs.append([1000 * one for one in outcome.latencies])
    what = f"work list of one body among {cases:,} cases"
    return [
        Figure(f"{what}, p50", "ms", tuple(quantile(one, 0.5) for one in runs)),
        Figure(f"{what}, p95", "ms", tuple(quantile(one, 0.95) for one in runs), at_most=50),
    ]


def _paths() -> Iterator[str]:
    """First page, another size, filters."""
    for asked in ("", "?limit=100", "?due_state=overdue", "?procedure_id=admin-penalty-general", "?limit=20"):
        yield f"/api/v1/tasks{asked}"
