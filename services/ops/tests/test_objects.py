"""What every object store must do, on a folder, MinIO and SeaweedFS."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from services.kit import clock
from services.kit.errors import NotFoundError, RuleRefusedError
from services.kit.objects import ObjectStore, S3Store, open_store, put_bytes, sha256_key
from services.ops.doctor.finding import Finding
from services.ops.doctor.running import _locks
from services.ops.rig.objects import Minio, SeaweedFS

if TYPE_CHECKING:
    from services.ops.installation import Installation

pytestmark = pytest.mark.integration
PERMANENT = timedelta(days=36_525)  # as long as a dossier is ever locked


@pytest.fixture(params=["folder", "minio", "seaweedfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each of them, running."""
    if request.param == "folder":
        return open_store(f"file://{tmp_path}")
    return open_store(request.getfixturevalue(request.param).url)


def put(store: ObjectStore, key: str, data: bytes) -> None:
    store.put(key, io.BytesIO(data), len(data))


def test_bytes_come_back_whole_and_in_parts(store: ObjectStore) -> None:
    put(store, "卷宗/第一页", b"0123456789")
    assert store.get("卷宗/第一页") == b"0123456789"
    assert store.get("卷宗/第一页", 3, 4) == b"3456"
    assert store.size("卷宗/第一页") == 10
    assert list(store.keys("卷宗")) == ["卷宗/第一页"]
    store.delete("卷宗/第一页")
    assert store.size("卷宗/第一页") is None
    store.delete("卷宗/第一页")
    with pytest.raises(NotFoundError):
        store.get("卷宗/第一页")


def test_what_is_locked_is_neither_removed_nor_lost_by_writing_over_it(store: ObjectStore) -> None:
    key = sha256_key(put_bytes(store, b"page"))
    assert not store.locked(key)
    can_lock = store.lock(key, clock.now() + PERMANENT)
    assert store.locked(key)
    store.lock(key, clock.now() + timedelta(days=1))  # never for less than before
    with pytest.raises(RuleRefusedError, match="已锁定"):
        store.delete(key)
    assert put_bytes(store, b"page") == key.rpartition("/")[2]
    if can_lock:  # S3: another version lies over it, and the locked one is there when that is taken away
        put(store, key, b"forged")
        store.delete(key)
    else:
        with pytest.raises(RuleRefusedError, match="改写"):
            put(store, key, b"forged")
        put(store, key, b"page")
    assert store.get(key) == b"page"
    assert store.locked(key)
    with pytest.raises(RuleRefusedError):
        store.delete(key)


def doctored(url: str) -> Finding:
    return _locks(cast("Installation", SimpleNamespace(variables={"ANJUAN_OBJECTS": url})))


def test_the_doctor_tries_the_lock_and_says_what_it_is_worth(
    minio: Minio, seaweedfs: SeaweedFS, tmp_path: Path
) -> None:
    for server in (minio, seaweedfs):
        told = doctored(server.url)
        assert (told.ok, "原件仍在" in told.found) == (True, True), told
    told = doctored(f"file://{tmp_path}")
    assert (told.ok, "不能真正锁定" in told.found) == (True, True)
    plain = open_store(minio.url)
    assert isinstance(plain, S3Store)
    plain.client.make_bucket("unlockable")
    told = doctored(minio.url.rpartition("/")[0] + "/unlockable")
    assert (told.ok, "没有启用对象锁定" in told.found) == (False, True)


def test_a_lock_is_asked_of_what_is_there(store: ObjectStore) -> None:
    with pytest.raises(NotFoundError):
        store.lock("nothing", clock.now() + timedelta(minutes=1))
