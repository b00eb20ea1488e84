"""Pieces of an upload, against an archive of this release and of the one before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from gateway.auth import Caller
from gateway.routes import uploads
from services.archive.settings import SETTINGS
from services.kit.errors import TooLargeError


@dataclass
class Archive:
    """Takes so much at once, and no more than was announced; the release before cannot be run beside this one."""

    largest: int
    size: int
    taken: list[int] = field(default_factory=list)

    async def ask(self, room: str, method: str, request: Any, seconds: float | None = None) -> pb.UploadSession:
        if method == "Append":
            if len(request.chunk) > self.largest or request.offset + len(request.chunk) > self.size:
                raise TooLargeError("too large")
            assert request.offset == sum(self.taken)
            self.taken.append(len(request.chunk))
        return pb.UploadSession(upload_id="u", size=self.size, offset=sum(self.taken))


def sent(archive: Archive, length: int) -> str:
    """The Upload-Offset that the sender is told."""
    whole = uploads._Held(b"x" * length)
    return asyncio.run(uploads._send(cast("Caller", archive), "u", 0, whole)).headers["Upload-Offset"]


@pytest.mark.parametrize(("largest", "pieces"), [(SETTINGS.largest_chunk, 2), (uploads.SMALL_PIECE, 5)])
def test_an_archive_of_the_release_before_gets_smaller_pieces(largest: int, pieces: int) -> None:
    length = uploads.PIECE + 300_000
    archive = Archive(largest, length)
    assert sent(archive, length) == str(length)
    assert len(archive.taken) == pieces


def test_more_than_was_announced_is_refused_and_nothing_of_it_kept() -> None:
    archive = Archive(uploads.PIECE, 2 * uploads.SMALL_PIECE)
    with pytest.raises(TooLargeError):
        sent(archive, 3 * uploads.SMALL_PIECE)
    assert archive.taken == []
