"""What follows from a case: where it stands, how much of its limit is used, what comes next, who has to act. Pure.

The limit counts in working days, from the day after acceptance to the decision (行政许可法第三十二、四十二、八十二条);
correction, hearing, inspection and the like do not count (第四十五条). A pause follows the same rule as the limit: the
day of the request still counts, the day on which the correction arrives does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from bot.answers.limits import add_months
from bot.cases.model import STAGES, Case, CaseState, Pause, Stage
from bot.clock import ZONE
from bot.matters.model import Limit

ENDED_EARLY = frozenset({"不予受理", "撤回", "终止"})
"""Outcomes after which there is nothing to decide or deliver."""

_DAY = timedelta(days=1)
LONGEST = 3_660 * 2
"""Days looked ahead; a longer limit has no date."""


class Calendar(Protocol):
    def is_working_day(self, day: date) -> bool: ...
    def is_provisional(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class ClockView:
    """The limit of a case. ``used`` and ``left`` are in the limit's unit (working or calendar days).

    ``due`` is None while the clock stands still, without a limit, and before acceptance. ``late_days``: working days
    beyond the due date, open or closed.
    """

    limit: Limit | None
    counts_from: date | None
    used: int = 0
    left: int | None = None
    due: date | None = None
    provisional: bool = False
    stopped_by: Pause | None = None
    late_days: int = 0
    is_open: bool = True
    """Whether the office still has to do its part."""

    @property
    def in_working_days(self) -> bool:
        return self.limit is None or self.limit.unit == "工作日"


@dataclass(frozen=True, slots=True)
class Progress:
    """A case as of a moment."""

    state: CaseState
    stage: Stage
    """The stage it is in, or was in last."""
    clock: ClockView
    owes: Pause | None
    """The correction that the applicant still has to bring."""
    next_stage: str | None
    overdue: bool
    """The due date is past and nothing is decided."""
    accepted_at: datetime | None
    decided_at: datetime | None
    closed_at: datetime | None


def progress(case: Case, now: datetime, calendar: Calendar, limit: Limit | None = None) -> Progress:
    """Where ``case`` stands at ``now``. ``limit``: the matter's, used where the case names none of its own."""
    today = now.astimezone(ZONE).date()
    stage = case.stages[-1]
    accepted, decided = accepted_at(case), decided_at(case)
    closed = closed_at(case)
    pause = open_pause(case, now) if finished_at(case) is None else None
    clock = clock_view(case, today, calendar, case.promised_limit or limit, pause)
    finished = finished_at(case)
    overdue = finished is None and clock.due is not None and clock.due < today
    return Progress(
        state=_state(stage, accepted, decided, closed, pause),
        stage=stage,
        clock=clock,
        owes=pause if pause is not None and pause.kind == "补正" else None,
        next_stage=_next(stage, closed),
        overdue=overdue,
        accepted_at=accepted,
        decided_at=decided,
        closed_at=closed,
    )


def accepted_at(case: Case) -> datetime | None:
    """When the case was accepted: the end of 受理, else the beginning of what comes after it; None before that."""
    for stage in case.stages:
        if stage.stage == "受理" and stage.end is not None:
            return stage.end
        if STAGES.index(stage.stage) > STAGES.index("受理"):
            return stage.start
    return None


def decided_at(case: Case) -> datetime | None:
    """When the decision was made: the end of the last 决定, else the beginning of 送达; None while it is open."""
    last = case.stages[-1]
    if last.stage == "送达":
        earlier = [stage.end for stage in case.stages if stage.stage == "决定" and stage.end is not None]
        return earlier[-1] if earlier else last.start
    if last.stage == "决定" and last.end is not None:
        return last.end
    return None


def closed_at(case: Case) -> datetime | None:
    """When it was over: as the case says; else once delivered, decided without a delivery to come, or ended early."""
    last = case.stages[-1]
    if case.closed_at is not None:
        return case.closed_at
    if case.outcome in ENDED_EARLY:
        return last.end or last.start
    if last.stage == "送达":
        return last.end
    return last.end if last.stage == "决定" and case.outcome is not None else None


