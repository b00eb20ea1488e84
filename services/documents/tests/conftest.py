"""The room on a real database, a real folder store and a real LibreOffice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.documents.__main__ import ROOM
from services.documents.render.office import OFFICE
from services.documents.render.stem import STEM
from services.documents.tests.scene import Scene
from services.kit import run
from services.ops.rig.archive import ArchiveBeside
from services.ops.rig.session import Rig


@pytest.fixture(scope="session")
def host(
    rig: Rig, archive_beside: ArchiveBeside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[run.Host]:
    """The room's host, with connections for 16 callers at once, and the real archive beside it."""
    folder = tmp_path_factory.mktemp("documents")
    settings = replace(rig.fresh_database("documents"), objects=f"file://{folder / 'objects'}", data=folder, pool=16)
    settings = replace(settings, rpc={**settings.rpc, "archive": archive_beside.address})
    run.migrate(ROOM, settings)
    host = run.open_host(ROOM, settings)
    yield host
    host.engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def office() -> Iterator[None]:
    """One warm LibreOffice and one stem for the session, ended with it."""
    yield
    OFFICE.stop()
    STEM.stop()


@pytest.fixture
def scene(host: run.Host, rig: Rig, archive_beside: ArchiveBeside) -> Scene:
    """Empty tables, then bodies, people and packs."""
    rig.empty_tables(["documents"])
    scene = Scene(host, archive_beside)
    scene.furnish()
    return scene
