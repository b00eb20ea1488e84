"""Which rooms there are: a package under services/ with a `__main__`, nothing is listed by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
ROOT = FOLDER.parent
NOT_ROOMS = {"kit", "ops"}


def room_names() -> list[str]:
    """Names in alphabetical order."""
    found = {path.parent.name for path in FOLDER.glob("*/__main__.py")}
    return sorted(found - NOT_ROOMS)


def code_fingerprint() -> str:
    """Of the code and the migrations of kit and the rooms: the same code wants the same tables and queues."""
    seen = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.suffix in (".py", ".sql")):
        if "tests" not in path.parts and path.relative_to(FOLDER).parts[0] != "ops":
            seen.update(str(path.relative_to(FOLDER)).encode() + path.read_bytes())
    return seen.hexdigest()
