"""The notices room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoticesSettings:
    """Characters and rows."""

    longest_text: int = 2000
    page: int = 20
    largest_page: int = 100


SETTINGS = NoticesSettings()
