"""The archive room: wiring and sub-commands."""

from __future__ import annotations

from pathlib import Path

from services.archive import rpc, usecases
from services.archive.consumer import ArchiveConsumer
from services.archive.store import ArchiveUnit
from services.kit import run

ROOM = run.Room(
    name="archive", unit=ArchiveUnit, migrations=Path(__file__).parent / "migrations", rpc=rpc.registrations,
    consumer=ArchiveConsumer, sources=ArchiveConsumer.sources, jobs={usecases.ASSEMBLE: usecases.assemble},
    tick=usecases.expire_uploads,
)  # fmt: skip

if __name__ == "__main__":
    run.main(ROOM)
