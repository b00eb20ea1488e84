"""What the platform is told of a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PageCopy:
    """`kind`: page, blank (hidden there, never dropped), cover. `sha256`, `size`, pixels: of the cleaned copy."""

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
