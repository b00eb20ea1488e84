"""One measured figure: min, median and max of its runs, and what was to be reached."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`values` are the runs; the median is compared with the goal."""

    what: str
    unit: str
    values: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f">= {shown(self.at_least)}"
        return f"<= {shown(self.at_most)}" if self.at_most is not None else ""

    @property
    def reached(self) -> bool | None:
        """None where there is no goal."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return self.median <= self.at_most if self.at_most is not None else None

    def row(self) -> list[str]:
        """what, min, median, max, unit, goal, reached, note."""
        verdict = {True: "yes", False: "NO", None: ""}[self.reached]
        low, high = min(self.values), max(self.values)
        return [self.what, shown(low), shown(self.median), shown(high), self.unit, self.goal, verdict, self.note]


def shown(value: float) -> str:
    """Three significant digits; whole numbers from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio(what: str, ours: Sequence[float], theirs: Sequence[float], at_least: float | None = None) -> Figure:
    """Ours to theirs, run by run: pairs stay comparable when the machine's speed drifts."""
    return Figure(what, "x", tuple(a / b for a, b in zip(ours, theirs, strict=True)), at_least=at_least)
