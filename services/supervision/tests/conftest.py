"""The room on a real database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.kit import migration
from services.kit.inbox.streams import Listener
from services.kit.run import Host, open_host
from services.kit.settings import Settings
from services.ops.rig.session import Rig
from services.supervision.__main__ import ROOM
from services.supervision.tests.scene import Scene


@pytest.fixture(scope="session")
def supervision_host(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The migrated database, once for the session."""
    settings: Settings = replace(
        rig.fresh_database("supervision"), objects=f"file://{tmp_path_factory.mktemp('objects')}"
    )
    migration.upgrade(ROOM, settings)
    host = open_host(ROOM, settings)
    yield host
    host.engine.dispose()


@pytest.fixture(scope="session")
def listening_host(supervision_host: Host) -> Iterator[Host]:
    """The same room with the driver that consumers use."""
    host = open_host(ROOM, supervision_host.settings, driver="psycopg2")
    yield host
    host.engine.dispose()


@pytest.fixture
def empty(rig: Rig, supervision_host: Host, listening_host: Host) -> Scene:
    """An empty room."""
    rig.empty_tables(["supervision"])
    return Scene(supervision_host, Listener.of(ROOM, listening_host))


@pytest.fixture
def scene(empty: Scene) -> Scene:
    """A room that knows the pack, and a scripted tree of bodies on 3 March 2025."""
    empty.publish()
    empty.bodies()
    return empty
