"""One inbox out of a backlog: 10,000 events of 2,500 streams wait in the queue of one listener.

The listener runs as a process of its own, as it does where each room has its own; its rate is counted
from its first batch to its last. Then the rooms drain theirs in the two processes that they share.
"""

from __future__ import annotations

import subprocess
import sys

from services.kit import clock, identity
from services.kit.database import Cause, UnitOfWork
from services.kit.testing import until
from services.ops.bench.figures import Figure
from services.ops.bench.ground import Ground
from services.ops.bench.latency import told
from services.ops.discover import ROOT
from services.ops.rig.environment import LISTENERS, for_process

ROOM, EACH = "notices", 4


def measure(ground: Ground) -> list[Figure]:
    """Events a second."""
    streams = ground.size(2_500, 250)
    alone, together = [], []
    for _ in range(ground.runs):
        ground.hold(*LISTENERS)
        _tell(ground, streams)
        until(lambda: not ground.books()["identity"].unsent, 300, "everything relayed")
        alone.append(_alone(ground, streams * EACH))
        began = clock.monotonic()
        ground.release(*LISTENERS)
        ground.settle()
        together.append(_others(ground) * streams * EACH / (clock.monotonic() - began))
    return [
        Figure("one room's inbox out of a backlog", "events/s", tuple(alone), at_least=4_000, note=ROOM),
        Figure("all other rooms in two processes, start-up included", "events/s", tuple(together)),
    ]


def _others(ground: Ground) -> int:
    """Listeners besides the measured one."""
    return sum("identity" in book.applied_by_source for book in ground.books().values()) - 1


def _tell(ground: Ground, streams: int) -> None:
    engine, keys = ground.engine("identity"), [clock.new_id() for _ in range(streams)]
    for _ in range(EACH):
        for start in range(0, streams, 500):
            with UnitOfWork(engine, "identity", Cause(identity.system("bench"))) as uow:
                for key in keys[start : start + 500]:
                    uow.emit(told(key), stream=key, body_id=key, occurred_on=clock.today())


def _alone(ground: Ground, count: int) -> float:
    env = for_process(ground.platform.variables)
    argv = [sys.executable, "-m", f"services.{ROOM}", "consume"]
    before, first = _applied(ground), 0.0
    with subprocess.Popen(argv, env=env, cwd=ROOT, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            until(lambda: _applied(ground) > before, 60, "the first batch")
            first, already = clock.monotonic(), _applied(ground) - before
            until(lambda: _applied(ground) - before >= count, 300, "the last batch")
            return (count - already) / (clock.monotonic() - first)
        finally:
            process.terminate()


def _applied(ground: Ground) -> int:
    with ground.engine(ROOM).connect() as connection:
        asked = "select coalesce(sum(last_seq), 0) from inbox where source = 'identity'"
        return int(connection.exec_driver_sql(asked).scalar_one())
