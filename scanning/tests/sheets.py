"""Separator sheets as the platform prints them."""

from __future__ import annotations

from functools import cache

from PIL import Image

from services.archive.sheets.separator import Face, separator_sheets
from services.ops.demo import paper


@cache
def cover(code: str, dpi: int = 150) -> Image.Image:
    """One sheet."""
    face = Face(code, "江市监立〔2025〕3号", "某某食品公司销售过期食品案", "", "江门市市场监督管理局")
    return paper.printed(separator_sheets([face]), dpi)[0]
