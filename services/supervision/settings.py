"""The room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SupervisionSettings:
    """`tick_clocks`: clocks told in one pass of tick; `recounted_cases`: by one tick after a new calendar."""

    tick_clocks: int = 5_000
    recounted_cases: int = 200
    page: int = 20
    largest_page: int = 100


SETTINGS = SupervisionSettings()
