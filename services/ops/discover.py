"""Which rooms there are: a package under services/ with a `__main__`, nothing is listed by hand."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
ROOT = FOLDER.parent
NOT_ROOMS = {"kit", "ops"}


def room_names() -> list[str]:
    """Names in alphabetical order."""
    found = {path.parent.name for path in FOLDER.glob("*/__main__.py")}
    return sorted(found - NOT_ROOMS)
