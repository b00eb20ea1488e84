"""Is a page a separator sheet of the platform, and what does its code say?"""

from __future__ import annotations

import re

import numpy as np
import zxingcpp

from scanning.steps import Pixels, grey, shrunk

UNREADABLE = "?"
_OURS = re.compile(r"AJ\d+-")  # the platform alone knows more than that
_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_BARS = np.array([6.0, 4.0, 3.0, 4.0, 6.0])  # dark, light, dark, light, dark: services/archive/sheets/separator.typ
_TOLERANCE = 0.35


def read_cover(pixels: Pixels) -> str:
    """The code's text; "?" for a sheet whose code cannot be read or that shows two; empty for any other page."""
    page = grey(pixels)
    said = {found.text for found in zxingcpp.read_barcodes(page, formats=_QR) if _OURS.match(found.text)}
    if len(said) == 1:
        return said.pop()
    return UNREADABLE if said or has_bars(page) else ""


def has_bars(page: Pixels) -> bool:
    """Whether the sheet's bars run across a straightened page, either way round."""
    small = shrunk(page, 800)
    return _crossed(small) or _crossed(small.T)


def _crossed(page: Pixels) -> bool:
    side = page.shape[1] // 5
    dark = (page[:, side : page.shape[1] - side] < 128).mean(axis=1) > 0.85
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.view(np.int8), [0]))))
    runs = np.diff(edges)  # dark and light in turn, beginning with dark
    for first in range(0, len(runs) - 4, 2):
        five = runs[first : first + 5].astype(float)
        unit = five.sum() / _BARS.sum()
        if unit >= 1 and np.all(np.abs(five / unit - _BARS) <= np.maximum(_BARS * _TOLERANCE, 1.5 / unit)):
            return True
    return False