def finished_at(case: Case) -> datetime | None:
    """When the office had done its part: decided, or over without a decision."""
    return decided_at(case) or closed_at(case)


def open_pause(case: Case, now: datetime) -> Pause | None:
    """The pause that stops the clock at ``now``; a correction before others, for the applicant must act on it."""
    open_ones = [pause for pause in case.pauses if pause.start <= now and (pause.end is None or pause.end > now)]
    return min(open_ones, key=lambda pause: (pause.kind != "补正", pause.start), default=None)


def clock_view(
    case: Case, today: date, calendar: Calendar, limit: Limit | None, stopped_by: Pause | None = None
) -> ClockView:
    """The limit on ``today``, or on the day on which the office was done. ``stopped_by``: the pause that goes on."""
    accepted = accepted_at(case)
    if accepted is None:
        return ClockView(limit, None)
    start = accepted.date()
    finished = finished_at(case)
    until = min(today, finished.date()) if finished else today
    in_working_days = limit is None or limit.unit == "工作日"

    def counts(day: date) -> bool:
        return not _stopped(day, case.pauses) and (not in_working_days or calendar.is_working_day(day))

    used = sum(counts(start + _DAY * n) for n in range(1, (until - start).days + 1))
    if limit is None:
        return ClockView(None, start, used, stopped_by=stopped_by, is_open=finished is None)
    if stopped_by is not None:
        left = None if limit.unit in ("月", "小时") else limit.value - used
        return ClockView(limit, start, used, left, None, False, stopped_by)
    due, provisional = _due(start, limit, case.pauses, calendar)
    if due is None:
        return ClockView(limit, start, used, is_open=finished is None)
    late = _working_days(due, until, calendar) if until > due else 0
    left = (due - until).days if limit.unit in ("月", "小时") else limit.value - used
    return ClockView(limit, start, used, left, due, provisional, None, late, finished is None)


def _due(start: date, limit: Limit, pauses: Sequence[Pause], calendar: Calendar) -> tuple[date | None, bool]:
    """The last day of the limit, pauses left out, and whether it rests on a year that is not arranged yet."""
    if limit.unit == "工作日":
        needed, day, provisional = limit.value, start, limit.value == 0 and calendar.is_provisional(start)
        while needed:
            day += _DAY
            provisional = provisional or calendar.is_provisional(day)
            needed -= calendar.is_working_day(day) and not _stopped(day, pauses)
            if (day - start).days > LONGEST:
                return None, False
        return day, provisional
    if limit.unit == "月":
        days = (add_months(start, limit.value) - start).days
    elif limit.unit == "小时":
        days = -(-limit.value // 24)
    else:
        days = limit.value
    day = start
    while days:
        day += _DAY
        days -= not _stopped(day, pauses)
        if (day - start).days > LONGEST:
            return None, False
    return day, False


def _stopped(day: date, pauses: Sequence[Pause]) -> bool:
    """Whether ``day`` is left out: after the day a pause began, up to the day it ended."""
    return any(pause.start.date() < day and (pause.end is None or day <= pause.end.date()) for pause in pauses)


def _working_days(first: date, last: date, calendar: Calendar) -> int:
    return sum(calendar.is_working_day(first + _DAY * n) for n in range(1, (last - first).days + 1))


def _state(
    stage: Stage,
    accepted: datetime | None,
    decided: datetime | None,
    closed: datetime | None,
    pause: Pause | None,
) -> CaseState:
    if closed is not None:
        return CaseState.CLOSED
    if pause is not None:
        return CaseState.PAUSED
    if decided is not None:
        return CaseState.DELIVERING
    if accepted is None:
        return CaseState.APPLIED
    return CaseState.DECIDING if stage.stage == "决定" else CaseState.REVIEWING


def _next(stage: Stage, closed: datetime | None) -> str | None:
    """The stage that comes after this one; None for a case that is over."""
    if closed is not None:
        return None
    place = STAGES.index(stage.stage) + 1
    return STAGES[place] if place < len(STAGES) else None
