"""Laws of counting that hold for any dates, against oracles that walk day by day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.kit.legal_calendar import Exclusion, limit_book, merge, reckon, time_limit, working_calendar

CALENDAR = working_calendar()
DAY = timedelta(days=1)
days = st.dates(date(2023, 1, 1), date(2026, 6, 30))
LIMITS = list(limit_book().limits.values())
FORWARD = [t for t in LIMITS if t.amount and t.direction == "after" and t.unit in ("calendar-day", "working-day")]
MONTHLY = [t for t in LIMITS if t.unit in ("month", "year") and (t.amount or 99) < 4]
BACKWARD = [t for t in LIMITS if t.direction == "before"]
ROLLS = ("roll-to-next-business-day", "roll-to-next-business-day-except-custody", "by-civil-procedure")


@st.composite
def gaps(draw: st.DrawFn) -> list[Exclusion]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        low = draw(days)
        found.append(Exclusion(low, low + DAY * draw(st.integers(0, 40)), "鉴定期间"))
    return found


def covers(exclusions: list[Exclusion], day: date) -> bool:
    return any(e.from_on <= day <= (e.until_on or day) for e in exclusions)


def near(exclusions: list[Exclusion], start: date) -> list[Exclusion]:
    """The same intervals moved to where they can matter."""
    moved = []
    for nth, e in enumerate(exclusions):
        low = start + DAY * (e.from_on.day + 11 * nth - 15)
        moved.append(Exclusion(low, low + ((e.until_on or low) - e.from_on), e.reason))
    return moved


@given(st.sampled_from(FORWARD), days, gaps())
@settings(max_examples=400, deadline=None)
def test_days_equal_a_walk_over_days_that_count(limit, start, exclusions) -> None:  # type: ignore[no-untyped-def]
    exclusions = near(exclusions, start)
    left, walked = limit.amount, start
    while left:
        walked += DAY
        free = not covers(exclusions, walked)
        left -= free and (limit.unit == "calendar-day" or CALENDAR.is_working_day(walked))
    answer = reckon(limit, start, exclusions=exclusions)
    assert answer.unrolled_on == walked
    if limit.end_day_rule in ROLLS and not CALENDAR.is_working_day(walked):
        while covers(exclusions, walked) or not CALENDAR.is_working_day(walked):
            walked += DAY
    assert answer.due_on == walked


@given(st.sampled_from(MONTHLY), days, gaps())
@settings(max_examples=300, deadline=None)
def test_months_end_on_the_corresponding_day_pushed_by_excluded_days(limit, start, exclusions) -> None:  # type: ignore[no-untyped-def]
    exclusions = near(exclusions, start)
    count = start.year * 12 + start.month - 1 + limit.amount * (12 if limit.unit == "year" else 1)
    year, month = divmod(count, 12)
    last = monthrange(year, month + 1)[1]
    at_end = limit.month_rule == "criminal" and start.day == monthrange(start.year, start.month)[1]
    nominal = date(year, month + 1, last if at_end else min(start.day, last))
    end, again = start, nominal
    while again != end:
        end = again
        again = nominal + DAY * sum(covers(exclusions, start + DAY * n) for n in range(1, (end - start).days + 1))
    assert reckon(limit, start, exclusions=exclusions).unrolled_on == end


@given(st.sampled_from(FORWARD), days, st.integers(0, 20), gaps())
@settings(max_examples=200, deadline=None)
def test_a_later_start_never_ends_earlier(limit, start, later, exclusions) -> None:  # type: ignore[no-untyped-def]
    exclusions = near(exclusions, start)
    first = reckon(limit, start, exclusions=exclusions).due_on
    second = reckon(limit, start + DAY * later, exclusions=exclusions).due_on
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.sampled_from(FORWARD + MONTHLY), days, gaps())
@settings(max_examples=200, deadline=None)
def test_one_more_exclusion_never_ends_earlier(limit, start, exclusions) -> None:  # type: ignore[no-untyped-def]
    exclusions = near(exclusions, start)
    due = [reckon(limit, start, exclusions=exclusions[:n]).due_on for n in range(len(exclusions) + 1)]
    assert None not in due
    assert due == sorted(due, key=str)


@given(st.sampled_from(FORWARD + MONTHLY), days, gaps())
@settings(max_examples=150, deadline=None)
def test_order_and_doubling_of_exclusions_do_not_matter(limit, start, exclusions) -> None:  # type: ignore[no-untyped-def]
    exclusions = near(exclusions, start)
    once = reckon(limit, start, exclusions=exclusions)
    twice = reckon(limit, start, exclusions=exclusions[::-1] + exclusions)
    assert (once.due_on, once.unrolled_on) == (twice.due_on, twice.unrolled_on)


@given(gaps())
def test_merging_is_idempotent_and_keeps_every_day(exclusions: list[Exclusion]) -> None:
    merged = merge(exclusions)
    assert merge([Exclusion(low, high) for low, high in merged]) == merged
    kept = {low + DAY * n for low, high in merged for n in range((high - low).days + 1)}
    assert kept == {
        e.from_on + DAY * n for e in exclusions for n in range(((e.until_on or e.from_on) - e.from_on).days + 1)
    }
    assert all(second[0] > first[1] + DAY for first, second in pairwise(merged))


@given(st.sampled_from(FORWARD + MONTHLY), days, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_rolled_day_is_the_first_working_day(limit, start, in_custody) -> None:  # type: ignore[no-untyped-def]
    answer = reckon(limit, start, in_custody=in_custody)
    assert answer.due_on is not None
    assert answer.unrolled_on is not None
    held = in_custody and limit.custody
    if limit.end_day_rule in ROLLS and not held:
        between = (answer.due_on - answer.unrolled_on).days
        assert CALENDAR.is_working_day(answer.due_on)
        assert not any(CALENDAR.is_working_day(answer.unrolled_on + DAY * n) for n in range(between))
    else:
        assert answer.due_on == answer.unrolled_on


@given(st.sampled_from(BACKWARD), days)
@settings(max_examples=200, deadline=None)
def test_backward_limits_never_roll_forward(limit, event) -> None:  # type: ignore[no-untyped-def]
    due = reckon(limit, event).due_on
    assert due is not None
    assert CALENDAR.is_working_day(due)
    if limit.unit == "working-day":
        assert CALENDAR.working_days(due - DAY, event - DAY) == limit.amount
    else:
        latest = event - DAY * limit.amount
        assert due <= latest
        assert CALENDAR.working_days(due, latest) == 0


@given(days, days)
def test_counting_working_days_agrees_with_stepping(low: date, high: date) -> None:
    low, high = min(low, high), min(max(low, high), min(low, high) + DAY * 60)
    steps, day = 0, low
    while (day := CALENDAR.next_working_day(day)) <= high:
        steps += 1
    assert CALENDAR.working_days(low, high) == steps
    assert CALENDAR.working_days(high, low) == -steps


def test_a_long_limit_in_working_days_crosses_years() -> None:
    answer = reckon(time_limit("labour-investigate"), date(2025, 12, 1))
    assert CALENDAR.working_days(date(2025, 12, 1), answer.due_on or date.min) == 60
