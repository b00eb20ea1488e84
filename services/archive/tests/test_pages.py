"""Pages: seen by those who may, put in order before binding, scanned anew; thumbnails, originals, real OCR."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model.pages import Page
from services.archive.model.reading import Line, Reading, squeezed
from services.archive.tests import scans
from services.archive.tests.scene import (
    CLERK,
    LEADER,
    PARTY,
    REVIEWER,
    SCANNER,
    STATION,
    STRANGER,
    Scene,
)
from services.archive.tests.test_batches import claimed, code, seen
from services.archive.usecases import pages as usecases
from services.archive.usecases.reading import PREPARE, READ
from services.archive.views import pages as views
from services.kit import schema
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
from services.kit.identity import Actor


def filed(scene: Scene, *words: str, case_id: str = "", volume: str = "", seq: int = 0) -> str:
    """A case with these written sides."""
    case_id = case_id or scene.case()
    scans.bring(scene, scans.sheet(code(scene, case_id, volume, seq)), *(scans.text(w) for w in words))
    return case_id


def listed(scene: Scene, actor: Actor = CLERK, **asked: Any) -> list[pb.Page]:
    return list(views.list_pages(scene.begin(actor), scene.packs, actor, pb.ListPagesRequest(**asked)).pages)


def arranged(scene: Scene, page: pb.Page, actor: Actor = CLERK, **more: Any) -> Page:
    request = pb.ArrangePageRequest(page_id=page.page_id, **{"if_version": now(scene, page)} | more)
    return usecases.arrange_page(scene.begin(actor), scene.packs, actor, request)


def now(scene: Scene, page: pb.Page) -> int:
    """Its version."""
    return int(scene.ask("select version from pages where page_id = :id", id=page.page_id))


def image(scene: Scene, page: pb.Page, kind: str, actor: Actor = CLERK) -> pb.PageImage:
    request = pb.GetPageImageRequest(page_id=page.page_id, kind=kind)
    return views.get_page_image(scene.begin(actor), scene.host.objects, actor, request)


def test_pages_are_seen_by_those_who_may_open_the_dossier(scene: Scene) -> None:
    case_id = filed(scene, "正卷一")
    filed(scene, "副卷一", case_id=case_id, volume="internal", seq=1)
    assert [(p.volume, p.item, p.internal) for p in listed(scene, LEADER, case_id=case_id)] == [
        ("", "", False), ("internal", "案源材料", True)
    ]  # fmt: skip
    assert [p.volume for p in listed(scene, REVIEWER, case_id=case_id)] == [""]
    for actor in (STRANGER, PARTY, SCANNER, STATION):
        with pytest.raises((CaseNotKnownError, NotAllowedError)):
            listed(scene, actor, case_id=case_id)
    inner = listed(scene, LEADER, case_id=case_id)[1]
    asked = pb.GetPageRequest(page_id=inner.page_id)
    with pytest.raises(NotAllowedError, match="副卷"):
        image(scene, inner, "cleaned", REVIEWER)
    with pytest.raises(NotAllowedError, match="副卷"):
        views.get_page_text(scene.begin(REVIEWER), REVIEWER, asked)
    with pytest.raises(NotAllowedError, match="副卷"):
        views.get_page(scene.begin(REVIEWER), scene.packs, REVIEWER, asked)


def test_pages_of_nobody_are_seen_by_the_bodys_clerks(scene: Scene) -> None:
    pile = seen(scene, scans.bring(scene, scans.text("谁的"), scans.blank()).batch_id).piles[0]
    assert [p.kind for p in listed(scene, SCANNER, pile_id=pile.pile_id, hidden_too=True)] == ["page", "blank"]
    (page,) = listed(scene, CLERK, pile_id=pile.pile_id)
    assert image(scene, page, "cleaned", SCANNER).content == scans.picture("谁的")
    for actor in (STRANGER, REVIEWER, STATION, PARTY):
        with pytest.raises(NotFoundError):
            listed(scene, actor, pile_id=pile.pile_id)
        with pytest.raises(NotFoundError):
            image(scene, page, "cleaned", actor)


def test_every_look_at_a_page_is_recorded(scene: Scene) -> None:
    case_id = filed(scene, "一")
    (page,) = listed(scene, LEADER, case_id=case_id)
    image(scene, page, "cleaned", LEADER)
    with scene.begin(LEADER) as uow:
        table = schema.audit
        acts = select(table.c.action, table.c.detail).where(table.c.actor["id"].astext == LEADER.person_id)
        rows = uow.connection.execute(acts.order_by(table.c.position)).all()
    assert [(row.action, row.detail.get("what")) for row in rows] == [("list_pages", None), ("read_page", "cleaned")]


def test_lists_of_pages_turn_in_the_order_of_the_dossier(scene: Scene) -> None:
    case_id = filed(scene, *"甲乙丙丁戊")
    filed(scene, *"己庚", case_id=case_id, volume="main", seq=4)
    found, cursor = [], ""
    while True:
        request = pb.ListPagesRequest(case_id=case_id, limit=3, cursor=cursor)
        answer = views.list_pages(scene.begin(CLERK), scene.packs, CLERK, request)
        found += [(p.volume, p.number) for p in answer.pages]
        if not (cursor := answer.next_cursor):
            break
    assert found == [("", n) for n in range(2, 7)] + [("main", 2), ("main", 3)]


def test_a_page_is_catalogued_turned_and_hidden(scene: Scene) -> None:
    case_id = filed(scene, "一", "二")
    first, second = listed(scene, case_id=case_id)
    arranged(scene, first, volume="main", seq=4, turned=180, if_version=first.version)
    arranged(scene, second, volume="main", seq=4, hidden=True)
    (left,) = listed(scene, case_id=case_id)
    assert (left.item, left.turned, left.version > first.version) == ("证据材料", 180, True)
    facts = [e.data for e in scene.told("PageChanged", case_id)]
    assert [(f.page.seq, f.page.shown, f.card.pages) for f in facts] == [(4, True, 2), (4, False, 1)]
    with pytest.raises(PreconditionError):
        arranged(scene, first, if_version=first.version)
    with pytest.raises(InvalidInputError, match="没有第 9 项"):
        arranged(scene, first, volume="main", seq=9)
    with pytest.raises(InvalidInputError):
        arranged(scene, first, turned=45)
    with pytest.raises((CaseNotKnownError, NotAllowedError)):
        arranged(scene, first, STRANGER)
    with pytest.raises(NotAllowedError):
        arranged(scene, first, REVIEWER)


def test_moving_a_page_into_the_internal_volume_takes_the_right_to_open_it(scene: Scene) -> None:
    clerk = Actor("staff", "p-registrar", "登记员", CLERK.body_id, frozenset({"registrar"}))
    case_id = filed(scene, "一")
    (page,) = listed(scene, case_id=case_id)
    arranged(scene, page, clerk, volume="main", seq=7)
    with pytest.raises(NotAllowedError, match="副卷"):
        arranged(scene, page, clerk, volume="internal", seq=1)


def test_pages_of_one_place_get_a_new_order(scene: Scene) -> None:
    case_id = filed(scene, *"一二三", volume="main", seq=4)
    with scene.begin(CLERK) as uow:
        ids = [p.page_id for p in uow.pages.of_case(case_id)]
    turned = [ids[0], ids[3], ids[1], ids[2]]

    def order(page_ids: list[str], actor: Actor = CLERK) -> int:
        request = pb.OrderPagesRequest(case_id=case_id, volume="main", seq=4, page_ids=page_ids)
        return usecases.order_pages(scene.begin(actor), scene.packs, actor, request)

    assert order(turned) == 3
    assert [p.number for p in listed(scene, case_id=case_id)] == [4, 2, 3]
    assert order(turned) == 0
    with pytest.raises(ConflictError, match="已有变化"):
        order(ids[:3])
    with pytest.raises(ConflictError):
        order([*ids[:3], "elsewhere"])
    with pytest.raises(CaseNotKnownError):
        order(ids, STRANGER)


def replaced(scene: Scene, old: pb.Page, new: str, actor: Actor = CLERK, reason: str = "模糊") -> Page:
    request = pb.ReplacePageRequest(page_id=old.page_id, with_page_id=new, reason=reason, if_version=now(scene, old))
    return usecases.replace_page(scene.begin(actor), actor, request)


def test_a_page_scanned_anew_takes_the_place_and_the_old_one_is_kept(scene: Scene) -> None:
    case_id = filed(scene, *"一二三", volume="main", seq=4)
    before = listed(scene, case_id=case_id)
    pile = seen(scene, scans.bring(scene, scans.text("二重扫")).batch_id).piles[0]
    (again,) = listed(scene, pile_id=pile.pile_id)
    with pytest.raises(InvalidInputError):
        replaced(scene, before[1], again.page_id, reason=" ")
    replaced(scene, before[1], again.page_id)
    after = listed(scene, case_id=case_id)
    assert [p.page_id for p in after] == [before[0].page_id, again.page_id, before[2].page_id]
    (old,) = listed(scene, case_id=case_id, state="replaced")
    assert (old.page_id, old.replaced_by, after[1].replaces) == (before[1].page_id, again.page_id, before[1].page_id)
    assert image(scene, old, "cleaned").content == scans.picture("二")
    assert seen(scene, again.batch_id).piles[0].state == "filed"
    with pytest.raises(ConflictError, match="已被替换"):
        replaced(scene, before[1], again.page_id)
    with pytest.raises(ConflictError, match="不能用来替换"):
        replaced(scene, before[0], again.page_id)


def test_only_a_page_of_ones_own_body_replaces_another(scene: Scene) -> None:
    from services.archive.tests.scene import OTHER_STATION

    case_id = filed(scene, "一")
    (page,) = listed(scene, case_id=case_id)
    pile = seen(scene, scans.bring(scene, scans.text("外局"), actor=OTHER_STATION).batch_id, STRANGER).piles[0]
    (foreign,) = listed(scene, STRANGER, pile_id=pile.pile_id)
    elsewhere = filed(scene, "另案")
    (other,) = listed(scene, case_id=elsewhere)
    for new in (foreign, other):
        with pytest.raises(NotFoundError):
            replaced(scene, page, new.page_id)


def test_a_pile_of_which_one_page_has_replaced_another_keeps_the_rest_for_its_clerk(scene: Scene) -> None:
    case_id = filed(scene, "一")
    (page,) = listed(scene, case_id=case_id)
    pile = seen(scene, scans.bring(scene, scans.text("一重扫"), scans.text("新页")).batch_id).piles[0]
    again, _ = listed(scene, pile_id=pile.pile_id)
    replaced(scene, page, again.page_id)
    claimed(scene, pile, case_id)
    found = listed(scene, case_id=case_id)
    assert [p.number for p in found] == [1, 2]
    assert len({p.page_id for p in found}) == 2


def test_thumbnails_are_made_and_a_picture_that_is_none_is_told(scene: Scene) -> None:
    case_id = filed(scene, "缩略图")
    scans.bring(scene, scans.sheet(code(scene, case_id)), scans.Side(scans.picture("坏")[:40] + b"x" * 200))
    first, broken = listed(scene, case_id=case_id)
    with pytest.raises(UnavailableError):
        image(scene, first, "thumbnail")
    assert scene.works(PREPARE) == 2
    small = Image.open(io.BytesIO(image(scene, first, "thumbnail").content))
    assert max(small.size) == 240
    with pytest.raises(NotFoundError, match="损坏"):
        image(scene, broken, "thumbnail")


@pytest.mark.parametrize(("kind", "media_type"), [("PDF", "application/pdf"), ("TIFF", "image/tiff")])
def test_the_original_is_drawn_from_the_scanned_file(scene: Scene, kind: str, media_type: str) -> None:
    sheets, out = [Image.new("RGB", (300, 400), colour) for colour in ("red", "blue")], io.BytesIO()
    sheets[0].save(out, kind, save_all=True, append_images=sheets[1:])
    master = out.getvalue()
    told = scans.manifest([scans.text("红"), scans.text("蓝")], master)
    told.master_media_type = media_type
    scans.register(scene, told)
    for data in (scans.picture("红"), scans.picture("蓝")):
        scans.give(scene, data, "image/jpeg")
    scans.give(scene, master, media_type)
    _, blue = listed(scene, pile_id=seen(scene, told.batch_id).piles[0].pile_id)
    for _ in range(2):  # made, then kept
        drawn = Image.open(io.BytesIO(image(scene, blue, "original").content))
        assert drawn.getpixel((150, 200))[2] > 200  # type: ignore[index]


def test_written_sides_are_read_once_and_told_with_their_case(scene: Scene) -> None:
    heading, words = "行政处罚决定书", "当事人销售超过保质期的食品"
    side = scans.Side(scans.picture(f"{heading}\n{words}", (1240, 1754), 44))
    case_id = scene.case()
    scans.bring(scene, scans.sheet(code(scene, case_id)), side, scans.blank())
    pile = seen(scene, scans.bring(scene, side).batch_id).piles[0]
    scene.works(PREPARE)
    assert scene.works(READ) == 2  # the same picture, wanted twice
    assert scene.ask("select count(*) from page_readings") == 1
    (fact,) = scene.told("PageRead", case_id)
    assert fact.data.text == f"{heading}\n{words}"
    assert (fact.data.card.pages, fact.data.page.shown, fact.data.page.internal) == (1, True, False)
    assert fact.data.confidence > 0.9
    (page,) = listed(scene, case_id=case_id)
    shown = views.get_page_text(scene.begin(CLERK), CLERK, pb.GetPageRequest(page_id=page.page_id))
    assert (page.reading, shown.reading, [line.text for line in shown.lines]) == ("read", "read", [heading, words])
    first = shown.lines[0]
    assert abs(first.left - 124) < 25
    assert abs(first.top - 175) < 40
    assert first.right - first.left > 250
    claimed(scene, pile, case_id)  # read before it was claimed: told with the claim
    assert [f.data.text for f in scene.told("PageRead", case_id)] == [f"{heading}\n{words}"] * 2


def test_a_page_turned_by_a_clerk_is_read_again_the_right_way_up(scene: Scene) -> None:
    upright = Image.open(io.BytesIO(scans.picture("现场检查笔录\n倒置的一页", (900, 1200), 48)))
    out = io.BytesIO()
    upright.rotate(180).save(out, "JPEG", quality=90)
    case_id = scene.case()
    scans.bring(scene, scans.sheet(code(scene, case_id)), scans.Side(out.getvalue()))
    (page,) = listed(scene, case_id=case_id)
    arranged(scene, page, turned=180)
    scene.works(PREPARE)
    scene.works(READ)
    assert [f.data.text for f in scene.told("PageRead", case_id)] == ["现场检查笔录\n倒置的一页"]


def test_text_reads_like_the_page() -> None:
    left, right = Line("左 边 的", (10, 10, 90, 30), 0.8), Line("右", (200, 12, 240, 30), 1.0)
    reading = Reading((Line("第二行", (10, 60, 90, 80), 0.9), right, left), "x")
    assert reading.text == "左边的右\n第二行"
    assert reading.confidence == pytest.approx(0.8556, abs=0.001)
    assert squeezed("共 计 30 元 ， 见 ISO 9001 标 准") == "共计 30 元，见 ISO 9001 标准"
    assert (Reading((), "x").confidence, Reading((), "").confidence) == (1.0, 0.0)
