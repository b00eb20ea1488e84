"""Paper for the tests: pages of text, blank backs and separator sheets, as an office scanner delivers them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import img2pdf  # type: ignore[import-untyped]
import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from services.archive.sheets.separator import Face, separator_sheets

A4 = (8.27, 11.69)
FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")
TEXT = (
    "经查明，当事人于二〇二五年一月六日在其经营场所销售超过保质期的预包装食品，",
    "货值金额人民币八百六十元，违法所得三百一十二元。上述事实有现场笔录、询问笔录、",
    "进货单据、照片等证据证实，足以认定。本局认为，当事人的行为违反了食品安全法的规定。",
)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size, index=2)


def blank(dpi: int = 150) -> Image.Image:
    """White A4."""
    return Image.new("L", (round(A4[0] * dpi), round(A4[1] * dpi)), 255)


def page(heading: str, lines: Sequence[str] = TEXT * 5, dpi: int = 150) -> Image.Image:
    """A page of text under a heading."""
    sheet = blank(dpi)
    pen, size = ImageDraw.Draw(sheet), round(dpi * 0.19)
    pen.text((dpi * 1.0, dpi * 0.8), heading, fill=0, font=_font(round(size * 1.5)))
    for row, line in enumerate(lines):
        pen.text((dpi * 0.8, dpi * 1.6 + row * size * 1.9), line, fill=0, font=_font(size))
    return sheet


@cache
def cover(code: str, dpi: int = 150) -> Image.Image:
    """A sheet as the platform prints it."""
    face = Face(code, "江市监立〔2025〕3号", "某某食品公司销售过期食品案", "", "江门市市场监督管理局")
    pdf = pypdfium2.PdfDocument(io.BytesIO(separator_sheets([face])))
    picture: Image.Image = pdf[0].render(scale=dpi / 72).to_pil().convert("L")
    return picture


def scanned(sheet: Image.Image, skew: float = 0.0, noise: float = 6.0, seed: int = 1, paper: int = 245) -> Image.Image:
    """Turned counter-clockwise by `skew` degrees, on greyish paper, with grain."""
    turned = np.asarray(sheet.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=255), np.float64)
    grain = np.random.default_rng(seed).normal(0, noise, turned.shape)
    return Image.fromarray(np.clip(turned * paper / 255 + grain, 0, 255).astype(np.uint8))


def jpeg(sheet: Image.Image, dpi: int = 150) -> bytes:
    """As a scanner compresses."""
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=80, dpi=(dpi, dpi))
    return out.getvalue()


def pdf(sheets: Sequence[Image.Image], dpi: int = 150) -> bytes:
    """One file of several pages."""
    made: bytes = img2pdf.convert([jpeg(sheet, dpi) for sheet in sheets])
    return made


def tiff(sheets: Sequence[Image.Image], dpi: int = 150) -> bytes:
    """The same as multi-page TIFF."""
    out = io.BytesIO()
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="tiff_lzw", dpi=(dpi, dpi))
    return out.getvalue()
