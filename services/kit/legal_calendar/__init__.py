"""Counting time by law: limits and calendar as data, one pure function `reckon`, every step with its article."""

from services.kit.legal_calendar.book import LimitBook, limit_book, time_limit
from services.kit.legal_calendar.calendar import WorkingCalendar, is_working_day, next_working_day, working_calendar
from services.kit.legal_calendar.days import merge
from services.kit.legal_calendar.model import (
    UNITS,
    Citation,
    Exclusion,
    Extension,
    ExtensionRule,
    Reckoning,
    Span,
    TimeLimit,
    Unit,
)
from services.kit.legal_calendar.reckon import LEGAL_ZONE, days_left, reckon, remaining

__all__ = [
    "LEGAL_ZONE", "UNITS", "Citation", "Exclusion", "Extension", "ExtensionRule", "LimitBook", "Reckoning", "Span",
    "TimeLimit", "Unit", "WorkingCalendar", "days_left", "is_working_day", "limit_book", "merge", "next_working_day",
    "reckon", "remaining", "time_limit", "working_calendar",
]  # fmt: skip
