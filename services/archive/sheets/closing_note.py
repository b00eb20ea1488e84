"""备考表 of a volume as PDF/A."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from services.archive.sheets.press import press


@dataclass(frozen=True)
class ClosingNote:
    """What stands on it; the day as YYYY-MM-DD."""

    number: str
    kind: str
    part: int
    note: str
    missing: Sequence[str]
    bound_by: str
    bound_on: str


def closing_sheets(told: ClosingNote) -> bytes:
    """One page, more when much is missing."""
    return press("closing_note", asdict(told))
