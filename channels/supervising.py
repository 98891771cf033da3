"""Supervision's parts put together, for the gateway, the worker and the terminal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.complaints.clocks import TABLE as LIMITS
from bot.complaints.handling import ComplaintHandling
from bot.complaints.notices import ComplaintNotices
from bot.complaints.recounting import Recounting
from bot.complaints.writing import ComplaintWriter
from bot.rule_file import RuleFile
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from bot.supervision.aftercare import AfterCare
from bot.supervision.calling import Calling
from bot.supervision.rectifying import Rectifying
from bot.supervision.rules import RulesFile
from bot.supervision.service import Supervising
from bot.supervision.watching import Watch
from bot.workdays import WorkCalendar, YearTable
from channels.casework import Casework
from channels.relay import Envelope, Handler, PutOff
from channels.worker import Job

WATCH_EVERY = timedelta(seconds=5)
CARE_EVERY = timedelta(minutes=1)
RECOUNT_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Supervision:
    """The services of supervision over one store."""

    rules: RulesFile
    alarms: Supervising
    calls: Calling
    rectifications: Rectifying


def build_supervision(
    settings: Settings, store: Store, clock: Clock, sealer: Sealer, calendar: WorkCalendar, handling: ComplaintHandling
) -> Supervision:
    """What people do. Raises ConfigurationError where the city's rules cannot be used."""
    rules = RulesFile(settings.home)
    return Supervision(
        rules=rules,
        alarms=Supervising(store, clock, rules, calendar),
        calls=Calling(store, clock, sealer, rules, calendar, handling),
        rectifications=Rectifying(store, clock, rules, calendar),
    )


@dataclass(frozen=True)
class Supervisors:
    """The worker's part: what happens by time, and what follows a bad judgement."""

    watch: Watch
    care: AfterCare
    recounting: Recounting
    calendar: WorkCalendar

    def jobs(self) -> list[Job]:
        """The worker's jobs."""
        seen: list[dict[int, YearTable]] = []

        def recount(_: datetime) -> None:
            tables = dict(self.calendar.tables)
            if seen[-1:] != [tables]:  # at the start, and whenever a year's holidays were loaded
                self.recounting.run()
                self.care.recount()
                seen[:] = [tables]

        return [
            Job("recount-deadlines", RECOUNT_EVERY, recount),
            Job("watch-deadlines", WATCH_EVERY, lambda now: _drop(self.watch.run(now))),
            Job("after-care", CARE_EVERY, self.care.run),
        ]

    def judged_poorly(self) -> Handler:
        """The handler of bad judgements."""

        async def handle(envelope: Envelope, _: datetime) -> PutOff | None:
            await asyncio.to_thread(self.care.judged_poorly, int(envelope.payload["judgement"]))
            return None

        return handle


def build_supervisors(
    settings: Settings, store: Store, clock: Clock, casework: Casework, calendar: WorkCalendar
) -> Supervisors:
    """The worker's part over ``settings``. Raises ConfigurationError where limits or rules cannot be used."""
    rules = RulesFile(settings.home)
    writer = ComplaintWriter(
        casework.sealer, calendar, RuleFile(settings.home, LIMITS).current, encoder=""
    )  # it files nothing
    notices = ComplaintNotices(writer, casework.notifications, casework.judgements, clock, settings)
    handling = ComplaintHandling(store, clock, writer, casework.judgements, notices)
    return Supervisors(
        watch=Watch(store, rules, calendar),
        care=AfterCare(store, clock, rules, calendar, handling),
        recounting=Recounting(store, clock, writer),
        calendar=calendar,
    )


def _drop(_: object) -> None:
    """A job returns nothing."""
