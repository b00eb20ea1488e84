"""The intake room: filings, parties, the case register and its numbers."""

from __future__ import annotations

from pathlib import Path

from services.intake import consumer, rpc
from services.intake.clients import ArchivedFiles
from services.intake.store import IntakeUnit
from services.intake.usecases.standing import FOLLOW, follow_account
from services.kit import run
from services.kit.run import Room

ROOM = Room(
    name="intake",
    unit=IntakeUnit,
    migrations=Path(__file__).parent / "migrations",
    rpc=lambda host: rpc.registrations(host, ArchivedFiles(host.settings.rpc.get("archive", ""))),
    consumer=consumer.IntakeConsumer,
    sources=consumer.IntakeConsumer.sources,
    jobs={FOLLOW: follow_account},
)

if __name__ == "__main__":
    run.main(ROOM)
