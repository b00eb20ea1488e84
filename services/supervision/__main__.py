"""Supervision: clocks by law, reminders, yellow and red cards."""

from __future__ import annotations

from pathlib import Path

from services.kit import run
from services.supervision import rpc
from services.supervision.consumer import SupervisionConsumer
from services.supervision.store import SupervisionUnit
from services.supervision.usecases.tick import next_due, tick

ROOM = run.Room(
    name="supervision", unit=SupervisionUnit, migrations=Path(__file__).parent / "migrations", rpc=rpc.registrations,
    consumer=SupervisionConsumer, sources=SupervisionConsumer.sources, tick=tick, next_due=next_due,
)  # fmt: skip

if __name__ == "__main__":
    run.main(ROOM)
