"""The archive's own knobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MIB, GIB = 1024**2, 1024**3


@dataclass(frozen=True)
class Allowance:
    """What one account may upload: bytes of a file, bytes announced within a day, sessions open at once."""

    largest_file: int
    a_day: int
    open_at_once: int


@dataclass(frozen=True)
class ArchiveSettings:
    """Sizes in bytes. A station may be offline for days, so sessions live long and a day's bytes may be many.

    `staff` holds for whoever is neither party nor station.
    """

    party: Allowance = Allowance(500 * MIB, 2 * GIB, 50)
    staff: Allowance = Allowance(16 * GIB, 200 * GIB, 1_000)
    station: Allowance = Allowance(16 * GIB, 2_000 * GIB, 20_000)
    largest_chunk: int = 4 * MIB  # a write to the store and two short transactions each
    session_life: timedelta = timedelta(days=14)
    read_at_once: int = 8 * 1024 * 1024
    find_at_once: int = 1_000  # files asked about in one call


SETTINGS = ArchiveSettings()
