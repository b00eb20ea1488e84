"""The room on a real database and a real folder store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.archive.__main__ import ROOM
from services.archive.tests.scene import Scene
from services.kit import run
from services.ops.rig.session import Rig


@pytest.fixture(scope="session")
def archive(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[run.Host]:
    """The room's host."""
    folder = tmp_path_factory.mktemp("archive")
    settings = replace(rig.fresh_database("archive"), objects=f"file://{folder / 'objects'}", data=folder)
    run.migrate(ROOM, settings)
    host = run.open_host(ROOM, settings)
    yield host
    host.engine.dispose()


@pytest.fixture
def scene(archive: run.Host, rig: Rig) -> Scene:
    """Empty tables, then bodies, people and the pack."""
    rig.empty_tables(["archive"])
    scene = Scene(archive)
    scene.furnish()
    return scene
