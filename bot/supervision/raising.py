"""Raising: alarms with their recipients, notices and outgoing events, as one step of somebody's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from bot.clock import ZONE
from bot.handoff.hours import Hours
from bot.store import UnitOfWork
from bot.supervision import repository
from bot.supervision.model import Recipient, recipients_of
from bot.supervision.repository import Reached
from bot.supervision.rules import Rules
from bot.workdays import Deadline, WorkCalendar

ALARM_TOPIC = "supervision.alarm"
"""Outbox topic: one alarm, for machines."""
NOTICE_TOPIC = "supervision.notice"
"""Outbox topic: what one recipient is told, once for all that was gathered, when the gathering is over."""
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Raised:
    """What came of raising: the numbers of the alarms that are new."""

    alarms: tuple[int, ...]


class Raiser:
    """Writes alarms. What is there already is not raised again, whoever else raises at the same time."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._calendar = calendar

    def raise_all(
        self,
        work: UnitOfWork,
        found: Sequence[Reached],
        rules: Rules,
        now: datetime,
        *,
        by: str = SYSTEM,
        serial: int = 0,
        reason: str | None = None,
    ) -> Raised:
        """Raises what was ``found``; ``by``, ``serial`` and ``reason`` for what a supervisor raises by hand."""
        rows = [self._row(each, rules, now, by, serial, reason) for each in found]
        numbers = repository.insert_alarms(work.session, rows)
        fresh = [(numbers[key], each) for each in found if (key := _key(each)) in numbers]
        if not fresh:
            return Raised(())
        self._tell(work, fresh, rules, now)
        for number, each in fresh:
            work.emit(ALARM_TOPIC, each.number, {"alarm": number, "number": each.number})
        if by == SYSTEM:
            levels = [each.level for _, each in fresh]
            counts = {level.name.lower(): levels.count(level) for level in sorted(set(levels))}
            work.audit(SYSTEM, "supervision.raise", f"alarms:{fresh[0][0]}-{fresh[-1][0]}", counts)
        return Raised(tuple(number for number, _ in fresh))

    def _row(
        self, each: Reached, rules: Rules, now: datetime, by: str, serial: int, reason: str | None
    ) -> dict[str, Any]:
        step = rules.step(each.clock, each.level)
        answer = step.answer_days if step is not None else None
        return {
            "complaint_id": each.complaint_id,
            "clock": each.clock.value,
            "item": each.item,
            "version": each.version,
            "level": int(each.level),
            "serial": serial,
            "department": each.department,
            "urgent": each.urgent,
            "due_at": each.due_at,
            "raised_at": now,
            "raised_by": by,
            "reason": reason,
            "answer_due_at": due_in(now, answer, rules.hours, self._calendar)[0] if answer else None,
        }

    def _tell(self, work: UnitOfWork, fresh: Sequence[tuple[int, Reached]], rules: Rules, now: datetime) -> None:
        """Adds each alarm to its recipients' notices: those of these minutes, or an own one where it is urgent."""
        window = _window(now, rules.gather)
        notices: dict[str, dict[str, Any]] = {}
        told: list[tuple[int, str]] = []
        for number, each in fresh:
            step = rules.step(each.clock, each.level)
            wanted = step.recipients if step is not None else (Recipient.HANDLER, Recipient.HEAD)
            for role, department in recipients_of(each.clock, wanted, each.department):
                occasion = f"alarm:{number}" if each.urgent else f"{window:%Y%m%d%H%M}"
                key = f"{role.value}:{_digest(department)}:{occasion}"
                notices[key] = {
                    "key": key,
                    "role": role.value,
                    "department": department,
                    "urgent": each.urgent,
                    "at": now,
                }
                told.append((number, key))
        numbers, new = repository.insert_notices(work.session, list(notices.values()))
        repository.insert_recipients(work.session, [(number, numbers[key]) for number, key in told])
        for key in sorted(new):
            message = work.emit(NOTICE_TOPIC, key, {"notice": numbers[key]})
            if not notices[key]["urgent"]:
                message.due_at = window + rules.gather


def _key(each: Reached) -> tuple[int, str, int, int, int]:
    return each.complaint_id, each.clock.value, each.item, each.version, int(each.level)


def _digest(department: str) -> str:
    return hashlib.sha256(department.encode()).hexdigest()[:16] if department else "all"


def _window(now: datetime, gather: timedelta) -> datetime:
    """The beginning of the minutes that are gathered, the same for every worker."""
    local = now.astimezone(ZONE)
    midnight = datetime.combine(local.date(), time(0), ZONE)
    return midnight + (local - midnight) // gather * gather


def due_in(now: datetime, days: int, hours: Hours, calendar: WorkCalendar) -> tuple[datetime, Deadline]:
    """The end of office hours ``days`` working days after ``now``, and the day it is on."""
    end = calendar.after(now.astimezone(ZONE).date(), days)
    spans = hours.on(end.date, calendar)
    if spans:
        return spans[-1].on(end.date)[1], end
    return datetime.combine(end.date + timedelta(days=1), time(0), ZONE), end
