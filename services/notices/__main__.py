"""The notices room: wiring and sub-commands."""

from __future__ import annotations

from pathlib import Path

from services.kit import run
from services.notices import rpc
from services.notices.consumer import NoticesConsumer
from services.notices.store import NoticesUnit

ROOM = run.Room(
    name="notices", unit=NoticesUnit, migrations=Path(__file__).parent / "migrations", rpc=rpc.registrations,
    consumer=NoticesConsumer, sources=NoticesConsumer.sources,
)  # fmt: skip

if __name__ == "__main__":
    run.main(ROOM)
