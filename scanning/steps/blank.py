"""Is anything on a page? In doubt, yes: what is marked blank is hidden."""

from __future__ import annotations

import cv2
import numpy as np

from scanning.steps import Pixels, grey, ink, shrunk

MARGIN = 0.03  # shadows of the paper's edge
TILES = 24
TILE_SHARE = 0.012  # of one tile: less than a single printed digit
WHOLE_SHARE = 0.0006


def is_blank(pixels: Pixels) -> bool:
    """No tile holds as much as a digit, and the whole holds next to nothing; dust and grain do not count."""
    page = shrunk(grey(pixels), 1200)
    height, width = page.shape
    top, left = round(height * MARGIN), round(width * MARGIN)
    marks = cv2.medianBlur(ink(page[top : height - top, left : width - left]), 3)
    share = cv2.resize(marks, (TILES, TILES), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    return bool(share.max() < TILE_SHARE and share.mean() < WHOLE_SHARE)
