"""The parts of profile full: the object store keeps what it acknowledged, the index finds Chinese phrases."""

from __future__ import annotations

import io

import pytest
from elasticsearch import Elasticsearch as Client

from services.kit.objects import open_store
from services.ops.rig.elasticsearch import Elasticsearch
from services.ops.rig.objects import Minio
from services.ops.rig.session import Rig

pytestmark = pytest.mark.integration


def test_the_object_store_keeps_what_it_acknowledged_when_killed(rig: Rig, minio: Minio) -> None:
    store = open_store(minio.url)
    store.put("killed", io.BytesIO(b"kept"), 4)
    (attended,) = [one for one in rig.extra if one.part is minio]
    attended.kill()
    attended.start()
    assert open_store(minio.url).get("killed") == b"kept"


def test_the_index_finds_an_exact_phrase(elasticsearch: Elasticsearch) -> None:
    with Client(elasticsearch.url) as client:
        client.index(index="probe", id="1", document={"text": "买卖合同纠纷一案"}, refresh=True)
        client.index(index="probe", id="2", document={"text": "合同买卖"}, refresh=True)
        found = client.search(index="probe", query={"match_phrase": {"text": "买卖合同"}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]
