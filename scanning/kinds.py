"""What a file is, and whether its end is there; nothing is decoded here."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

PDF, JPEG, TIFF = "application/pdf", "image/jpeg", "image/tiff"
SUFFIXES = {PDF: ".pdf", JPEG: ".jpg", TIFF: ".tif"}
NOT_OURS = "不是 PDF、TIFF 或 JPEG 文件，请改用扫描仪的这三种格式之一"
# Pillow's ways to say that a file is damaged
DAMAGED = (OSError, EOFError, ValueError, SyntaxError, KeyError, TypeError, IndexError, OverflowError, struct.error)
_MARKS = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"II*\x00": TIFF, b"MM\x00*": TIFF}
_PDF_END = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")  # the first half of a linearised file ends with 0
_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles


class UnreadableFileError(Exception):
    """The file cannot be taken apart; the message, in Chinese, says why and what to do."""


def media_type(path: Path) -> str:
    """By the first bytes; empty for what a station does not take."""
    with path.open("rb") as file:
        head = file.read(8)
    return next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), "")


def is_whole(path: Path) -> bool:
    """Whether the file's end is there: a scanner may still be writing although nothing has changed for a while."""
    size, kind = path.stat().st_size, media_type(path)
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, size - 2048))
        tail = file.read()
    if kind == PDF:
        ends = _PDF_END.findall(tail)
        return bool(ends) and 0 < int(ends[-1]) < size
    if kind == JPEG:
        return b"\xff\xd9" in tail
    # room that is reserved before it is written reads as zeros
    return _tiff_ends(path, size) if kind == TIFF else bool(head.strip(b"\0"))


def _tiff_ends(path: Path, size: int) -> bool:
    """Whether every strip of every page lies inside the file."""
    try:
        with opened(path) as image:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                if not _strips_end(getattr(image, "tag_v2", {}), size):
                    return False
    except Image.DecompressionBombError:
        return True  # whole, and refused for its size later
    except DAMAGED:
        return False
    return True


def _strips_end(tags: Any, size: int) -> bool:
    starts = next((tags[tag] for tag in _OFFSETS if tag in tags), ())
    lengths = next((tags[tag] for tag in _COUNTS if tag in tags), (1,) * len(starts))
    return bool(starts) and all(at + length <= size for at, length in zip(starts, lengths, strict=False))


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """By Pillow. Scanners write odd tags, of which it warns; what matters is whether the pixels are there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            yield image
