"""The archive room: wiring and sub-commands."""

from __future__ import annotations

from pathlib import Path

from services.archive import rpc
from services.archive.consumer import ArchiveConsumer
from services.archive.store import ArchiveUnit
from services.archive.usecases import archiving, batches, binding, papers, reading, uploads
from services.kit import run


def rounds(uow: ArchiveUnit, root_id: str | None) -> None:
    """What is due by itself; nothing here goes by the legal date."""
    uploads.expire_uploads(uow, root_id)
    batches.receive_stragglers(uow, root_id)


ROOM = run.Room(
    name="archive", unit=ArchiveUnit, migrations=Path(__file__).parent / "migrations", rpc=rpc.registrations,
    consumer=ArchiveConsumer, sources=ArchiveConsumer.sources,
    jobs={
        uploads.ASSEMBLE: uploads.assemble, reading.PREPARE: reading.prepare_batch, reading.READ: reading.read_page,
        papers.FILE: papers.file_paper, papers.MATERIALS: papers.file_late_materials, binding.BIND: binding.run_binding,
        archiving.ARCHIVE: archiving.run_archiving,
    },
    tick=rounds,
)  # fmt: skip

if __name__ == "__main__":
    run.main(ROOM)
