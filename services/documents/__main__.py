"""The documents room: drafts, signatures, 文号, sealed PDF, serving with proof."""

from __future__ import annotations

from pathlib import Path

from services.documents import consumer, rpc
from services.documents.clients import ArchivedFiles
from services.documents.store import DocumentsUnit
from services.documents.usecases import issue, produce, serve
from services.kit import run
from services.kit.run import Room

ROOM = Room(
    name="documents",
    unit=DocumentsUnit,
    migrations=Path(__file__).parent / "migrations",
    rpc=lambda host: rpc.registrations(host, ArchivedFiles(host.settings.rpc.get("archive", ""))),
    consumer=consumer.DocumentsConsumer,
    sources=consumer.DocumentsConsumer.sources,
    jobs={issue.ISSUE: produce.produce},
    tick=serve.deem_published,
    next_due=serve.next_deemed,
    job_seconds=300.0,
)

if __name__ == "__main__":
    run.main(ROOM)
