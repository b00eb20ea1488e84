"""Walking over days: which do not count, which are working days, which of them the calendar has published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.kit.errors import InvalidInputError
from services.kit.legal_calendar.calendar import DAY, WorkingCalendar
from services.kit.legal_calendar.model import Exclusion, Span
from services.kit.legal_calendar.months import Mark, mark, shift

FIRST_YEAR, LAST_YEAR = 1949, 2200
OPEN = date(LAST_YEAR + 200, 12, 31)


class StandsStillError(Exception):
    """The count reached an exclusion without an end."""

    def __init__(self, since: date) -> None:
        super().__init__(since.isoformat())
        self.since = since


def sane(day: date) -> date:
    """Refuse years in which no case lies, before arithmetic leaves the calendar of the language."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInputError(f"日期{day.isoformat()}不在{FIRST_YEAR}年至{LAST_YEAR}年之间，请核对。")
    return day


def merge(exclusions: Iterable[Exclusion]) -> list[tuple[date, date]]:
    """Intervals in order, overlapping and touching ones as one; both ends inclusive, open ones end at OPEN."""
    merged: list[tuple[date, date]] = []
    for low, high in sorted((e.from_on, e.until_on or OPEN) for e in exclusions):
        if merged and low <= merged[-1][1] + DAY:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


class Days:
    """Steps through time over the days that count; remembers whether a day outside the published calendar was asked."""

    def __init__(self, calendar: WorkingCalendar, exclusions: Sequence[Exclusion]) -> None:
        self.calendar, self.gaps, self.unpublished = calendar, merge(exclusions), False

    def works(self, day: date) -> bool:
        self.unpublished |= not self.calendar.published(day)
        return self.calendar.is_working_day(day)

    def gap_at(self, day: date) -> date | None:
        """The end of the exclusion in which the day lies."""
        return next((high for low, high in self.gaps if low <= day <= high), None)

    def excluded(self, after: date, through: date, working: bool = False) -> int:
        """Excluded days (working ones only, for limits in working days) in (after, through]."""
        spans = [(max(low, after + DAY), min(high, through)) for low, high in self.gaps]
        if working:
            return sum(self.calendar.working_days(low - DAY, high) for low, high in spans if low <= high)
        return sum((high - low).days + 1 for low, high in spans if low <= high)

    def push(self, after: date, nominal: date) -> date:
        """The day on which as many counting days have passed since `after` as lie in (after, nominal]."""
        end = nominal
        for low, high in self.gaps:
            low = max(low, after + DAY)
            if low > end or high < low:
                continue
            if high == OPEN:
                raise StandsStillError(low)
            end += high - low + DAY
        return end

    def walk(self, after: date, amount: int) -> date:
        """The amount-th counting working day after `after`."""
        day = after
        while amount:
            day = sane(day + DAY)
            if (high := self.gap_at(day)) == OPEN:
                raise StandsStillError(day)
            amount -= high is None and self.works(day)
        return day

    def advance(self, start: Mark, span: Span) -> Mark:
        """One stretch of time from a mark. An end that exclusions moved is a new corresponding day."""
        if span.unit == "working-day":
            return mark(self.walk(start.on, span.amount), None)
        if span.unit in ("month", "year"):
            nominal = shift(start, span.amount * (12 if span.unit == "year" else 1))
        else:
            nominal = mark(start.on + DAY * span.amount, None)
        end = sane(self.push(start.on, nominal.on))
        return nominal if end == nominal.on else mark(end, None)

    def roll(self, day: date) -> date:
        """A rest day moves to the first working day after it that is not excluded."""
        if self.works(day):
            return day
        while (high := self.gap_at(day)) or not self.works(day):
            if high == OPEN:
                raise StandsStillError(day)
            day += DAY
        return day

    def roll_back(self, day: date) -> date:
        """A rest day moves to the last working day before it."""
        while not self.works(day):
            day -= DAY
        return day

    def walk_back(self, event: date, amount: int) -> date:
        """The amount-th working day before the event, whose own day does not count."""
        day = event
        while amount:
            day -= DAY
            amount -= self.works(day)
        return day
