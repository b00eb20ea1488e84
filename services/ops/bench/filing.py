"""Filings through the gateway: against the bare path in turn, for a minute, and with --long at 50/s for five minutes.

The bare path is the same HTTP framework with the same request model, a gRPC call, one insert and commit, in two
processes of its own on the same database server. A filing of ours checks the person and the pack's checklist, asks the
archive for the file that it names, and writes case, parties, register, outbox and audit; its consequences in the other
rooms run beside it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

from services.kit import clock
from services.ops.bench.bare import bare_path
from services.ops.bench.figures import Figure, quantile, ratio
from services.ops.bench.ground import Ground
from services.ops.bench.load import Outcome, Request, send

CONNECTIONS, EVERY_SECONDS = 32, 1.0
_number = itertools.count(1)


def requests(ground: Ground) -> Iterator[Request]:
    """Filings of the officers in turn, for as long as their tokens last."""
    crowd = [(officer, officer.voice.token()) for officer in ground.crowd.officers]
    for officer, token in itertools.cycle(crowd):
        yield Request("/api/v1/filings", token, officer.filing(next(_number)))


def file(ground: Ground, seconds: float, per_second: float = 0.0) -> Outcome:
    """Filings through the gateway."""
    return send(ground.platform.address, CONNECTIONS, requests(ground), seconds, per_second)


def measure(ground: Ground) -> list[Figure]:
    """Filings a second, their latency, and how long the others need to follow."""
    ours, bare = [], []
    file(ground, 2)  # the first requests load what later ones find loaded
    with bare_path(ground) as address:
        for _ in range(ground.runs):
            ground.settle()
            bare.append(send(address, CONNECTIONS, requests(ground), ground.size(10, 2)).rate)
            ours.append(file(ground, ground.size(10, 2)).rate)
    ground.settle()
    minute = file(ground, ground.size(60, 4))
    took = drained(ground)
    milliseconds = [1000 * one for one in minute.latencies]
    found = [
        Figure("through the gateway", "filings/s", tuple(ours)),
        Figure("the bare path", "requests/s", tuple(bare)),
        ratio("gateway to bare path", ours, bare, at_least=0.4),
        Figure(f"for {ground.size(60, 4)} s at full speed", "filings/s", (minute.rate,), at_least=100),
        Figure("latency meanwhile, p50", "ms", (quantile(milliseconds, 0.5),), note=f"{CONNECTIONS} connections"),
        Figure("latency meanwhile, p99", "ms", (quantile(milliseconds, 0.99),)),
        Figure("its backlog drained after", "s", (took,), at_most=120),
    ]
    return [*found, *_steady(ground)] if ground.long else found


def _steady(ground: Ground) -> Iterator[Figure]:
    """Five minutes at 50/s: what is open in the end against what was open after the first minute."""
    backlog: list[tuple[float, int]] = []
    stop, began = threading.Event(), clock.monotonic()

    def watch() -> None:
        while not stop.wait(10):
            backlog.append((clock.monotonic() - began, behind(ground)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    done = file(ground, 300, per_second=50)
    stop.set()
    watcher.join()
    early = max(open_ for at, open_ in backlog if 30 <= at <= 120)
    late = max(open_ for at, open_ in backlog if at > 210)
    yield Figure("for five minutes at 50/s", "filings/s", (done.rate,), at_least=49.5)
    told = f"{early} in the second minute; more than twice as many, or than one prefetch, is growth"
    yield Figure("events behind, late minutes", "events", (late,), at_most=min(2 * early, 400), note=told)
    yield Figure("its backlog drained after", "s", (drained(ground),), at_most=120)


def drained(ground: Ground) -> float:
    """Seconds until everything has arrived; asked once a second, because asking every room costs what it measures."""
    return ground.settle(every=EVERY_SECONDS)


def behind(ground: Ground) -> int:
    """Events sent and not yet applied, the slowest pair of source and listener."""
    books = ground.books()
    sent = {source: total for book in books.values() for source, total in book.sent_by_source.items()}
    return max(sent[source] - done for book in books.values() for source, done in book.applied_by_source.items())
