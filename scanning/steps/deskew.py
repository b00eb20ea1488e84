"""How far a page lies askew, from where its lines of text are: the sharpest profile of rows."""

from __future__ import annotations

import cv2
import numpy as np

from scanning.steps import Pixels, grey, ink, shrunk

LARGEST, COARSE, FINE = 7.0, 0.5, 0.1
LEAST = 0.15  # less is not worth another copy of the pixels
PEAK = 2.5  # over the median of all directions: a page without lines has no sharpest one


def skew_degrees(pixels: Pixels) -> float:
    """Degrees by which the page lies turned counter-clockwise; 0 when it is straight, or cannot be told."""
    marks = ink(shrunk(grey(pixels), 900))
    if not marks.any():
        return 0.0
    tried = {angle: _sharpness(marks, angle) for angle in np.arange(-LARGEST, LARGEST + COARSE, COARSE)}
    best = max(tried, key=lambda a: tried[a])
    if tried[best] < PEAK * np.median(list(tried.values())):
        return 0.0
    best = max(np.arange(best - COARSE, best + COARSE + FINE, FINE), key=lambda a: _sharpness(marks, a))
    angle = round(float(best), 1)
    return angle if abs(angle) >= LEAST else 0.0


def _sharpness(marks: Pixels, degrees: float) -> float:
    height, width = marks.shape
    # rows of a turned page are sheared rows of the page: cheaper, and nothing leaves the frame sideways
    slope = np.tan(np.radians(degrees))
    matrix = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -slope * width / 2]])
    rows = cv2.warpAffine(marks, matrix, (width, height), flags=cv2.INTER_NEAREST).sum(axis=1, dtype=np.float64)
    return float(np.square(np.diff(rows)).sum())


def straightened(pixels: Pixels, degrees: float) -> Pixels:
    """Turned back about its middle, same size, white where nothing was."""
    if not degrees:
        return pixels
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    white = 255 if pixels.ndim == 2 else (255, 255, 255)
    return cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=white)
