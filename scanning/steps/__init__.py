"""What is done to one page, one file a step; pixels are 8 bits, grey (h x w) or BGR (h x w x 3)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]


def grey(pixels: Pixels) -> Pixels:
    """Height x width."""
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)


def shrunk(pixels: Pixels, longest: int) -> Pixels:
    """No side longer than so many pixels; averaged, so that fine lines turn grey and do not vanish."""
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def ink(pixels: Pixels, deeper: int = 28) -> npt.NDArray[np.uint8]:
    """255 where a grey page is darker than the paper around it by so many levels, else 0."""
    paper = cv2.medianBlur(cv2.dilate(pixels, np.ones((7, 7), np.uint8)), 21)
    found: npt.NDArray[np.uint8] = np.where(cv2.subtract(paper, pixels) > deeper, 255, 0).astype(np.uint8)
    return found
