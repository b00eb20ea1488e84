"""The cleaned copy as a picture that a browser shows; grey when there is no colour to lose."""

from __future__ import annotations

import cv2
import numpy as np

from scanning.steps import Pixels, shrunk

MEDIA_TYPE = "image/jpeg"
QUALITY = 72
LONGEST = 4960  # A3 at 300 dpi
COLOURED = 40  # of 255: paper and grey ink stay below
COLOUR_SHARE = 0.0004  # a small red seal is more


def has_colour(pixels: Pixels) -> bool:
    """Whether seals, signatures or pictures would lose something in grey."""
    if pixels.ndim == 2:
        return False
    small = cv2.GaussianBlur(shrunk(pixels, 1200), (3, 3), 0)
    spread = small.max(axis=2).astype(np.int16) - small.min(axis=2)
    # a cast over the whole sheet is paper, not colour
    return bool((spread - np.median(spread) > COLOURED).mean() > COLOUR_SHARE)


def encoded(pixels: Pixels) -> tuple[bytes, int, int]:
    """JPEG bytes, width, height.

    Raises:
        ValueError: the picture cannot be encoded.
    """
    fitting = shrunk(pixels, LONGEST)
    if fitting.ndim == 3 and not has_colour(fitting):
        fitting = cv2.cvtColor(fitting, cv2.COLOR_BGR2GRAY)
    done, data = cv2.imencode(".jpg", fitting, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError("the page could not be encoded")
    return data.tobytes(), fitting.shape[1], fitting.shape[0]
