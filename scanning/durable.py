"""Files that are whole and on the disk, or not there at all."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

PIECE = 1024 * 1024


def sync_folder(folder: Path) -> None:
    """A name is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """With those above it; durable."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Beside, fsynced, renamed. The name beside is this thread's: one that was left behind disturbs nobody."""
    _beside(path, data, mode).replace(path)
    sync_folder(path.parent)


def write_once(path: Path, data: bytes, mode: int) -> None:
    """The same, unless somebody else was first: then theirs stays."""
    beside = _beside(path, data, mode)
    with suppress(FileExistsError):
        path.hardlink_to(beside)
    beside.unlink()
    sync_folder(path.parent)


def _beside(path: Path, data: bytes, mode: int) -> Path:
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return beside


def move(source: Path, target: Path) -> None:
    """Within one file system; the bytes are fsynced first."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def free(folder: Path, name: str) -> Path:
    """A path in a folder that no file has yet."""
    target, turn = folder / name, 0
    while target.exists():
        turn += 1
        target = folder / f"{Path(name).stem}-{turn}{Path(name).suffix}"
    return target


def sha256_of(path: Path) -> str:
    """Lowercase hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
