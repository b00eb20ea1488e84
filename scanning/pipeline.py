"""One kept file -> a cleaned copy of every page, durable before it is told. Pages that are done are not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from scanning import durable
from scanning.steps import Pixels
from scanning.steps.blank import is_blank
from scanning.steps.cover import read_cover
from scanning.steps.deskew import skew_degrees, straightened
from scanning.steps.encode import MEDIA_TYPE, encoded
from scanning.steps.split import Frame, frames


@dataclass(frozen=True)
class PageCopy:
    """What the platform is told of a page; `kind`: page, blank (hidden there, never dropped), cover."""

    number: int
    kind: str
    sha256: str
    size: int
    media_type: str
    cover: str
    rotation: int
    skew_degrees: float
    width: int
    height: int
    dpi: int


def copy_path(folder: Path, number: int) -> Path:
    """Where the copy of a page lies."""
    return folder / f"{number:05d}.jpg"


def copies(master: Path, folder: Path, done: Container[int]) -> Iterator[PageCopy]:
    """The pages that are not `done`, in order; each copy is on the disk when it is given.

    Raises:
        UnreadableFileError: the master cannot be taken apart.
    """
    for frame in frames(master, done.__contains__):
        yield _copy(frame, folder)


def _copy(frame: Frame, folder: Path) -> PageCopy:
    kind, cover, skew, pixels = _judged(frame.pixels)
    data, width, height = encoded(pixels)
    durable.write(copy_path(folder, frame.number), data)
    dpi = round(frame.dpi * width / pixels.shape[1])
    return PageCopy(
        frame.number, kind, hashlib.sha256(data).hexdigest(), len(data), MEDIA_TYPE, cover, frame.rotation, skew,
        width, height, dpi,
    )  # fmt: skip


def _judged(pixels: Pixels) -> tuple[str, str, float, Pixels]:
    """Kind, cover, skew that was taken out, pixels of the copy."""
    if is_blank(pixels):
        return "blank", "", 0.0, pixels
    skew = skew_degrees(pixels)
    straight = straightened(pixels, skew)
    cover = read_cover(straight)
    return ("cover" if cover else "page"), cover, skew, straight
