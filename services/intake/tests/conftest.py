"""The room on a real database and a real folder store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.intake.__main__ import ROOM
from services.intake.tests.scene import Scene
from services.kit import run
from services.ops.rig.archive import ArchiveBeside
from services.ops.rig.session import Rig


@pytest.fixture(scope="session")
def host(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[run.Host]:
    """The room's host with connections for 64 callers at once."""
    folder = tmp_path_factory.mktemp("intake")
    settings = replace(rig.fresh_database("intake"), objects=f"file://{folder}", pool=64)
    run.migrate(ROOM, settings)
    host = run.open_host(ROOM, settings)
    yield host
    host.engine.dispose()


@pytest.fixture
def scene(host: run.Host, rig: Rig, archive_beside: ArchiveBeside) -> Scene:
    """Empty tables, then bodies and packs."""
    rig.empty_tables(["intake"])
    scene = Scene(host, archive_beside)
    scene.furnish()
    return scene
