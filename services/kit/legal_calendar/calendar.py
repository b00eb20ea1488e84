"""Working days by the published calendar (国务院办公厅 holiday notices), swapped weekends included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import yaml

from services.kit.settings import domain_dir

DAY = timedelta(days=1)
WEEK = "一二三四五六日"


@dataclass(frozen=True)
class WorkingCalendar:
    """`off`: weekdays without work. `on`: weekend days with work. Outside `years` plain weekends are assumed."""

    years: frozenset[int]
    off: frozenset[date]
    on: frozenset[date]

    def published(self, day: date) -> bool:
        return day.year in self.years

    def is_working_day(self, day: date) -> bool:
        return day in self.on or (day.weekday() < 5 and day not in self.off)

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        day += DAY
        while not self.is_working_day(day):
            day += DAY
        return day

    def working_days(self, after: date, through: date) -> int:
        """How many working days lie in (after, through]; negative when `through` is earlier."""
        if through < after:
            return -self.working_days(through, after)
        return sum(self.is_working_day(after + DAY * n) for n in range(1, (through - after).days + 1))

    def describe(self, day: date) -> str:
        """What a person calls the day: 周六, 放假（周三）, 工作日（周日调休上班） …"""
        name = f"周{WEEK[day.weekday()]}"
        if day in self.on:
            return f"工作日，{name}调休上班"
        if self.is_working_day(day):
            return f"工作日，{name}"
        return f"放假，{name}" if day in self.off else f"休息日，{name}"

    @property
    def span(self) -> str:
        return f"{min(self.years)}—{max(self.years)}年"


@cache
def _load(path: Path) -> WorkingCalendar:
    years = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["years"]

    def days(field: str) -> frozenset[date]:
        return frozenset(date.fromisoformat(str(d)) for y in years.values() for d in y[field])

    return WorkingCalendar(frozenset(map(int, years)), days("days_off_on_weekdays"), days("working_weekends"))


def working_calendar() -> WorkingCalendar:
    """The published calendar of the domain folder, read once."""
    return _load(domain_dir() / "calendar.yaml")


def is_working_day(day: date) -> bool:
    """By the published calendar; plain weekends outside it (ask `working_calendar().published`)."""
    return working_calendar().is_working_day(day)


def next_working_day(day: date) -> date:
    """The first working day after `day`, by the published calendar."""
    return working_calendar().next_working_day(day)
