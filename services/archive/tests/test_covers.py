"""Separator sheets: printed, read back at the resolutions of office scanners, one sheet for one place."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from anjuan.archive.v1.archive_pb2 import PrintSeparatorSheetsRequest, SeparatorSheets
from services.archive.model import covers
from services.archive.tests.scene import BUREAU, CLERK, OTHER, REVIEWER, STRANGER, Scene
from services.archive.usecases.covers import print_separator_sheets
from services.kit import schema
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError
from services.kit.identity import Actor

QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


def printed(scene: Scene, case_id: str, volume: str = "", seq: int = 0, actor: Actor = CLERK) -> SeparatorSheets:
    request = PrintSeparatorSheetsRequest(case_id=case_id, volume=volume, seq=seq)
    return print_separator_sheets(scene.begin(actor), scene.packs, actor, request)


def codes(image: Image.Image) -> set[str]:
    return {found.text for found in zxingcpp.read_barcodes(image, formats=QR)}


def test_a_sheet_is_read_back_from_a_rough_scan(scene: Scene) -> None:
    made = printed(scene, scene.case())
    page = pypdfium2.PdfDocument(io.BytesIO(made.pdf))[0]
    words = page.get_textpage().get_text_range()
    assert "江市监立〔2025〕3号" in words.replace(" ", "")
    assert "江门市市场监督管理局" in words
    noise = np.random.default_rng(7)
    for dpi, turn in ((300, 2.5), (150, -6.0), (200, 90.0)):
        scan = page.render(scale=dpi / 72).to_pil().convert("L").rotate(turn, expand=True, fillcolor=255)
        rough = np.clip(np.asarray(scan, np.int16) + noise.normal(0, 30, scan.size[::-1]), 0, 255).astype(np.uint8)
        assert codes(Image.fromarray(rough)) == set(made.codes)


def test_what_is_written_says_body_and_token_and_nothing_of_the_case(scene: Scene) -> None:
    case_id = scene.case()
    code = printed(scene, case_id).codes[0]
    read = covers.read(code)
    assert read is not None
    assert read.body_mark == covers.body_mark(BUREAU) != covers.body_mark(OTHER)
    with scene.begin(CLERK) as uow:
        sheet = uow.covers.find(read.token)
    assert sheet is not None
    assert (sheet.case_id, sheet.volume, sheet.seq) == (case_id, "", 0)


def test_one_sheet_for_one_place_however_often_it_is_printed(scene: Scene) -> None:
    case_id = scene.case()
    whole = printed(scene, case_id).codes
    items = printed(scene, case_id, "main").codes
    assert whole == printed(scene, case_id).codes
    assert len(set(items)) == 7
    assert printed(scene, case_id, "main", 4).codes == [items[3]]
    assert not set(whole) & set(items)
    with scene.begin(CLERK) as uow:
        acts = uow.connection.execute(select(schema.audit.c.detail).where(schema.audit.c.case_id == case_id)).scalars()
        assert [row["codes"] for row in acts] == [list(whole), list(items), list(whole), [items[3]]]


def test_only_who_may_bring_pages_prints(scene: Scene) -> None:
    case_id = scene.case()
    with pytest.raises(CaseNotKnownError):
        printed(scene, case_id, actor=STRANGER)
    with pytest.raises(NotAllowedError):
        printed(scene, case_id, actor=REVIEWER)
    with pytest.raises(InvalidInputError, match="没有第 9 项"):
        printed(scene, case_id, "main", 9)
    with pytest.raises(InvalidInputError, match="main（正卷）、internal（副卷）"):
        printed(scene, case_id, "third")
    with pytest.raises(InvalidInputError, match="须同时指定卷"):
        printed(scene, case_id, "", 2)


@given(place=st.integers(0, 33), letter=st.sampled_from(covers.ALPHABET))
def test_one_changed_letter_is_seen(place: int, letter: str) -> None:
    right = covers.written(BUREAU, "0123456789ABCDEF")
    wrong = right[:place] + letter + right[place + 1 :]
    assert (covers.read(wrong) is None) == (wrong != right)


@pytest.mark.parametrize("text", ["", "AJ1", covers.UNREADABLE, "AJ2-41XAJ28K-MRNK915VWC1CZ22V-48WG", "https://example.org"])
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert covers.read(text) is None
