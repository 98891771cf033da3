"""Working days of the State Council's calendar, and the deadlines counted in them.

A year's arrangement comes from the first source that knows it: a table an administrator loaded, the library
``chinesecalendar``, and else weekdays less the statutory holidays. Only the first two know make-up days (调休), so
whatever rests on the third is *provisional*: it is said to be, and counted anew when the year's table arrives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar

from bot.errors import ConfigurationError

_DAY = timedelta(days=1)
_STATUTORY_DAYS = Path(__file__).parent / "data" / "statutory_days.toml"
LONGEST_LIMIT = 3_660
"""Working days; a longer limit is a fault of the data, not a deadline."""


@dataclass(frozen=True)
class YearTable:
    """One year's arrangement as published: weekdays that are off, and weekend days that are worked."""

    year: int
    days_off: frozenset[date]
    make_up_days: frozenset[date]

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> YearTable:
        """The table in ``{year, days_off: [date], make_up_days: [date]}``; raises ValueError (in Chinese)."""
        year = values.get("year")
        if not isinstance(year, int):
            raise ValueError("缺少年份 year")
        days_off, make_up_days = (_dates(values, key, year) for key in ("days_off", "make_up_days"))
        both = days_off & make_up_days
        if both:
            raise ValueError(f"{min(both)} 既列为放假又列为上班")
        if not days_off:
            raise ValueError("days_off 为空：没有一年不放假")
        return cls(year, days_off, make_up_days)

    def is_working_day(self, day: date) -> bool:
        return day in self.make_up_days or (day.weekday() < 5 and day not in self.days_off)


@dataclass(frozen=True)
class Deadline:
    """The last day of a limit. ``provisional``: some day on the way lies in a year that is not arranged yet."""

    date: date
    provisional: bool


class WorkCalendar:
    """Answers which days are worked; holds no state but the tables it was given."""

    def __init__(self, tables: Mapping[int, YearTable] | None = None) -> None:
        self._tables = dict(tables or {})

    def is_working_day(self, day: date) -> bool:
        table = self._tables.get(day.year)
        if table is not None:
            return table.is_working_day(day)
        if _library_knows(day.year):
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < 5 and day not in _statutory_holidays(day.year)

    def is_provisional(self, day: date) -> bool:
        """Whether ``day`` lies in a year whose arrangement is not known."""
        return day.year not in self._tables and not _library_knows(day.year)

    def after(self, start: date, working_days: int) -> Deadline:
        """The last day of a limit of ``working_days`` that begins the day after ``start``; 0 ends on ``start`` itself.

        Raises ValueError where the number is negative or beyond :data:`LONGEST_LIMIT`.
        """
        if not 0 <= working_days <= LONGEST_LIMIT:
            raise ValueError(f"a limit is 0 to {LONGEST_LIMIT} working days, not {working_days}")
        day, provisional = start, working_days == 0 and self.is_provisional(start)
        while working_days:
            day += _DAY
            provisional = provisional or self.is_provisional(day)
            working_days -= self.is_working_day(day)
        return Deadline(day, provisional)

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after ``first`` up to and with ``last``; negative where ``last`` comes first."""
        if last < first:
            return -self.working_days_between(last, first)
        return sum(self.is_working_day(first + _DAY * n) for n in range(1, (last - first).days + 1))


def load_calendar(folder: Path) -> WorkCalendar:
    """The calendar with every yearly table (``*.toml``) of ``folder``, which may be absent.

    Raises ConfigurationError that names the faulty file.
    """
    tables: dict[int, YearTable] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            table = YearTable.parse(tomllib.loads(path.read_text("utf-8")))
        except (ValueError, OSError) as error:
            raise ConfigurationError(
                f"工作日历文件 {path} 无法使用：{error}",
                code="work_calendar_invalid",
                remedy="请对照国务院办公厅的节假日安排通知改正这个文件，或先移走它。",
            ) from error
        tables[table.year] = table
    return WorkCalendar(tables)


def _dates(values: Mapping[str, Any], key: str, year: int) -> frozenset[date]:
    listed: Iterable[Any] = values.get(key, ())
    days: set[date] = set()
    for value in listed if isinstance(listed, list | tuple) else (listed,):
        try:
            day = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{key} 里的 {value!r} 不是日期") from None
        if day.year != year:
            raise ValueError(f"{key} 里的 {day} 不在 {year} 年")
        days.add(day)
    return frozenset(days)


@cache
def _library_knows(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 6, 30))
    except NotImplementedError:
        return False
    return True


@cache
def _statutory_holidays(year: int) -> frozenset[date]:
    """The holidays fixed by regulation (2024 revision), without the days that are swapped around them each year."""
    days = {date(year, 1, 1), date(year, 5, 1), date(year, 5, 2), *(date(year, 10, day) for day in (1, 2, 3))}
    moving = _moving_holidays().get(str(year))
    if moving:
        new_year = moving["spring_festival"]
        days |= {new_year + _DAY * n for n in (-1, 0, 1, 2)}
        days |= {moving["qingming"], moving["dragon_boat"], moving["mid_autumn"]}
    return frozenset(days)


@cache
def _moving_holidays() -> dict[str, dict[str, date]]:
    return tomllib.loads(_STATUTORY_DAYS.read_text("utf-8"))
