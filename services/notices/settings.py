"""The notices room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoticesSettings:
    """Characters."""

    longest_text: int = 2000


SETTINGS = NoticesSettings()
