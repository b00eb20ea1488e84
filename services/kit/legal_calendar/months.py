"""Months and years by law: civil 民法典第二百零二条, criminal 刑诉解释第二百零二条."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Mark:
    """An end so far, and the day of the month that later months keep (31 stays 31 after a February).

    `at_month_end`: the criminal rule runs from month end to month end.
    """

    on: date
    day: int
    at_month_end: bool = False


def mark(on: date, month_rule: str | None) -> Mark:
    """The mark of an event's own day; only the criminal rule knows month ends."""
    return Mark(on, on.day, month_rule == "criminal" and on.day == monthrange(on.year, on.month)[1])


def shift(start: Mark, months: int) -> Mark:
    """The corresponding day `months` later (or earlier); without one, the last day of that month."""
    index = start.on.year * 12 + start.on.month - 1 + months
    year, month = index // 12, index % 12 + 1
    last = monthrange(year, month)[1]
    return Mark(date(year, month, last if start.at_month_end else min(start.day, last)), start.day, start.at_month_end)
