"""归档: a manifest of everything, bytes that cannot be taken away, and whoever tampers with them is found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, LEADER, OPERATOR, REVIEWER, STRANGER, Scene
from services.archive.tests.test_batches import claimed, code, seen
from services.archive.tests.test_bind import bound, count, ready
from services.archive.tests.test_export import read
from services.archive.tests.test_pages import arranged, filed, listed
from services.archive.tests.test_papers import printed
from services.archive.usecases.archiving import ARCHIVE
from services.archive.usecases.papers import FILE
from services.archive.usecases.reading import PREPARE
from services.archive.views import dossiers
from services.archive.views.scrub import scrub
from services.kit import clock, run
from services.kit.errors import CaseNotKnownError, ConflictError, NotAllowedError, NotFoundError, RuleRefusedError
from services.kit.identity import Actor
from services.kit.objects import open_store, sha256_key
from services.ops.rig.objects import Minio


def archived(scene: Scene, case_id: str, **params: str) -> dict[str, object]:
    """Asked for by a node, done by the worker; the answer."""
    effect_id = scene.asks(case_id, "archive_dossier", params)
    scene.works(ARCHIVE)
    return scene.answer(effect_id)


def whole(scene: Scene, **params: str) -> str:
    """A case with a scanned page and an instrument, bound and archived."""
    mark = clock.new_id()[-8:]  # what is archived stays locked for the tests that follow
    case_id = ready(scene, f"甲 {mark}", f"乙 {mark}")
    scene.issues(case_id, printed(f"行政处罚决定书 {mark}"))
    scene.works(FILE)
    bound(scene, case_id), bound(scene, case_id, "internal")
    scene.closes(case_id)
    assert archived(scene, case_id, **params)["archived_on"] == "2025-03-03"
    return case_id


def dossier(scene: Scene, case_id: str, actor: Actor = LEADER) -> pb.Dossier:
    asked = pb.GetDossierRequest(case_id=case_id)
    return dossiers.get_dossier(scene.begin(actor), scene.packs, actor, asked)


def scrubbed(scene: Scene, limit: int = 3) -> list[pb.ScrubFinding]:
    found: list[pb.ScrubFinding] = []
    asked = pb.ScrubRequest(limit=limit)
    while True:
        answer = scrub(scene.begin(OPERATOR), scene.host.objects, OPERATOR, asked)
        found += answer.findings
        if not answer.next_after:
            return found
        asked.after = answer.next_after


def test_an_archived_dossier_is_written_down_and_closed(scene: Scene) -> None:
    case_id = whole(scene, retention="long_term")
    shown = dossier(scene, case_id)
    assert (shown.state, shown.retention_name, shown.locked_until[:10], shown.locked) == (
        "archived", "长期", "2085-03-03", False
    )  # fmt: skip
    (fact,) = scene.told("DossierArchived", case_id)
    assert (fact.data.dossier_id, fact.data.card.dossier_state) == (shown.dossier_id, "archived")
    asked = pb.GetManifestRequest(case_id=case_id)
    file = dossiers.get_manifest(scene.begin(LEADER), scene.host.objects, LEADER, asked)
    manifest = json.loads(file.chunk)
    sizes = {one["sha256"]: one["size"] for one in manifest["objects"]}
    assert [page["page_number"] for page in manifest["pages"] if page["page_number"]] == [1, 2, 3]
    named = [*manifest["pages"], *manifest["volumes"], *manifest["papers"]]
    assert {one["sha256"] for one in named} | {p["master_sha256"] for p in manifest["pages"]} == sizes.keys()
    store = scene.host.objects
    for sha256, size in (sizes | {file.sha256: file.size}).items():
        assert store.size(sha256_key(sha256)) == size
        assert store.locked(sha256_key(sha256))
        with pytest.raises(RuleRefusedError):
            store.delete(sha256_key(sha256))
    with pytest.raises(ConflictError, match="已归档"):
        arranged(scene, listed(scene, LEADER, case_id=case_id)[0], volume="main", seq=7)
    effect_id = scene.asks(case_id, "archive_dossier", {})
    assert "已归档" in scene.answer(effect_id)["refused"]
    batch = scans.bring(scene, scans.sheet(code(scene, case_id)), scans.text("迟来"))
    assert seen(scene, batch.batch_id).piles[0].reason == "archived"


def test_a_dossier_that_is_not_whole_is_refused_with_the_reason(scene: Scene) -> None:
    case_id = ready(scene, "一")
    assert archived(scene, case_id)["refused"] == "正卷、副卷尚未装订，不能归档"
    bound(scene, case_id), bound(scene, case_id, "internal")
    pile = seen(scene, scans.bring(scene, scans.text("补充")).batch_id).piles[0]
    claimed(scene, pile, case_id, volume="main", seq=7)
    count(scene, case_id)
    assert "1 页未装订" in str(archived(scene, case_id)["refused"])
    assert "保管期限" in str(archived(scene, case_id, retention="ever")["refused"])
    read(scene, "补充")
    bound(scene, case_id)
    scene.host.objects.delete(sha256_key(listed(scene, case_id=case_id)[0].sha256))
    assert "缺失" in str(archived(scene, case_id)["refused"])


def test_a_dossier_shows_what_is_bound_and_what_is_in_the_way(scene: Scene) -> None:
    case_id = ready(scene, "一")
    filed(scene, "副", case_id=case_id, volume="internal", seq=1)
    before = dossier(scene, case_id)
    assert [(v.kind, v.state, v.pages, [e.item for e in v.entries]) for v in before.volumes] == [
        ("main", "open", 1, ["证据材料"]), ("internal", "open", 1, ["案源材料"])
    ]  # fmt: skip
    assert len(before.hindrances) == 2  # not counted, not read
    assert [v.kind for v in dossier(scene, case_id, REVIEWER).volumes] == ["main"]
    read(scene, "副")
    count(scene, case_id)
    answer = bound(scene, case_id)
    main = dossier(scene, case_id).volumes[0]
    assert (main.volume_id, main.state, main.part, main.entries[0].last) == (answer["volume_id"], "bound", 1, 1)
    file = dossiers.get_volume(scene.begin(REVIEWER), scene.host.objects, REVIEWER,
                               pb.GetVolumeRequest(volume_id=main.volume_id))  # fmt: skip
    assert file.chunk.startswith(b"%PDF-")
    assert (len(file.chunk), file.file_name) == (file.size, "江市监立〔2025〕3号 正卷 第1册.pdf")
    inner = pb.GetVolumeRequest(volume_id=str(bound(scene, case_id, "internal")["volume_id"]))
    with pytest.raises(NotAllowedError, match="副卷"):
        dossiers.get_volume(scene.begin(REVIEWER), scene.host.objects, REVIEWER, inner)
    with pytest.raises(NotFoundError):
        dossiers.get_manifest(scene.begin(LEADER), scene.host.objects, LEADER, pb.GetManifestRequest(case_id=case_id))
    with pytest.raises(CaseNotKnownError):
        dossier(scene, case_id, STRANGER)


def test_a_flipped_byte_and_a_missing_object_are_found(scene: Scene) -> None:
    case_id = whole(scene)
    assert scrubbed(scene) == []
    first, second = listed(scene, LEADER, case_id=case_id, volume="main")[1:]
    store = scene.host.objects
    folder = Path(scene.host.settings.objects.removeprefix("file://"))
    page, volume = (folder / sha256_key(sha256) for sha256 in (first.sha256, _pdf(scene, case_id)))
    page.chmod(0o644)  # as somebody who may enter the folder can do
    data = bytearray(page.read_bytes())
    data[100] ^= 1
    page.write_bytes(data)
    volume.unlink()
    manifest = folder / sha256_key(dossier(scene, case_id).manifest_sha256)
    manifest.chmod(0o644)
    found = scrubbed(scene)
    assert {(f.kind, f.what) for f in found} == {
        ("changed", "page"), ("changed", "upload"), ("changed", "dossier"), ("missing", "volume"),
        ("missing", "dossier"),
    }  # fmt: skip
    told = next(f for f in found if f.what == "page")
    assert (told.case_id, told.page_id, told.page_number) == (case_id, first.page_id, first.page_number)
    assert "江市监立〔2025〕3号 页《扫描0001.pdf 第2页》" in told.detail
    assert second.sha256 not in {f.sha256 for f in found}
    assert store.size(sha256_key(second.sha256))
    with pytest.raises(NotAllowedError):
        scrub(scene.begin(CLERK), store, CLERK, pb.ScrubRequest())


def _pdf(scene: Scene, case_id: str) -> str:
    return dossier(scene, case_id).volumes[0].pdf_sha256


@pytest.fixture
def on_minio(archive: run.Host, scene: Scene, minio: Minio) -> Scene:
    """The same room over a store that locks for real."""
    there = Scene(replace(archive, objects=open_store(minio.url)), seqs=scene.seqs)
    there.furnish()
    return there


@pytest.mark.integration
def test_a_store_that_locks_holds_every_object_of_the_dossier(on_minio: Scene) -> None:
    case_id = whole(on_minio, retention="permanent")
    shown = dossier(on_minio, case_id)
    assert (shown.locked, shown.locked_until[:10]) == (True, "2125-03-03")
    store = on_minio.host.objects
    for sha256 in (shown.manifest_sha256, shown.volumes[0].pdf_sha256):
        with pytest.raises(RuleRefusedError, match="已锁定"):
            store.delete(sha256_key(sha256))
    assert scrubbed(on_minio) == []


def test_what_hinders_binding_names_nothing_of_the_internal_volume_to_who_may_not_open_it(scene: Scene) -> None:
    case_id, secret = filed(scene, "一"), "欧阳举报"
    broken = scans.Side(scans.picture("坏")[:40] + b"x" * 200)
    scans.bring(scene, scans.sheet(code(scene, case_id, "internal", 1)), broken, name=f"{secret}.pdf")
    scene.works(PREPARE)
    assert [secret in said for said in dossier(scene, case_id).hindrances].count(True) == 2
    told = dossier(scene, case_id, REVIEWER).hindrances
    uncounted = {said.partition("尚未清点")[0] for said in told if "尚未清点" in said}
    assert uncounted == {"本案扫描批次《扫描0001.pdf》", "本案扫描批次"}
    refused = bound(scene, case_id, "internal")["refused"], archived(scene, case_id)["refused"]
    assert "副卷材料第 2 页图像已损坏" in str(refused[0])
    assert secret not in str([*told, *refused])
