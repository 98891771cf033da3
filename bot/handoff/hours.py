"""Office hours: several intervals a day, by the calendar of working days; and deadlines in working time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Protocol

from bot.clock import ZONE

FARTHEST = 400
"""Days that are looked ahead; who opens on none of them never opens."""
_DAY = timedelta(days=1)


class Calendar(Protocol):
    """Knows which days are worked (see ``bot.workdays``)."""

    def is_working_day(self, day: date) -> bool: ...
    def is_provisional(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Part of a day; ``end`` 00:00 is midnight at its end."""

    start: time
    end: time

    def on(self, day: date) -> tuple[datetime, datetime]:
        end = day if self.end > time(0) else day + _DAY
        return datetime.combine(day, self.start, ZONE), datetime.combine(end, self.end, ZONE)


@dataclass(frozen=True, slots=True)
class Season:
    """Hours of a part of the year, from one day (month, day) to another, both with it; may cross the new year."""

    first: tuple[int, int]
    last: tuple[int, int]
    working_days: tuple[Interval, ...]

    def holds(self, day: date) -> bool:
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody is there. ``days``: single days that are otherwise, whatever the calendar says."""

    working_days: tuple[Interval, ...]
    days_off: tuple[Interval, ...] = ()
    seasons: tuple[Season, ...] = ()
    days: Mapping[date, tuple[Interval, ...]] | None = None

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Hours:
        """The hours in ``values``; raises ValueError (in Chinese)."""
        unknown = set(values) - {"working_days", "days_off", "season", "day"}
        if unknown:
            raise ValueError(f"办公时间里没有 {min(unknown)} 这一项")
        seasons = tuple(
            Season(_month_day(part.get("from")), _month_day(part.get("until")), intervals(part.get("working_days", ())))
            for part in values.get("season", ())
        )
        days: dict[date, tuple[Interval, ...]] = {}
        for part in values.get("day", ()):
            if type(part.get("date")) is not date:
                raise ValueError("单独一天要写日期，如 date = 2026-12-31")
            days[part["date"]] = intervals(part.get("hours", ()))
        return cls(
            intervals(values.get("working_days", ())), intervals(values.get("days_off", ())), seasons, days or None
        )

    def on(self, day: date, calendar: Calendar) -> tuple[Interval, ...]:
        """The intervals of ``day``, earliest first."""
        if self.days is not None and day in self.days:
            return self.days[day]
        if not calendar.is_working_day(day):
            return self.days_off
        return next((season.working_days for season in self.seasons if season.holds(day)), self.working_days)


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline. ``provisional``: it rests on a year whose holidays are not published yet."""

    at: datetime
    provisional: bool


def is_open(moment: datetime, hours: Hours, calendar: Calendar) -> bool:
    """Whether somebody should be there at ``moment``; an interval's end is outside of it."""
    local = moment.astimezone(ZONE)
    return any(start <= local < end for start, end in _spans(local.date(), local.date(), hours, calendar))


def next_opening(moment: datetime, hours: Hours, calendar: Calendar) -> datetime | None:
    """When somebody is there again: ``moment`` itself where it is open; None where that never comes."""
    local = moment.astimezone(ZONE)
    for start, end in _spans(local.date(), local.date() + _DAY * FARTHEST, hours, calendar):
        if end > local:
            return max(start, local)
    return None


def after_working_time(start: datetime, working: timedelta, hours: Hours, calendar: Calendar) -> Due | None:
    """When ``working`` time has gone by since ``start``, counted only while it is open; None where it never will.

    Raises ValueError for a negative time.
    """
    if working < timedelta(0):
        raise ValueError("working time is not negative")
    local, left = start.astimezone(ZONE), working
    provisional = False
    for begin, end in _spans(local.date(), local.date() + _DAY * FARTHEST, hours, calendar):
        if end <= local:
            continue
        provisional = provisional or calendar.is_provisional(begin.date())
        begin = max(begin, local)
        if end - begin >= left:
            return Due(begin + left, provisional)
        left -= end - begin
    return None


def intervals(texts: Sequence[str]) -> tuple[Interval, ...]:
    """``["09:00-12:00", "13:30-17:30"]`` as intervals, in order; raises ValueError (in Chinese) where they overlap."""
    found = []
    for text in texts:
        start, _, end = str(text).partition("-")
        try:
            interval = Interval(time.fromisoformat(start.strip()), _end(end.strip()))
        except ValueError:
            raise ValueError(f"“{text}”不是时间段，应写成 09:00-12:00") from None
        if interval.end != time(0) and interval.end <= interval.start:
            raise ValueError(f"“{text}”的结束不晚于开始")
        found.append(interval)
    found.sort(key=lambda interval: interval.start)
    for first, second in pairwise(found):
        if first.end == time(0) or second.start < first.end:
            raise ValueError(f"时间段 {first.start:%H:%M} 与 {second.start:%H:%M} 开始的两段重叠")
    return tuple(found)


def _end(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)


def _month_day(text: object) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"2024-{text}")  # a leap year: 02-29 is a day
    except ValueError:
        raise ValueError(f"“{text}”不是月日，应写成 05-01") from None
    return day.month, day.day


def _spans(first: date, last: date, hours: Hours, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    for number in range((last - first).days + 1):
        day = first + _DAY * number
        for interval in hours.on(day, calendar):
            yield interval.on(day)
