"""The knobs of this room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IntakeSettings:
    """Limits of one filing; `longest_title` in characters."""

    longest_title: int = 300
    most_parties: int = 500
    most_materials: int = 1000


SETTINGS = IntakeSettings()
