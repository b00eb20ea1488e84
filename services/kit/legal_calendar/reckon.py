"""The one function that counts time. Pure: the same facts give the same day, whoever asks and whenever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.legal_calendar import wording
from services.kit.legal_calendar.book import COUNTS_ANEW, Ground, LimitBook, limit_book
from services.kit.legal_calendar.calendar import DAY, WorkingCalendar, working_calendar
from services.kit.legal_calendar.days import Days, StandsStillError, sane
from services.kit.legal_calendar.extend import assigned, checked_amount, granted, lengthen
from services.kit.legal_calendar.model import (
    UNIT_WORDS,
    Exclusion,
    Extension,
    ExtensionRule,
    Reckoning,
    Span,
    TimeLimit,
    Unit,
)
from services.kit.legal_calendar.months import Mark, mark, shift

Pairs = Sequence[tuple[ExtensionRule, Extension]]
LEGAL_ZONE = ZoneInfo("Asia/Shanghai")
ROLLING = ("roll-to-next-business-day", "roll-to-next-business-day-except-custody", "by-civil-procedure")


@dataclass
class _Count:
    """One count under way: the rule, the days and the steps told so far."""

    limit: TimeLimit
    book: LimitBook
    calendar: WorkingCalendar
    days: Days
    exclusions: list[tuple[Exclusion, Ground | None]]
    steps: list[str]

    def answer(self, due_on: date | None, unrolled_on: date | None, **rest: datetime | date | None) -> Reckoning:
        outside = due_on is not None and not self.calendar.published(due_on)
        provisional = self.days.unpublished or outside
        self.steps += wording.closing(self.limit, self.calendar, self.days.unpublished, provisional)
        due_at, since = rest.get("due_at"), rest.get("suspended_on")
        return Reckoning(
            self.limit.id, self.limit.unit, due_on, due_at if isinstance(due_at, datetime) else None, unrolled_on,
            since, provisional, self.limit.law.title, self.limit.law.article, tuple(self.steps),
        )  # fmt: skip


def reckon(
    limit: TimeLimit,
    start: date | datetime,
    *,
    exclusions: Sequence[Exclusion] = (),
    extensions: Sequence[Extension] = (),
    in_custody: bool = False,
    fixed_amount: int | None = None,
    calendar: WorkingCalendar | None = None,
    book: LimitBook | None = None,
) -> Reckoning:
    """When a limit runs out, from the day (for hours: the moment; naive means Beijing time) that starts it.

    `exclusions` is the whole ledger of intervals; called again with a longer one this is the recomputation.
    For backward limits `start` is the event counted back from. `fixed_amount`: what the court fixed.

    Raises:
        InvalidInputError: dates out of order, hours without a moment, a unit the law does not use …
        RuleRefusedError: an extension or an amount that the named article does not allow.
    """
    book, calendar = book or limit_book(), calendar or working_calendar()
    limit = replace(limit, amount=_amount(limit, fixed_amount))
    sane(start.date() if isinstance(start, datetime) else start)
    usable = [_usable(limit, book, e) for e in exclusions]
    count = _Count(limit, book, calendar, Days(calendar, [e for e, _ in usable]), usable, [])
    if limit.unit == "hour":
        return _hours(count, start, extensions)
    start = _local(start).date() if isinstance(start, datetime) else start
    return (_backward if limit.direction == "before" else _forward)(count, start, extensions, in_custody)


def _amount(limit: TimeLimit, fixed: int | None) -> int:
    if limit.amount is None:
        raise InvalidInputError(f"“{limit.name}”是扣除规则（{limit.law}），本身不是期限，不能单独计算届满日。")
    if fixed is None:
        return limit.amount
    if not (limit.designated or limit.minimum or limit.maximum):
        raise InvalidInputError(f"“{limit.name}”由{limit.law}直接规定，不由机关另行确定。")
    span = Span(limit.amount, limit.unit)
    if limit.minimum and fixed < limit.amount:
        raise RuleRefusedError(f"依{limit.law}，确定的期间不得少于{span}。")
    if limit.maximum and not limit.maximum_general and fixed > limit.amount:
        raise RuleRefusedError(f"依{limit.law}，确定的期间不得超过{span}。")
    return checked_amount(fixed)


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=LEGAL_ZONE) if moment.tzinfo is None else moment.astimezone(LEGAL_ZONE)


def _usable(limit: TimeLimit, book: LimitBook, given: Exclusion) -> tuple[Exclusion, Ground | None]:
    """The exclusion as far as its ground reaches."""
    if limit.unit == "hour" or limit.direction == "before":
        kind = "以小时计的" if limit.unit == "hour" else "向前倒数的"
        raise InvalidInputError(f"“{limit.name}”是{kind}期限，{limit.law}没有扣除，不能带扣除期间。")
    sane(given.from_on)
    if given.until_on is not None and sane(given.until_on) < given.from_on:
        raise InvalidInputError(f"扣除期间的结束日{given.until_on}早于开始日{given.from_on}，请核对。")
    ground = book.ground(given.reason, limit)
    if ground and ground.effect in COUNTS_ANEW:
        anew = COUNTS_ANEW[ground.effect]
        raise InvalidInputError(f"“{ground.name}”依{ground.law}不是扣除，而是{anew}：请改用新的起算日另行计算。")
    if ground and ground.cap:
        months = ground.cap.unit == "month"
        first, most = given.from_on, ground.cap.amount
        last = (shift(mark(first, None), most).on if months else first + DAY * most) - DAY
        return replace(given, until_on=min(given.until_on or last, last)), ground
    return given, ground


def _hours(count: _Count, start: date | datetime, extensions: Sequence[Extension]) -> Reckoning:
    limit = count.limit
    if not isinstance(start, datetime):
        raise InvalidInputError(f"“{limit.name}”以小时计，起算须写到时、分（例如 {start.isoformat()}T09:30）。")
    list(assigned(limit, extensions))  # refuses: no limit in hours can be extended
    moment = _local(start)
    first = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    due = first + timedelta(hours=limit.amount or 0)
    count.steps += wording.hours(limit, count.book, moment, first, due)
    return count.answer(due.date(), due.date(), due_at=due)


def _backward(count: _Count, event: date, extensions: Sequence[Extension], in_custody: bool) -> Reckoning:
    limit, days = count.limit, count.days
    list(assigned(limit, extensions))
    amount = limit.amount or 0
    if limit.unit == "working-day":
        counted = days.walk_back(event, amount)
    elif limit.unit == "calendar-day":
        counted = event - DAY * amount
    else:
        counted = shift(mark(event, limit.month_rule), -amount * (12 if limit.unit == "year" else 1)).on
    due = days.roll_back(counted)
    count.steps += wording.backward(limit, count.calendar, event, counted, due)
    return count.answer(due, counted)


def _forward(count: _Count, start: date, extensions: Sequence[Extension], in_custody: bool) -> Reckoning:
    limit, days = count.limit, count.days
    count.steps += wording.opening(limit, count.book, start, start + DAY)
    told: list[str] = []
    end = due = None
    since: date | None = None
    try:
        end = _unrolled(count, mark(start, limit.month_rule), list(assigned(limit, extensions)), told).on
        held = in_custody and limit.custody is True
        due = days.roll(end) if limit.end_day_rule in ROLLING and not held else end
        told += [wording.custody(limit)] if in_custody and not held else []
        told.append(wording.rolling(limit, count.book, count.calendar, end, due, held))
    except StandsStillError as still:
        since = still.since
        told.append(f"自{since}起停止计算，扣除尚未结束，届满日待恢复后确定（{limit.law}）。")
    working = limit.unit == "working-day"
    for given, ground in count.exclusions:
        counted = Days(count.calendar, [given]).excluded(start, due or since or start, working)
        unit = UNIT_WORDS["working-day" if working else "calendar-day"]
        count.steps.append(wording.exclusion(given, ground, limit, counted, unit))
    count.steps += told
    return count.answer(due, None if since else end, suspended_on=since)


def _unrolled(count: _Count, start: Mark, extensions: Pairs, told: list[str]) -> Mark:
    """The last day before rest days move it, extension by extension."""
    limit, book, days = count.limit, count.book, count.days
    span = Span(limit.amount or 0, limit.unit)
    end = days.advance(start, span)
    working = limit.unit == "working-day"
    told.append(wording.stretch(limit, book, span, end.on, days.excluded(start.on, end.on, working)))
    for nth, (rule, given) in enumerate(extensions, 1):
        amount, before = granted(rule, given), end
        _capped(limit, start, extensions[:nth], rule)
        end = lengthen(days, limit, start, before, rule, amount)
        out = days.excluded(start.on if rule.mode == "to-total" else before.on, end.on, working)
        told.append(wording.extension(nth, rule, Span(amount, rule.unit), end.on, out))
    return end


def _capped(limit: TimeLimit, start: Mark, extensions: Pairs, rule: ExtensionRule) -> None:
    """Refuse what exceeds the total that the law sets, exclusions aside."""
    if not (cap := rule.total_cap):
        return
    plain = Days(working_calendar(), ())
    end = plain.advance(start, Span(limit.amount or 0, limit.unit))
    for entry, given in extensions:
        end = lengthen(plain, limit, start, end, entry, granted(entry, given))
    if end.on > plain.advance(start, cap).on:
        raise RuleRefusedError(f"依{rule.law}，“{limit.name}”延长后累计不得超过{cap}。")


def remaining(
    reckoning: Reckoning, unit: Unit, today: date | datetime, calendar: WorkingCalendar | None = None
) -> int | None:
    """What is left in the limit's unit: working days, hours begun down, else days; 0 on the last, negative after.

    None while suspended. Hours need a moment (naive means Beijing time).
    """
    if reckoning.due_on is None:
        return None
    if unit == "hour":
        if reckoning.due_at is None or not isinstance(today, datetime):
            raise InvalidInputError("以小时计的剩余时间须有届满时刻和当前时刻。")
        return (reckoning.due_at - _local(today)) // timedelta(hours=1)
    return days_left(reckoning.due_on, unit, _local(today).date() if isinstance(today, datetime) else today, calendar)


def days_left(due_on: date, unit: str, today: date, calendar: WorkingCalendar | None = None) -> int:
    """Whole days until a due day, working days for limits in working days; 0 on the last, negative after."""
    if unit == "working-day":
        return (calendar or working_calendar()).working_days(today, due_on)
    return (due_on - today).days
