"""From the commit of an event to the commit of its application in each listener, at 100 events a second.

Both instants are PostgreSQL's own commit timestamps (track_commit_timestamp is switched on for the measurement, the
server restarted with it): nothing of ours is in the measured path but outbox, relay, broker and inbox. The events
tell of new bodies, to which every room listens; one stream each.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

from sqlalchemy import text

from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from services.kit import clock, identity
from services.kit.database import Cause, UnitOfWork
from services.ops import lifecycle
from services.ops.bench.figures import Figure, quantile
from services.ops.bench.ground import Ground

PER_SECOND = 100
_SENT = text("""
    select aggregate_id, extract(epoch from pg_xact_commit_timestamp(xmin)) as at from streams
    where aggregate_id = any(:ids)""")
_APPLIED = text("""
    select aggregate_id, extract(epoch from pg_xact_commit_timestamp(xmin)) as at from inbox
    where source = 'identity' and aggregate_id = any(:ids)""")


def measure(ground: Ground) -> list[Figure]:
    """p50 and p99 of the slowest listener."""
    _track(ground, "on")
    runs = [_run(ground, ground.size(20.0, 3.0)) for _ in range(ground.runs)]
    _track(ground, "off")
    p50 = tuple(max(quantile(one, 0.5) for one in run.values()) for run in runs)
    p99 = tuple(max(quantile(one, 0.99) for one in run.values()) for run in runs)
    slowest = max(runs[-1], key=lambda room: quantile(runs[-1][room], 0.5))
    return [
        Figure("commit to applied, slowest listener, p50", "ms", p50, at_most=40, note=slowest),
        Figure("commit to applied, slowest listener, p99", "ms", p99, at_most=200),
    ]


def _track(ground: Ground, state: str) -> None:
    ground.fill("identity", f"alter system set track_commit_timestamp = {state}")
    lifecycle.restart(ground.platform, ["postgres"])
    ground.settle()


def _run(ground: Ground, seconds: float) -> dict[str, list[float]]:
    """Milliseconds of every event, by listener."""
    ids = list(tell(ground, int(seconds * PER_SECOND), PER_SECOND))
    ground.settle()
    sent = _instants(ground, "identity", ids, sent=True)
    rooms = [room for room, book in ground.books().items() if "identity" in book.applied_by_source]
    applied = {room: _instants(ground, room, ids) for room in rooms}
    return {room: [1000 * (at[key] - sent[key]) for key in ids] for room, at in applied.items()}


def _instants(ground: Ground, room: str, ids: list[str], sent: bool = False) -> dict[str, float]:
    with ground.engine(room).connect() as connection:
        return {row[0]: float(row.at) for row in connection.execute(_SENT if sent else _APPLIED, {"ids": ids})}


def tell(ground: Ground, count: int, per_second: float) -> Iterator[str]:
    """Events of new bodies, one transaction each, at that pace; their streams."""
    engine, began, pause = ground.engine("identity"), clock.monotonic(), Event()
    for number in range(count):
        pause.wait(max(0.0, began + number / per_second - clock.monotonic()))
        key = clock.new_id()
        with UnitOfWork(engine, "identity", Cause(identity.system("bench"))) as uow:
            uow.emit(told(key), stream=key, body_id=key, occurred_on=clock.today())
        yield key


def told(key: str) -> BodyChanged:
    """A body that nobody has heard of."""
    return BodyChanged(body=Body(body_id=key, name="某局", kind="bureau", tier="county", code=key))
