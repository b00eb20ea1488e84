"""Stored bytes, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from services.kit.objects import ObjectStore

PIECE = 4 * 1024 * 1024


def pieces(store: ObjectStore, key: str) -> Iterator[bytes]:
    """All of an object; nothing for one that is not there."""
    size, at = store.size(key) or 0, 0
    while at < size and (piece := store.get(key, at, PIECE)):
        yield piece
        at += len(piece)
