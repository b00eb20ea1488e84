"""装订, end to end: real reading, a searchable PDF with cover and catalogue, and nothing changes afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pikepdf
import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.workflow.v1.events_pb2 import EffectWithdrawn
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, OFFICER, Scene
from services.archive.tests.test_batches import claimed, code, seen
from services.archive.tests.test_export import exported, read, told
from services.archive.tests.test_pages import arranged, filed, listed, replaced
from services.archive.tests.test_papers import printed
from services.archive.usecases import batches
from services.archive.usecases import pages as usecases
from services.archive.usecases.binding import BIND
from services.archive.usecases.papers import FILE
from services.archive.usecases.reading import PREPARE, READ
from services.kit.errors import ConflictError, UnavailableError
from services.kit.identity import system
from services.kit.objects import sha256_key
from services.ops.rig.verapdf import broken_rules


def count(scene: Scene, case_id: str) -> None:
    """Every scanned file of the case agrees with its paper."""
    with scene.begin(CLERK) as uow:
        ids = {page.batch_id for page in uow.pages.of_case(case_id) if page.batch_id}
    for batch_id in ids:
        shown = seen(scene, batch_id)
        counted = pb.CountScanBatchRequest(batch_id=batch_id, paper_pages=shown.pages, if_version=shown.version)
        batches.count_scan_batch(scene.begin(CLERK), CLERK, counted)


def bound(scene: Scene, case_id: str, volume: str = "main") -> dict[str, object]:
    """Asked for by a node, done by the worker; the answer."""
    effect_id = scene.asks(case_id, "bind_volume", {"volume": volume})
    scene.works(BIND)
    return scene.answer(effect_id)


def pdf_of(scene: Scene, folder: Path, volume_id: object) -> Path:
    with scene.begin(CLERK) as uow:
        volume = uow.volumes.get(str(volume_id))
    path = folder / "volume.pdf"
    path.write_bytes(scene.host.objects.get(sha256_key(volume.pdf_sha256)))
    assert path.stat().st_size == volume.size
    return path


def words(path: Path, first: int, last: int) -> str:
    asked = ["pdftotext", "-f", str(first), "-l", str(last), str(path), "-"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_a_volume_is_bound_with_what_was_read(scene: Scene, tmp_path: Path) -> None:
    case_id = scene.case()
    scene.issues(case_id, printed("行政处罚决定书 罚款五千元", "第二页"))
    side = scans.Side(scans.picture("现场检查笔录\n货架上有过期酸奶", (620, 877), 30))
    scans.bring(scene, scans.sheet(code(scene, case_id, "main", 4)), side, scans.blank())
    scene.works(FILE), scene.works(PREPARE), scene.works(READ)
    count(scene, case_id)
    answer = bound(scene, case_id)
    assert answer["pages"] == 3
    path = pdf_of(scene, tmp_path, answer["volume_id"])
    assert broken_rules(path) == []
    front = "".join(words(path, 1, 2).split())
    for wanted in ("江门市市场监督管理局", "（正卷）", "江市监立〔2025〕3号", "江市监处罚〔2025〕8号", "证据材料"):
        assert wanted in front
    assert words(path, 3, 3).split() == ["行政处罚决定书", "罚款五千元"]
    assert words(path, 5, 5).split() == ["现场检查笔录", "货架上有过期酸奶"]
    with pikepdf.open(path) as volume:
        assert [str(item.title) for item in volume.open_outline().root] == [
            "卷宗封面 卷内目录", "行政处罚决定书 江市监处罚〔2025〕8号", "证据材料"
        ]  # fmt: skip
        assert volume.open_metadata().pdfa_status == "2B"
        images = volume.pages[4].obj.Resources.XObject
        embedded = [image for name, image in images.items() if name != "/N"]
        assert embedded[0].read_raw_bytes() == side.copy  # the picture itself, not compressed anew
    (fact,) = scene.told("VolumeBound", case_id)
    assert (fact.data.pages, fact.data.part, fact.data.card.dossier_state, fact.data.card.pages) == (3, 1, "open", 3)
    changed = [e.data.page for e in scene.told("PageChanged", case_id)]
    assert [(p.page_number, p.volume_id) for p in changed] == [(n, answer["volume_id"]) for n in (1, 2, 3)]
    assert exported(scene) == told(scene)
    assert bound(scene, case_id, "internal")["pages"] == 0  # its catalogue says that there is nothing
    assert scene.told("VolumeBound", case_id)[1].data.card.dossier_state == "compiled"


def ready(scene: Scene, *said: str, **changed: str) -> str:
    """A case with counted and read pages in its main volume; `changed` of its card."""
    case_id = filed(scene, *said, case_id=scene.case(**changed), volume="main", seq=4)
    read(scene, *said)
    count(scene, case_id)
    return case_id


def test_nothing_of_a_bound_volume_changes(scene: Scene) -> None:
    case_id = ready(scene, "一", "二")
    bound(scene, case_id)
    first, second = listed(scene, case_id=case_id)
    pile = seen(scene, scans.bring(scene, scans.text("三")).batch_id).piles[0]
    (again,) = listed(scene, pile_id=pile.pile_id)
    with pytest.raises(ConflictError, match="已装订"):
        arranged(scene, first, volume="main", seq=7)
    with pytest.raises(ConflictError, match="已装订"):
        replaced(scene, first, again.page_id)
    with scene.begin(CLERK) as uow:
        ids = [page.page_id for page in uow.pages.of_case(case_id) if page.seq == 4]
    order = pb.OrderPagesRequest(case_id=case_id, volume="main", seq=4, page_ids=ids[::-1])
    with pytest.raises(ConflictError, match="已装订"):
        usecases.order_pages(scene.begin(CLERK), scene.packs, CLERK, order)
    assert second.volume_id


def test_what_comes_later_is_bound_as_another_part(scene: Scene) -> None:
    case_id = ready(scene, "一")
    first = bound(scene, case_id)
    assert bound(scene, case_id) == first  # nothing new: the volume that there is
    pile = seen(scene, scans.bring(scene, scans.text("补充")).batch_id).piles[0]
    claimed(scene, pile, case_id, volume="main", seq=7)
    read(scene, "补充")
    count(scene, case_id)
    second = bound(scene, case_id)
    assert second["volume_id"] != first["volume_id"]
    assert [fact.data.part for fact in scene.told("VolumeBound", case_id)] == [1, 2]


def test_a_volume_that_is_not_ready_is_refused_with_the_reason(scene: Scene) -> None:
    case_id = scene.case()

    def why() -> str:
        return str(bound(scene, case_id)["refused"])

    assert "没有任何材料" in why()
    filed(scene, "一", case_id=case_id)
    assert "尚未清点" in (said := why())
    assert "1 页未编目" in said
    count(scene, case_id)
    assert "1 页未编目" in why()
    (page,) = listed(scene, case_id=case_id)
    arranged(scene, page, volume="main", seq=4)
    assert "1 页未完成文字识别" in why()
    read(scene, "一")
    beside = scans.bring(scene, scans.text("谁的"), scans.sheet(code(scene, case_id, "main", 7)), scans.text("二"))
    read(scene, "二")
    count(scene, case_id)
    assert "1 叠待认领" in why()
    claimed(scene, seen(scene, beside.batch_id).piles[0], case_id, volume="main", seq=7)
    read(scene, "谁的")
    assert bound(scene, case_id)["pages"] == 3
    effect_id = scene.asks(case_id, "bind_volume", {"volume": "nothing"})
    assert "没有卷" in scene.answer(effect_id)["refused"]


def test_a_damaged_picture_is_refused_and_its_page_may_be_replaced(scene: Scene) -> None:
    case_id = ready(scene, "一", "二")
    first, _ = listed(scene, case_id=case_id)
    scene.host.objects.delete(sha256_key(first.sha256))
    assert "图像文件缺失" in str(bound(scene, case_id)["refused"])
    arranged(scene, first, volume="main", seq=4, hidden=True)
    assert bound(scene, case_id)["pages"] == 1


def test_binding_waits_for_instruments_on_their_way(scene: Scene) -> None:
    case_id = scene.case()
    scene.completes(case_id, "i-1")  # workflow was quicker than documents
    effect_id = scene.asks(case_id, "bind_volume", {"volume": "main"})
    with pytest.raises(UnavailableError, match="8号"):
        scene.works(BIND)
    scene.issues(case_id, printed("决定书"), instrument_id="i-1")
    scene.completes(case_id, "i-1")
    with pytest.raises(UnavailableError, match="行政处罚决定书"):
        scene.works(BIND)
    scene.works(FILE)
    scene.works(BIND)
    assert scene.answer(effect_id)["pages"] == 1


def test_a_binding_given_up_is_not_answered_and_says_why(scene: Scene) -> None:
    case_id = ready(scene, "一")
    effect_id = scene.asks(case_id, "bind_volume", {"volume": "main"})
    fact = EffectWithdrawn(effect_id=effect_id, effect="bind_volume", owner="archive", reason="程序已终结")
    scene.hears("workflow", fact, effect_id, case_id=case_id)
    scene.works(BIND)
    assert scene.answer(effect_id) == {}
    with scene.begin(system("test")) as uow:
        assert [(v.state, v.reason) for v in uow.volumes.of_case(case_id)] == [("refused", "程序已终结")]
    (page,) = listed(scene, OFFICER, case_id=case_id)
    assert page.volume_id == ""
