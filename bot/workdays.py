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
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import chinese_calendar
import structlog

from bot.errors import ConfigurationError

log = structlog.get_logger(__name__)

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
        self._given = dict(tables or {})

    @property
    def tables(self) -> Mapping[int, YearTable]:
        """The tables that were loaded, by year."""
        return self._given

    def standing(self) -> WorkCalendar:
        """The calendar as it is now, for one calculation over many days: it does not look for news at each of them."""
        return self

    def is_working_day(self, day: date) -> bool:
        table = self.tables.get(day.year)
        if table is not None:
            return table.is_working_day(day)
        if _library_knows(day.year):
            return _library_says(day)
        return day.weekday() < 5 and day not in _statutory_holidays(day.year)

    def is_provisional(self, day: date) -> bool:
        """Whether ``day`` lies in a year whose arrangement is not known."""
        return day.year not in self.tables and not _library_knows(day.year)

    def after(self, start: date, working_days: int) -> Deadline:
        """The last day of a limit of ``working_days`` that begins the day after ``start``; 0 ends on ``start`` itself.

        Raises ValueError where the number is negative or beyond :data:`LONGEST_LIMIT`.
        """
        if not 0 <= working_days <= LONGEST_LIMIT:
            raise ValueError(f"a limit is 0 to {LONGEST_LIMIT} working days, not {working_days}")
        now = self.standing()
        day, provisional = start, working_days == 0 and now.is_provisional(start)
        while working_days:
            day += _DAY
            provisional = provisional or now.is_provisional(day)
            working_days -= now.is_working_day(day)
        return Deadline(day, provisional)

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after ``first`` up to and with ``last``; negative where ``last`` comes first."""
        if last < first:
            return -self.working_days_between(last, first)
        now = self.standing()
        return sum(now.is_working_day(first + _DAY * n) for n in range(1, (last - first).days + 1))


class FolderCalendar(WorkCalendar):
    """The calendar with every yearly table (``*.toml``) of a folder, which may be absent and may change.

    A table that arrives while processes run counts from the next question on. A faulty one is refused at the start
    (ConfigurationError) and later only logged, so that a slip of the pen does not stop the service: the tables read
    before it stay.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._stamp = self._stamped()
        self._given = read_tables(folder)

    @property
    def tables(self) -> Mapping[int, YearTable]:
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._given = read_tables(self._folder)
            except ConfigurationError as error:
                log.error("work_calendar_refused", reason=error.message)
        return self._given

    def standing(self) -> WorkCalendar:
        return WorkCalendar(self.tables)

    def _stamped(self) -> int:
        # Tables are written by renaming, which changes the folder's own time: one look at the disk tells of news.
        try:
            return self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0


def load_calendar(folder: Path) -> WorkCalendar:
    """The calendar with the yearly tables of ``folder``, now and as they change.

    Raises ConfigurationError that names the faulty file.
    """
    return FolderCalendar(folder)


def read_tables(folder: Path) -> dict[int, YearTable]:
    """The yearly tables in ``folder``. Raises ConfigurationError that names the faulty file."""
    tables: dict[int, YearTable] = {}
    for path in sorted(folder.glob("*.toml")):
        table = read_table(path)
        tables[table.year] = table
    return tables


def read_table(path: Path) -> YearTable:
    """The yearly table in ``path``. Raises ConfigurationError."""
    try:
        return YearTable.parse(tomllib.loads(path.read_text("utf-8")))
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            f"工作日历文件 {path} 无法使用：{error}",
            code="work_calendar_invalid",
            remedy="请对照国务院办公厅的节假日安排通知改正这个文件，或先移走它。",
        ) from error


def keep_table(path: Path, folder: Path) -> YearTable:
    """Checks the table in ``path`` and puts it into ``folder`` as ``YEAR.toml``, in place of that year's older one.

    Raises ConfigurationError, with nothing changed.
    """
    table = read_table(path)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{table.year}.new"
    fresh.write_bytes(path.read_bytes())
    fresh.replace(folder / f"{table.year}.toml")
    return table


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


@lru_cache(maxsize=20_000)
def _library_says(day: date) -> bool:
    return bool(chinese_calendar.is_workday(day))  # looks through all its holidays at every question


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
