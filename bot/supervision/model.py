"""Clocks, lights and levels as values, and what the time makes of a deadline. Pure.

A clock runs while somebody owes a step (:func:`clocks_of`); its light tells how near its deadline is; the steps of the
ladder (``rules.py``) say what is raised when. Everything is a function of the time, the deadline, the rules and the
calendar, so that a worker that slept knows what it missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from typing import Protocol

from bot.clock import ZONE
from bot.complaints.model import State

_DAY = timedelta(days=1)


class Calendar(Protocol):
    """Counts working days (see ``bot.workdays``)."""

    def is_working_day(self, day: date) -> bool: ...
    def is_provisional(self, day: date) -> bool: ...


class Clock(StrEnum):
    """What somebody owes by a deadline."""

    DISPATCH = "dispatch"  # the desk: to whom the complaint goes
    SIGN = "sign"  # the unit: that it takes it on
    REPLY = "reply"  # the unit: a first word to the citizen
    CLOSE = "close"  # the answer
    RECTIFY = "rectify"  # the unit: what it puts right after a bad judgement
    CALLBACK = "callback"  # the desk: a call to the citizen after the answer


class Level(IntEnum):
    """What is raised, the graver the higher; the number orders and is stored."""

    REMINDER = 1
    WARNING = 2
    OVERDUE = 3
    URGE = 4
    YELLOW_CARD = 5
    RED_CARD = 6
    OVERSIGHT = 7


LEVEL_NAMES = {
    Level.REMINDER: "提醒",
    Level.WARNING: "预警",
    Level.OVERDUE: "超时",
    Level.URGE: "催办单",
    Level.YELLOW_CARD: "黄牌",
    Level.RED_CARD: "红牌",
    Level.OVERSIGHT: "督办",
}
CLOCK_NAMES = {
    Clock.DISPATCH: "派单",
    Clock.SIGN: "签收",
    Clock.REPLY: "首次回复",
    Clock.CLOSE: "办结",
    Clock.RECTIFY: "整改",
    Clock.CALLBACK: "回访",
}
FORMAL = frozenset({Level.URGE, Level.YELLOW_CARD, Level.RED_CARD, Level.OVERSIGHT})
"""Levels that are a document to the unit: it answers them, and a supervisor may take them back."""


class Light(StrEnum):
    """How near a running clock is to its deadline."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


LIGHT_NAMES = {Light.GREEN: "绿", Light.YELLOW: "黄", Light.RED: "红"}


class Recipient(StrEnum):
    """In which role somebody is told."""

    HANDLER = "handler"  # the clerks of the unit that holds it
    HEAD = "head"  # the head of that unit
    OPERATOR = "operator"  # the desk
    SUPERVISOR = "supervisor"


RUNS: Mapping[Clock, frozenset[State]] = {
    Clock.DISPATCH: frozenset({State.FILED, State.RETURNED, State.REOPENED}),
    Clock.SIGN: frozenset({State.DISPATCHED}),
    Clock.REPLY: frozenset({State.DISPATCHED, State.SIGNED}),
    Clock.CLOSE: frozenset({State.FILED, State.RETURNED, State.REOPENED, State.DISPATCHED, State.SIGNED}),
}
"""States in which each clock of a complaint runs. ``paused``: none of them does."""
DESKS = frozenset({Clock.DISPATCH, Clock.CALLBACK})
"""Clocks whose step the operators owe, whatever unit holds the complaint."""


def clocks_of(state: State, *, replied: bool) -> frozenset[Clock]:
    """The clocks of a complaint that run; the one of the first reply only until there was one."""
    running = {clock for clock, states in RUNS.items() if state in states}
    return frozenset(running - {Clock.REPLY} if replied else running)


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Deadlines before ``before`` have reached ``level``."""

    level: Level
    before: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: when a level is reached, and who is told.

    ``days``: working days left from which on it holds (negative: begun since the deadline), None: never. ``hours``: the
    same for urgent complaints. For ``OVERDUE`` neither counts: it holds once the deadline has passed. ``answer_days``:
    working days the unit has to answer a document.
    """

    level: Level
    recipients: tuple[Recipient, ...]
    days: int | None = None
    hours: float | None = None
    answer_days: int | None = None

    def cutoff(self, now: datetime, urgent: bool, calendar: Calendar) -> Cutoff | None:
        """Which deadlines have reached the level at ``now``; None where none ever does."""
        if self.level is Level.OVERDUE:
            return Cutoff(self.level, now)
        if urgent:
            return Cutoff(self.level, now + timedelta(hours=self.hours)) if self.hours is not None else None
        if self.days is None:
            return None
        today = now.astimezone(ZONE).date()
        days = self.days
        last = latest_with_left(today, days, calendar) if days >= 0 else latest_gone(today, -days, calendar)
        return Cutoff(self.level, datetime.combine(last + _DAY, time(0), ZONE))


def cutoffs(steps: Sequence[Step], now: datetime, urgent: bool, calendar: Calendar) -> list[Cutoff]:
    """The cutoffs of a ladder at ``now``, the gravest first."""
    found = [cutoff for step in steps if (cutoff := step.cutoff(now, urgent, calendar)) is not None]
    return sorted(found, key=lambda cutoff: cutoff.level, reverse=True)


def latest_with_left(today: date, days: int, calendar: Calendar) -> date:
    """The latest day to which at most ``days`` working days are left: the eve of the working day after them."""
    day = today
    while True:
        day += _DAY
        if calendar.is_working_day(day):
            if not days:
                return day - _DAY
            days -= 1


def latest_gone(today: date, days: int, calendar: Calendar) -> date:
    """The latest day since which at least ``days`` (one or more) working days have begun, today among them."""
    day = today
    while True:
        days -= calendar.is_working_day(day)
        day -= _DAY
        if days <= 0:
            return day


def level_at(due: datetime, cutoffs: Sequence[Cutoff]) -> Level | None:
    """The gravest level that a deadline has reached; None where it is still far off."""
    return max((cutoff.level for cutoff in cutoffs if due < cutoff.before), default=None)


@dataclass(frozen=True, slots=True)
class Yellow:
    """From when on a light is yellow: working days left, and hours left for urgent ones."""

    days: int
    hours: float


def yellow_before(now: datetime, urgent: bool, yellow: Yellow, calendar: Calendar) -> datetime:
    """Deadlines before this moment are yellow, where they are not past: for queries over many."""
    if urgent:
        return now + timedelta(hours=yellow.hours)
    last = latest_with_left(now.astimezone(ZONE).date(), yellow.days, calendar)
    return datetime.combine(last + _DAY, time(0), ZONE)


def light(due: datetime, now: datetime, urgent: bool, yellow: Yellow, calendar: Calendar) -> Light:
    """The light of a running clock: red once ``due`` has passed, yellow from ``yellow`` on."""
    if due < now:
        return Light.RED
    return Light.YELLOW if due < yellow_before(now, urgent, yellow, calendar) else Light.GREEN


def recipients_of(clock: Clock, wanted: Sequence[Recipient], department: str | None) -> list[tuple[Recipient, str]]:
    """Role and department of everybody who is told; ``department`` "" where it is not one unit's.

    What the desk owes, and what no unit holds, goes to the operators in place of handler and head.
    """
    found: dict[tuple[Recipient, str], None] = {}
    for role in wanted:
        if role in (Recipient.HANDLER, Recipient.HEAD):
            unit = None if clock in DESKS else department
            found[(role, unit) if unit else (Recipient.OPERATOR, "")] = None
        else:
            found[role, ""] = None
    return list(found)
