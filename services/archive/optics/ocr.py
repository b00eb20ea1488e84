"""rapidocr with the models of its wheel: one thread, no network. Only job children import it: it takes 0.9 GB."""

from __future__ import annotations

import os
import warnings
from functools import cache
from importlib import metadata
from typing import Any

from services.archive.model.reading import Line, Reading

_TURNS = {90: 0, 180: 1, 270: 2}  # cv2.ROTATE_90_CLOCKWISE and so on


@cache
def _engine() -> Any:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import cv2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from rapidocr import RapidOCR

        cv2.setNumThreads(1)
        return RapidOCR(params={
            "Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        })  # fmt: skip


@cache
def name() -> str:
    """Engine and version, kept with what it read."""
    return f"rapidocr {metadata.version('rapidocr')}"


def read_picture(data: bytes, turned: int) -> Reading:
    """Lines of a picture, turned clockwise first; about 6 CPU seconds for a full A4 page."""
    import cv2
    import numpy as np

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return Reading((), "")
    if turned:
        pixels = cv2.rotate(pixels, _TURNS[turned])
    found = _engine()(pixels)
    if found.txts is None:
        return Reading((), name())
    return Reading(tuple(_line(*one) for one in zip(found.txts, found.boxes, found.scores, strict=True)), name())


def _line(text: str, box: Any, score: float) -> Line:
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    return Line(str(text), (round(left), round(top), round(right), round(bottom)), round(float(score), 4))
