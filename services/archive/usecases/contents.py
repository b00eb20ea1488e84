"""Stored bytes, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from services.kit.objects import ObjectStore, sha256_key

PIECE = 4 * 1024 * 1024


def keep(store: ObjectStore, sha256: str, data: BinaryIO, size: int, media_type: str) -> None:
    """Store bytes under their own hash; what is there already and locked stays as it is."""
    key = sha256_key(sha256)
    if store.size(key) != size or not store.locked(key):
        store.put(key, data, size, media_type)


def pieces(store: ObjectStore, key: str) -> Iterator[bytes]:
    """All of an object; nothing for one that is not there."""
    size, at = store.size(key) or 0, 0
    while at < size and (piece := store.get(key, at, PIECE)):
        yield piece
        at += len(piece)
