"""The search room: wiring and sub-commands."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.kit import run
from services.search import rpc
from services.search.clients import RoomOwners
from services.search.consumer import SearchConsumer
from services.search.store import INDEX_CHANGES, SearchUnit
from services.search.usecases.indexing import build_index, index_changes
from services.search.usecases.rebuild import BUILD_INDEX

ROOM = run.Room(
    name="search", unit=SearchUnit, migrations=Path(__file__).parent / "migrations",
    rpc=lambda host: rpc.registrations(host, partial(RoomOwners, host.settings.rpc)),
    consumer=SearchConsumer, sources=SearchConsumer.sources,
    jobs={INDEX_CHANGES: index_changes, BUILD_INDEX: build_index}, job_seconds=4 * 3600.0,
)  # fmt: skip

if __name__ == "__main__":
    run.main(ROOM)
