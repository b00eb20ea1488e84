"""Paper on the spot: pages of Chinese text, blank backs, printed sheets, and the office scanner they go through."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import img2pdf  # type: ignore[import-untyped]
import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

A4 = (8.27, 11.69)  # inches
DPI = 150
FONTS = [Path(f"/usr/share/fonts/{place}/NotoSerifCJK-Regular.ttc") for place in ("opentype/noto", "noto-cjk", "noto")]
TEXT = (
    "经查明，当事人于二〇二五年一月六日在其经营场所销售超过保质期的预包装食品，",
    "货值金额人民币八百六十元，违法所得三百一十二元。上述事实有现场笔录、询问笔录、",
    "进货单据、照片等证据证实，足以认定。本局认为，当事人的行为违反了食品安全法的规定。",
)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Noto Serif CJK SC.

    Raises:
        FileNotFoundError: fonts-noto-cjk is not installed.
    """
    found = next((path for path in FONTS if path.is_file()), None)
    if found is None:
        raise FileNotFoundError("缺少中文字体 fonts-noto-cjk，请执行 make system")
    return ImageFont.truetype(str(found), size, index=2)


def blank(dpi: int = DPI) -> Image.Image:
    """White A4."""
    return Image.new("L", (round(A4[0] * dpi), round(A4[1] * dpi)), 255)


def page(heading: str, lines: Sequence[str] = TEXT * 5, dpi: int = DPI) -> Image.Image:
    """A page of text under a heading; at most 28 lines of 38 characters."""
    sheet = blank(dpi)
    pen, size = ImageDraw.Draw(sheet), round(dpi * 0.175)
    pen.text((dpi * 0.8, dpi * 0.8), heading, fill=0, font=font(round(size * 1.5)))
    for row, line in enumerate(lines):
        pen.text((dpi * 0.8, dpi * 1.6 + row * size * 1.9), line, fill=0, font=font(size))
    return sheet


def printed(pdf_bytes: bytes, dpi: int = DPI) -> list[Image.Image]:
    """The pages of a PDF, as they come out of the printer."""
    with pypdfium2.PdfDocument(io.BytesIO(pdf_bytes)) as document:
        return [leaf.render(scale=dpi / 72).to_pil().convert("L") for leaf in document]


def scanned(sheet: Image.Image, skew: float = 0.0, noise: float = 6.0, seed: int = 1, paper: int = 245) -> Image.Image:
    """Turned counter-clockwise by `skew` degrees, on greyish paper, with grain."""
    turned = np.asarray(sheet.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=255), np.float64)
    grain = np.random.default_rng(seed).normal(0, noise, turned.shape)
    return Image.fromarray(np.clip(turned * paper / 255 + grain, 0, 255).astype(np.uint8))


def through_the_feeder(sheets: Sequence[Image.Image], seed: int = 7) -> list[Image.Image]:
    """Each a little askew in its own way, with its own grain."""
    skews = np.random.default_rng(seed).uniform(-1.5, 1.5, len(sheets))
    return [scanned(sheet, float(skews[n]), seed=seed + n) for n, sheet in enumerate(sheets)]


def jpeg(sheet: Image.Image, dpi: int = DPI) -> bytes:
    """As a scanner compresses."""
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=80, dpi=(dpi, dpi))
    return out.getvalue()


def pdf(sheets: Sequence[Image.Image], dpi: int = DPI) -> bytes:
    """One file of several pages."""
    made: bytes = img2pdf.convert([jpeg(sheet, dpi) for sheet in sheets])
    return made


def tiff(sheets: Sequence[Image.Image], dpi: int = DPI, compression: str = "tiff_lzw") -> bytes:
    """The same as multi-page TIFF; compression "raw" for none."""
    out = io.BytesIO()
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression=compression, dpi=(dpi, dpi))
    return out.getvalue()
