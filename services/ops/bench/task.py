"""Task completion through the gateway over 16 connections, and the processor time it takes in each process.

The first node of the penalty procedure is completed: form validated, state of the procedure stepped, the next node
opened with its work list entries, outbox, audit. First with everything running, then with the listeners held back.
A mature Java engine reached 245/s through its own REST interface on such a machine, without the other rooms.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from services.ops.bench import filing
from services.ops.bench.crowd import FIRST_FORM, FIRST_NODE
from services.ops.bench.figures import Figure
from services.ops.bench.ground import Ground
from services.ops.bench.load import Request, send
from services.ops.rig.environment import LISTENERS

CONNECTIONS = 16
_OPEN = text("""
    select task_id, body_id, version from tasks where state = 'open' and node_id = :node and body_id = any(:bodies)
    order by task_id limit :count""")


def measure(ground: Ground) -> list[Figure]:
    """Completions a second, and milliseconds each costs where."""
    count = ground.size(1_500, 60)
    _provide(ground, 2 * ground.runs * count + CONNECTIONS)
    _completed(ground, CONNECTIONS)  # the first completions load what later ones find loaded
    running = [_completed(ground, count) for _ in range(ground.runs)]
    drained = filing.drained(ground)
    ground.hold(*LISTENERS)
    stopped = [_completed(ground, count) for _ in range(ground.runs)]
    ground.release(*LISTENERS)
    ground.settle()
    return [
        Figure("everything running", "completions/s", tuple(rate for rate, _ in running), at_least=80),
        Figure("its backlog drained after", "s", (drained,), at_most=120),
        Figure("listeners stopped", "completions/s", tuple(rate for rate, _ in stopped), at_least=120),
        *_costs("everything running", [cost for _, cost in running]),
        *_costs("listeners stopped", [cost for _, cost in stopped]),
    ]


def _provide(ground: Ground, wanted: int) -> None:
    """Open tasks, from filings where there are not enough."""
    officers = {officer.body_id for officer in ground.crowd.officers}
    with ground.engine("workflow").connect() as connection:
        asked = "select count(*) from tasks where state = 'open' and node_id = :node and body_id = any(:bodies)"
        known = {"node": FIRST_NODE, "bodies": sorted(officers)}
        missing = wanted - int(connection.execute(text(asked), known).scalar_one())
    while missing > 0:
        missing -= filing.file(ground, 5 if missing > 500 else 1).good
    ground.settle()


def _completed(ground: Ground, count: int) -> tuple[float, dict[str, float]]:
    """Completions a second, CPU milliseconds of each in every process."""
    requests = list(_requests(ground, count))
    before = ground.cpu_seconds()
    rate = send(ground.platform.address, CONNECTIONS, iter(requests)).rate
    after = ground.cpu_seconds()
    return rate, {name: 1000 * (after[name] - before.get(name, 0.0)) / count for name in after}


def _requests(ground: Ground, count: int) -> Iterator[Request]:
    tokens = {officer.body_id: officer.voice.token() for officer in ground.crowd.officers}
    with ground.engine("workflow").connect() as connection:
        known = {"node": FIRST_NODE, "bodies": sorted(tokens), "count": count}
        for row in connection.execute(_OPEN, known):
            yield Request(f"/api/v1/tasks/{row.task_id}/completion", tokens[row.body_id], {"data": FIRST_FORM})


def _costs(when: str, costs: list[dict[str, float]]) -> Iterator[Figure]:
    for name in costs[0]:
        yield Figure(f"CPU of {name}, {when}", "ms each", tuple(cost.get(name, 0.0) for cost in costs))
