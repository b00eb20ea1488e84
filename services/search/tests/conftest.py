"""The room on a real database, with both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.kit import run
from services.ops.rig.elasticsearch import Elasticsearch
from services.ops.rig.session import Rig
from services.search.__main__ import ROOM
from services.search.index import Index, open_index
from services.search.index.elastic import ElasticIndex
from services.search.tests.scene import Scene


def remove_all(index: ElasticIndex) -> None:
    """Every index under the alias's name."""
    for name in index.client.indices.get(index=f"{index.alias}-*"):
        index.drop(name)
    index.close()


@pytest.fixture(params=["tantivy", "elasticsearch"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    """An engine with nothing in it."""
    if request.param == "tantivy":
        opened = open_index(f"file://{tmp_path}")
        yield opened
        opened.close()
        return
    node: Elasticsearch = request.getfixturevalue("elasticsearch")
    fresh = ElasticIndex(node.url, alias=f"contract-{tmp_path.name}".lower())
    yield fresh
    remove_all(fresh)


@pytest.fixture(scope="session")
def migrated(rig: Rig) -> Iterator[run.Host]:
    """The room's tables; nobody uses this host's own index."""
    settings = rig.fresh_database("search")
    run.migrate(ROOM, settings)
    host = run.open_host(ROOM, settings)
    yield host
    host.engine.dispose()


@pytest.fixture
def elastic_scene(migrated: run.Host, rig: Rig, elasticsearch: Elasticsearch) -> Iterator[Scene]:
    """The same on Elasticsearch."""
    rig.empty_tables(["search"])
    scene = Scene(replace(migrated, settings=replace(migrated.settings, search=elasticsearch.url)))
    yield scene
    assert isinstance(scene.index, ElasticIndex)
    remove_all(scene.index)


@pytest.fixture
def scene(migrated: run.Host, rig: Rig, tmp_path: Path) -> Iterator[Scene]:
    """Empty tables and an index in a folder of its own."""
    rig.empty_tables(["search"])
    host = replace(migrated, settings=replace(migrated.settings, search=f"file://{tmp_path / 'index'}"))
    yield Scene(host)
    open_index(host.settings.search).close()
