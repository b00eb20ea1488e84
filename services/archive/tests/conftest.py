"""The room on a real database and a real folder store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from services.archive.__main__ import ROOM
from services.archive.tests.files import BODY, OTHER, told
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


@pytest.fixture
def host(archive: run.Host, rig: Rig) -> run.Host:
    """Empty tables and two bodies; no pack, no people."""
    rig.empty_tables(["archive"])
    for body in (BODY, OTHER):
        told(archive, "identity", BodyChanged(body=Body(body_id=body, name=body, kind="bureau", tier="county")), body)
    return archive
