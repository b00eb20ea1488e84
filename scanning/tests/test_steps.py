"""Each step on paper as scanners deliver it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageDraw

from scanning import kinds
from scanning.steps import Pixels, blank, cover, deskew, encode, split
from scanning.tests import sheets
from services.archive.model import covers
from services.ops.demo import paper

CODE = covers.written("body-1", "0123456789ABCDEF")


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image)


@pytest.mark.parametrize("turn", [0.0, 0.4, -1.3, 3.7, -5.5, 6.8])
def test_skew_is_found_to_a_tenth_and_taken_out(turn: float) -> None:
    askew = pixels(paper.scanned(paper.page("现场笔录"), turn))
    found = deskew.skew_degrees(askew)
    assert found == pytest.approx(turn, abs=0.11)
    assert deskew.skew_degrees(deskew.straightened(askew, found)) == 0.0


def test_a_page_without_lines_is_left_alone() -> None:
    seal = paper.blank()
    ImageDraw.Draw(seal).ellipse((400, 700, 700, 1000), outline=90, width=6)
    assert deskew.skew_degrees(pixels(paper.scanned(seal))) == 0.0
    assert deskew.skew_degrees(pixels(paper.blank())) == 0.0


@pytest.mark.parametrize("turn", [0.0, 1.3, -4.0])
@pytest.mark.parametrize("noise", [6.0, 30.0])
def test_a_printed_sheet_is_read(turn: float, noise: float) -> None:
    rough = pixels(paper.scanned(sheets.cover(CODE), turn, noise))
    assert cover.read_cover(deskew.straightened(rough, deskew.skew_degrees(rough))) == CODE


def spoiled(sheet: Image.Image) -> Image.Image:
    """Every code struck out with a broad pen."""
    struck = sheet.copy()
    pen, (width, height) = ImageDraw.Draw(struck), sheet.size
    for x, y in ((0.8, 0.2), (0.5, 0.56), (0.13, 0.78)):
        for side in (-1, 1):
            box = (width * (x - 0.2), height * (y - 0.1 * side), width * (x + 0.2), height * (y + 0.1 * side))
            pen.line(box, fill=128 - 128 * side + (side < 0), width=60)
    return struck


@pytest.mark.parametrize("turn", [0.0, 1.3, -4.0, 90.0])
def test_a_sheet_whose_codes_are_spoiled_is_known_by_its_bars(turn: float) -> None:
    struck = spoiled(sheets.cover(CODE))
    sheet = struck.rotate(90, expand=True) if turn == 90 else paper.scanned(struck, turn)
    page = pixels(sheet)
    assert cover.read_cover(deskew.straightened(page, deskew.skew_degrees(page))) == cover.UNREADABLE
    assert cover.UNREADABLE == covers.UNREADABLE


def test_two_different_codes_on_one_page_are_nobodys() -> None:
    both = Image.new("L", (1240, 1754), 255)
    upper, lower = sheets.cover(CODE), sheets.cover(covers.written("body-1", "FEDCBA9876543210"))
    both.paste(upper.crop((0, 0, 1240, 877)), (0, 0))
    both.paste(lower.crop((0, 877, 1240, 1754)), (0, 877))
    assert cover.read_cover(pixels(both)) == cover.UNREADABLE


def test_no_other_page_is_taken_for_a_sheet() -> None:
    import segno

    page = paper.page("收款码")
    out = io.BytesIO()
    segno.make("https://example.org/pay", error="q").save(out, kind="png", scale=6)
    page.paste(Image.open(out).convert("L"), (900, 1300))
    table = paper.blank()
    pen = ImageDraw.Draw(table)
    for row in range(12):
        pen.rectangle((100, 150 + row * 90, 1140, 150 + row * 90 + (40 if row % 3 == 0 else 4)), fill=0)
    for plain in (page, table, paper.page("x"), paper.blank()):
        assert cover.read_cover(pixels(paper.scanned(plain))) == ""


def drawn(kind: str) -> Image.Image:
    sheet = paper.blank()
    pen = ImageDraw.Draw(sheet)
    if kind in ("digit", "faint digit"):
        pen.text((600, 1600), "3", fill=0 if kind == "digit" else 150, font=paper.font(24))
    elif kind == "pencil":
        pen.line((500, 900, 640, 860), fill=120, width=3)
    elif kind == "seal":
        pen.ellipse((500, 900, 640, 1040), outline=160, width=4)
    elif kind == "edge":
        pen.rectangle((0, 0, 15, 1754), fill=60)
    elif kind == "shine":
        back = np.asarray(paper.page("背面").transpose(Image.Transpose.FLIP_LEFT_RIGHT), float)
        return Image.fromarray((255 - (255 - back) * 0.06).astype(np.uint8))
    return sheet


@pytest.mark.parametrize("kind", ["white", "edge", "shine"])
def test_an_empty_back_is_blank(kind: str) -> None:
    assert blank.is_blank(pixels(paper.scanned(drawn(kind))))


@pytest.mark.parametrize("kind", ["digit", "faint digit", "pencil", "seal"])
def test_the_least_mark_makes_a_page(kind: str) -> None:
    assert not blank.is_blank(pixels(paper.scanned(drawn(kind))))


def test_colour_is_kept_where_there_is_some() -> None:
    grey = paper.scanned(paper.page("决定书"))
    red = grey.convert("RGB")
    ImageDraw.Draw(red).ellipse((800, 1300, 1000, 1500), outline=(210, 40, 40), width=6)
    plain, sealed = (pixels(i)[:, :, ::-1].copy() for i in (grey.convert("RGB"), red))
    cast = np.clip(plain.astype(np.int16) + np.array([0, 8, 16]), 0, 255).astype(np.uint8)
    modes = [Image.open(io.BytesIO(encode.encoded(page)[0])).mode for page in (plain, sealed, cast)]
    assert modes == ["L", "RGB", "L"]


@pytest.mark.parametrize("make", [paper.pdf, paper.tiff])
def test_pages_come_out_in_order_at_their_own_size(tmp_path: Path, make: Callable[..., bytes]) -> None:
    path = tmp_path / "scan"
    path.write_bytes(make([paper.page(str(n)) for n in range(3)]))
    found = list(split.frames(path))
    assert [f.number for f in found] == [1, 2, 3]
    assert all(abs(f.dpi - 150) <= 1 and abs(f.pixels.shape[0] - 1754) <= 3 for f in found), [f.dpi for f in found]
    assert [f.number for f in split.frames(path, {1, 3}.__contains__)] == [2]


@pytest.mark.parametrize("make", [paper.pdf, paper.tiff, lambda sheets, dpi: paper.jpeg(sheets[0], dpi)])
def test_a_file_cut_anywhere_is_not_whole(tmp_path: Path, make: Callable[..., bytes]) -> None:
    path, data = tmp_path / "scan", make([paper.scanned(paper.blank(20), noise=20, seed=n) for n in range(3)], 20)
    path.write_bytes(data)
    assert kinds.is_whole(path)
    for end in range(8, len(data) - 20, max(1, len(data) // 300)):
        path.write_bytes(data[:end])
        assert not kinds.is_whole(path), end


def test_sixteen_bits_and_glass_do_not_turn_into_blank_or_black(tmp_path: Path) -> None:
    path, sheet = tmp_path / "deep.tif", paper.page("十六位")
    Image.fromarray(np.asarray(sheet).astype(np.uint16) * 257).save(path)
    (deep,) = split.frames(path)
    assert abs(float(deep.pixels.mean()) - float(np.asarray(sheet).mean())) < 1
    glass = Image.new("RGBA", sheet.size, (0, 0, 0, 0))
    glass.paste(sheet, (0, 0), Image.eval(sheet, lambda v: 255 - v))
    glass.save(path)
    (seen,) = split.frames(path)
    assert abs(float(seen.pixels.mean()) - float(np.asarray(sheet).mean())) < 3


def test_a_page_that_its_file_calls_turned_comes_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.pdf"
    with pikepdf.open(io.BytesIO(paper.pdf([paper.page("横")]))) as document:
        document.pages[0].rotate(90, relative=False)
        document.save(path)
    found = next(iter(split.frames(path)))
    assert found.rotation == 90
    assert found.pixels.shape[1] > found.pixels.shape[0]
    photo = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    paper.page("拍照").save(photo, "JPEG", exif=exif)
    frame = next(iter(split.frames(photo)))
    assert (frame.rotation, frame.pixels.shape[1] > frame.pixels.shape[0]) == (90, True)


def test_what_cannot_be_taken_apart_says_why(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    for data, says in (
        (b"%PDF-1.4\nnothing\n%%EOF", "损坏"), (b"\xff\xd8\xff\xe0 nothing", "损坏"), (b"MZ program", "不是 PDF"),
        (_encrypted(), "加密"),
    ):  # fmt: skip
        path.write_bytes(data)
        with pytest.raises(kinds.UnreadableFileError, match=says):
            list(split.frames(path))


def _encrypted() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(paper.pdf([paper.page("密")]))) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    """A sheet of 150 m; 2.5 thousand million pixels of nothing in 2.5 MB; a second page of A2 at 1200 dpi."""
    path = tmp_path / "bomb"
    with pikepdf.new() as document:
        document.add_blank_page()
        document.pages[0].MediaBox = pikepdf.Array([0, 0, 432_000, 432_000])
        document.save(path)
    assert "幅面过大" in refusal(path)
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=picture(document, 50_000, b"x")))
        page.Contents = document.make_stream(b"595 0 0 842 0 0 cm /I Do")
        document.save(path)
    assert "像素过多" in refusal(path)
    first, second = Image.new("1", (100, 100)), Image.new("1", (12_000, 8_000))
    first.save(path, "TIFF", save_all=True, append_images=[second], compression="group4")
    assert kinds.is_whole(path)
    assert "第 2 页像素过多" in refusal(path)


def picture(document: pikepdf.Pdf, side: int, data: bytes) -> pikepdf.Object:
    return document.make_stream(
        zlib.compress(data), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=side, Height=side,
        ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8, Filter=pikepdf.Name.FlateDecode,
    )  # fmt: skip


def refusal(path: Path) -> str:
    with pytest.raises(kinds.UnreadableFileError) as caught:
        list(split.frames(path))
    return str(caught.value)


def test_a_picture_that_cannot_be_drawn_is_no_blank_page(tmp_path: Path) -> None:
    path = tmp_path / "torn.pdf"
    with pikepdf.open(io.BytesIO(paper.pdf([paper.page("残")]))) as document:
        image = document.pages[0].Resources.XObject.Im0
        image.write(b"\xff\xd8\xff torn", filter=pikepdf.Name.DCTDecode)
        document.save(path)
    assert "第 1 页的图像已损坏" in refusal(path)
