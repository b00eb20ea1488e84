"""The room on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.identity.__main__ import ROOM
from services.identity.tests.scene import Scene
from services.kit import run
from services.ops.rig.session import Rig


@pytest.fixture(scope="session")
def identity_host(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[run.Host]:
    settings = replace(rig.fresh_database("identity"), objects=f"file://{tmp_path_factory.mktemp('objects')}", pool=16)
    run.migrate(ROOM, settings)
    host = run.open_host(ROOM, settings)
    yield host
    host.engine.dispose()


@pytest.fixture
def empty(identity_host: run.Host, rig: Rig) -> Scene:
    """Nothing in it."""
    rig.empty_tables(["identity"])
    return Scene(identity_host)


@pytest.fixture
def scene(empty: Scene) -> Scene:
    """A tree of four bureaus and some of their people."""
    empty.furnish()
    return empty
