"""Files that are whole and on the disk, or not there at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

PIECE = 1024 * 1024


def sync_folder(folder: Path) -> None:
    """A name is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes) -> None:
    """Beside, fsynced, renamed."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def move(source: Path, target: Path) -> None:
    """Within one file system; the bytes are fsynced first."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def sha256_of(path: Path) -> str:
    """Lowercase hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
