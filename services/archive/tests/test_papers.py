"""Instruments, their receipts and the filing's materials become pages, their words taken from the PDF itself."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import Any

import pytest
from PIL import Image

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.documents.v1.events_pb2 import InstrumentServed
from anjuan.intake.v1.events_pb2 import CaseDocketed, FilingSubmitted
from anjuan.intake.v1.intake_pb2 import Filing, Material
from anjuan.kit.v1.cards_pb2 import IntakeCard
from anjuan.workflow.v1.events_pb2 import SuperiorAnswered
from services.archive.tests import scans
from services.archive.tests.scene import BUREAU, CLERK, LEADER, PACK, TODAY, Scene
from services.archive.tests.test_pages import image, listed
from services.archive.usecases.papers import FILE, MATERIALS
from services.archive.usecases.reading import READ
from services.archive.views import pages as views
from services.kit import clock
from services.kit.identity import Actor
from services.kit.objects import put_bytes

WORDS = "行政处罚决定书 当事人销售超过保质期的食品 罚款五千元"


def printed(*pages: str) -> bytes:
    """A PDF as the house makes them."""
    import typst

    body = "\n#pagebreak()\n".join(text.replace(" ", " #linebreak() ") for text in pages)
    source = f'#set page(paper: "a5")\n#set text(font: "Noto Serif CJK SC", size: 16pt)\n{body}'
    made: bytes = typst.compile(source.encode(), pdf_standards="a-2b")
    return made


def text_of(scene: Scene, page: pb.Page) -> pb.PageText:
    return views.get_page_text(scene.begin(LEADER), LEADER, pb.GetPageRequest(page_id=page.page_id))


def test_an_issued_instrument_becomes_pages_of_its_place(scene: Scene) -> None:
    case_id = scene.case()
    scene.issues(case_id, printed(WORDS, "第二页"))
    hidden = {"internal": True, "volume": "", "catalogue_seq": 0}
    scene.issues(case_id, printed("审核意见书"), instrument="samr-review-form", title="审核意见", **hidden)
    assert scene.works(FILE) == 2
    assert scene.works(READ) == 0  # nothing is read that tells its words itself
    first, second = listed(scene, case_id=case_id)
    assert [(p.volume, p.item, p.number, p.reading) for p in (first, second)] == [
        ("main", "行政处罚决定书及送达回证", 1, "read"), ("main", "行政处罚决定书及送达回证", 2, "read")
    ]  # fmt: skip
    shown = text_of(scene, first)
    assert shown.text == WORDS.replace(" ", "\n")
    top = shown.lines[0]
    assert 0 < top.left < top.right < first.width
    assert 0 < top.top < top.bottom < first.height / 3
    picture = Image.open(io.BytesIO(image(scene, first, "cleaned").content))
    assert picture.size == (first.width, first.height)
    assert Image.open(io.BytesIO(image(scene, first, "thumbnail").content)).height == 240
    inner = [p for p in listed(scene, LEADER, case_id=case_id) if p.internal]
    assert [(p.volume, p.item) for p in inner] == [("internal", "其他有关材料")]
    told = [(e.data.text, e.data.page.source, e.data.page.internal) for e in scene.told("PageRead", case_id)]
    assert told == [(WORDS.replace(" ", "\n"), "instrument", False), ("第二页", "instrument", False),
                    ("审核意见书", "instrument", True)]  # fmt: skip
    assert {e.data.page.received_on for e in scene.told("PageRead", case_id)} == {TODAY.isoformat()}


def test_the_receipt_of_a_serving_stands_behind_its_instrument(scene: Scene) -> None:
    case_id = scene.case()
    instrument_id = scene.issues(case_id, printed("决定书"))
    picture = scans.picture("送达回证")
    proof = put_bytes(scene.host.objects, picture, "image/jpeg")  # another body's bytes, so far
    served = InstrumentServed(instrument_id=instrument_id, serving_id="s0", served_on="2025-03-04", proof_sha256=proof)
    scene.hears("documents", served, case_id, **scene.about(case_id))
    scans.give(scene, picture, "image/jpeg", CLERK, "material")
    served = InstrumentServed(instrument_id=instrument_id, serving_id="s1", served_on="2025-03-04", proof_sha256=proof)
    scene.hears("documents", served, case_id, **scene.about(case_id))
    scene.works(FILE)
    assert [(p.volume, p.seq, p.reading) for p in listed(scene, case_id=case_id)] == [
        ("main", 2, "read"), ("main", 2, "waiting")
    ]  # fmt: skip


def material(scene: Scene, name: str, item: str, data: bytes, media_type: str, **more: Any) -> Material:
    """Uploaded by who files."""
    scans.give(scene, data, media_type, FILER, purpose="material")
    return Material(name=name, checklist_item=item, sha256=sha256(data).hexdigest(), size=len(data), **more)


FILER = Actor("staff", "p-filer", "申请人", BUREAU, frozenset({"registrar"}))


def test_materials_go_where_the_catalogue_has_a_place_once_the_case_is_docketed(scene: Scene) -> None:
    case_id = clock.new_id()
    pdf = printed("现场照片说明")
    told = [
        material(scene, "现场照片说明", "evidence", pdf, "application/pdf"),
        material(scene, "举报信", "lead", scans.picture("举报信"), "image/jpeg", internal=True),
        material(scene, "往来邮件", "", b"plain words", "text/plain"),
    ]
    card = IntakeCard(body_id=BUREAU, state="accepted", title="某案", procedure_id=PACK[0], pack_version=PACK[1])
    filed = FilingSubmitted(filing=Filing(case_id=case_id, materials=told), card=card)
    scene.hears("intake", filed, case_id, actor=FILER, **scene.about(case_id))
    assert scene.works(FILE) == 0
    card.state, card.docketed_on = "docketed", "2025-03-03"
    scene.hears("intake", CaseDocketed(case_number="x", card=card), case_id, **scene.about(case_id))
    assert scene.works(FILE) == 3
    found = listed(scene, LEADER, case_id=case_id)
    assert [(p.volume, p.seq, p.internal) for p in found] == [("internal", 1, True), ("main", 4, False)]
    (kept,) = (scene.ask("select reason from papers where state = 'kept'"),)
    assert "不能成页" in kept


def test_a_material_that_arrives_after_docketing_is_filed_as_well(scene: Scene) -> None:
    case_id = scene.case()
    data = scans.picture("迟到的材料")
    late = Material(name="迟到的材料", checklist_item="evidence", sha256=sha256(data).hexdigest(), size=len(data))
    scene.files(case_id, late)
    assert listed(scene, case_id=case_id) == []
    scans.give(scene, data, "image/jpeg", FILER, purpose="material")
    assert scene.works(MATERIALS) == 1
    assert scene.works(FILE) == 1
    assert [p.seq for p in listed(scene, case_id=case_id)] == [4]


def test_the_scan_of_a_superiors_paper_answer_becomes_a_page_of_the_internal_volume(scene: Scene) -> None:
    case_id, data = scene.case(), scans.picture("同意延长办案期限三十日")
    scans.give(scene, data, "image/jpeg", CLERK, purpose="material")
    scan = sha256(data).hexdigest()
    answered = SuperiorAnswered(effect_id="e", granted=True, number="粤市监延〔2025〕1号", scan_sha256=scan)
    scene.hears("workflow", answered, case_id, actor=CLERK, **scene.about(case_id))
    assert scene.works(FILE) == 1
    (page,) = listed(scene, LEADER, case_id=case_id)
    assert (page.volume, page.seq, page.internal) == ("internal", 6, True)
    assert scene.ask("select title from pages") == "批复 粤市监延〔2025〕1号"


@pytest.mark.parametrize("data", [b"%PDF-1.7 not really", b"\xff\xd8\xff broken"], ids=["pdf", "jpeg"])
def test_a_file_that_is_not_what_it_says_is_kept_and_told(scene: Scene, data: bytes) -> None:
    case_id = scene.case()
    scene.issues(case_id, data)
    scene.works(FILE)
    assert listed(scene, CLERK, case_id=case_id) == []
    assert "已损坏" in scene.ask("select reason from papers")
