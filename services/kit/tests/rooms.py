"""Two small real rooms on kit's own tables: left tells, right notes what it was told and answers."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import text

from anjuan.kit.v1.effects_pb2 import EffectDone, EffectRefused
from services.kit import effects, run
from services.kit.database import UnitOfWork
from services.kit.errors import UnavailableError
from services.kit.events import Event
from services.kit.run import Host, Room

GATE = 4711  # an advisory lock that a test holds to stop a reaction in its middle


class Right:
    """What it does is written in the event: note it, fail, wait for a pack or for the gate, answer."""

    sources = ("left",)

    def __init__(self, host: Host) -> None:
        self.host = host

    def on_effect_done(self, event: Event, uow: UnitOfWork) -> None:
        what = effects.plain(event.data.results)
        if what.get("fails"):
            raise ValueError("this event is poison")
        if what.get("pack") and not _has_pack(uow, what["pack"]):
            raise UnavailableError("程序包尚未装载")
        if what.get("gate"):
            uow.connection.execute(text("select pg_advisory_xact_lock_shared(:gate)"), {"gate": GATE})
        detail = {"stream": event.aggregate_id, "seq": event.seq}
        uow.record("noted", event.event_id, case_id=event.case_id, detail=detail)
        if what.get("answer"):
            answer = EffectRefused(effect_id=event.data.effect_id, reason="办不到")
            uow.emit(answer, stream=event.aggregate_id, body_id=event.body_id, occurred_on=event.occurred_on)


class Left:
    """Hears the answers, does nothing about them."""

    sources = ("right",)

    def __init__(self, host: Host) -> None:
        self.host = host


def _has_pack(uow: UnitOfWork, pack_id: str) -> bool:
    found = uow.connection.execute(text("select 1 from packs where pack_id = :id"), {"id": pack_id})
    return found.scalar() is not None


def _no_doors(host: Host) -> Sequence[Any]:
    return []


def tick(uow: UnitOfWork, root_id: str | None) -> None:
    """Leaves a mark that it was here."""
    uow.record("ticked", root_id or "everybody")


def next_due(uow: UnitOfWork, root_id: str, after: date) -> date | None:
    """Something is due on the last day of March."""
    return date(2025, 3, 31) if after < date(2025, 3, 31) else None


def work(host: Host, payload: Mapping[str, Any]) -> None:
    """A job that does what its payload says."""
    if payload.get("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if payload.get("fails"):
        raise ValueError("this job is poison")
    with host.begin_as_system("job") as uow:
        if payload.get("gate"):
            uow.connection.execute(text("select pg_advisory_xact_lock_shared(:gate)"), {"gate": GATE})
        uow.record("worked", str(payload.get("name", "")), detail={"pid": os.getpid()})


_MIGRATIONS = Path(__file__).parent / "migrations"
LEFT = Room("left", UnitOfWork, _MIGRATIONS, _no_doors, Left, ("right",))
RIGHT = Room("right", UnitOfWork, _MIGRATIONS, _no_doors, Right, ("left",), jobs={"work": work}, tick=tick,
             next_due=next_due, job_seconds=60.0)  # fmt: skip
ROOMS = {"left": LEFT, "right": RIGHT}


def done(number: int = 0, **what: Any) -> EffectDone:
    """An event of left; `what` tells right what to do."""
    return EffectDone(effect_id=f"effect-{number}", effect="docket", results=effects.struct(what))


if __name__ == "__main__":
    run.main(ROOMS[sys.argv[1]], sys.argv[2:])
