"""Time limits as dates: when a matter handed in today is done at the latest. Pure."""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol


class Limit(Protocol):
    """A limit of a guide: ``unit`` is one of 工作日, 自然日, 小时, 月."""

    @property
    def value(self) -> int: ...
    @property
    def unit(self) -> str: ...


class Deadline(Protocol):
    @property
    def date(self) -> date: ...
    @property
    def provisional(self) -> bool: ...


class Calendar(Protocol):
    def after(self, start: date, working_days: int) -> Deadline: ...


@dataclass(frozen=True, slots=True)
class LimitView:
    """What a template needs: ``due`` is None where a date says nothing (on the spot, hours)."""

    value: int
    unit: str
    on_the_spot: bool
    due: date | None
    provisional: bool


def add_months(start: date, count: int) -> date:
    month = start.month - 1 + count
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, months.monthrange(year, month)[1]))


def view(limit: Limit, today: date, calendar: Calendar) -> LimitView:
    """The limit counted from ``today``; the day of receipt itself does not count."""
    unit = str(limit.unit)
    due: date | None = None
    provisional = False
    if limit.value > 0:
        if unit == "工作日":
            deadline = calendar.after(today, limit.value)
            due, provisional = deadline.date, deadline.provisional
        elif unit == "自然日":
            due = today + timedelta(days=limit.value)
        elif unit == "月":
            due = add_months(today, limit.value)
    return LimitView(limit.value, unit, limit.value == 0, due, provisional)
