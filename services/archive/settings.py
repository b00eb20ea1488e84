"""The archive's own knobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class ArchiveSettings:
    """Sizes in bytes. A station may be offline for days, so sessions live long."""

    largest_file: int = 16 * 1024**3
    largest_chunk: int = 1024 * 1024
    session_life: timedelta = timedelta(days=14)
    read_at_once: int = 8 * 1024 * 1024


SETTINGS = ArchiveSettings()
