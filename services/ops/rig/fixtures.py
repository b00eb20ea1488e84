"""Fixtures on real parts, loaded by the root conftest.py for every test of the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.kit.settings import Settings
from services.ops.rig.archive import ArchiveBeside
from services.ops.rig.elasticsearch import Elasticsearch
from services.ops.rig.objects import Minio, SeaweedFS
from services.ops.rig.session import Rig
from services.ops.trial import Platform


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """One database server and one broker for the whole session; see Rig."""
    one = Rig.in_temporary_folder()
    try:
        one.start()
        yield one
    finally:
        one.end()


@pytest.fixture
def fresh_database(rig: Rig) -> Callable[[str], Settings]:
    """fresh_database("intake") drops and creates the empty database anjuan_intake (any name), about 0.1 s."""
    return rig.fresh_database


@pytest.fixture
def clean(rig: Rig) -> Rig:
    """Every room's tables are empty (about 10 ms for each room); the schema stays."""
    rig.empty_tables(rig.rooms)
    return rig


@pytest.fixture(scope="session")
def minio(rig: Rig) -> Minio:
    """A MinIO server (built once for each machine, minutes); `.url` is what services.kit.objects opens."""
    server = Minio(rig.place, rig.ports["objects"], rig.ports["objects_console"])
    rig.start_extra(server)
    return server


@pytest.fixture(scope="session")
def seaweedfs(rig: Rig) -> SeaweedFS:
    """A SeaweedFS server beside it; `.url` as above."""
    server = SeaweedFS(rig.place, rig.ports | {"objects": rig.ports["weed_s3"]}, name="seaweedfs")
    rig.start_extra(server)
    return server


@pytest.fixture(scope="session")
def elasticsearch(rig: Rig) -> Elasticsearch:
    """An Elasticsearch node; `.url` for the official client."""
    server = Elasticsearch(rig.place, rig.ports["search"], rig.ports["search_transport"])
    rig.start_extra(server)
    return server


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The whole platform, scripted, as `anjuan up` starts it: address, kill(name), hold(name); see Platform."""
    one = Platform.started()
    try:
        yield one
    finally:
        one.end()


@pytest.fixture(scope="session")
def archive_beside(rig: Rig) -> Iterator[ArchiveBeside]:
    """The real archive for suites of rooms that ask it (about 1 s): `.address`, `.bring(actor, data)`."""
    one = ArchiveBeside(rig).start()
    try:
        yield one
    finally:
        one.end()
