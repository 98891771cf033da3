"""The worker's eye on the clocks: what has reached a level is raised, once, in office hours (urgent at once)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from bot.handoff.hours import is_open
from bot.store import Store
from bot.supervision import repository
from bot.supervision.model import Clock, Cutoff, cutoffs
from bot.supervision.raising import Raiser
from bot.supervision.rules import Rules, RulesFile
from bot.workdays import WorkCalendar

log = structlog.get_logger("wenban.supervision")

BATCH = 500
"""Alarms of one transaction: rows are locked for its time."""
BUDGET = timedelta(seconds=5)
"""How long one turn raises before other jobs have theirs; the rest follows at the next."""


class Watch:
    """Raises what is due. :meth:`run` holds no state: what another worker raised is seen in the database."""

    def __init__(self, store: Store, rules: RulesFile, calendar: WorkCalendar, batch: int = BATCH) -> None:
        self._store = store
        self._rules = rules
        self._calendar = calendar
        self._raiser = Raiser(calendar)
        self._batch = batch

    def run(self, now: datetime) -> int:
        """Raises what has reached a level at ``now``; how many alarms."""
        rules = self._rules.current()
        until = time.monotonic() + BUDGET.total_seconds()
        raised = 0
        for clock, urgent, reached in self._due(rules, now):
            while time.monotonic() < until:
                seen, fresh = self._raise(clock, urgent, reached, rules, now)
                raised += fresh
                if seen < self._batch:
                    break
        if raised:
            log.info("alarms_raised", count=raised)
        return raised

    def _due(self, rules: Rules, now: datetime) -> Iterator[tuple[Clock, bool, list[Cutoff]]]:
        """Clocks with something to raise; looked up without the write lock, which most turns do not need."""
        kinds = [True, False] if is_open(now, rules.hours, self._calendar) else [True]
        ladders = [
            (clock, urgent, cutoffs(rules.ladder[clock], now, urgent, self._calendar))
            for urgent in kinds
            for clock in Clock
            if not (urgent and clock in repository.AFTER)
        ]
        with self._store.read() as session:
            found = [each for each in ladders if repository.reached(session, *each, limit=1)]
        yield from found

    def _raise(self, clock: Clock, urgent: bool, reached: list[Cutoff], rules: Rules, now: datetime) -> tuple[int, int]:
        """One batch: how many were seen and how many of them raised."""
        with self._store.write() as work:
            found = repository.reached(work.session, clock, urgent, reached, self._batch, lock=True)
            if not found:
                return 0, 0
            return len(found), len(self._raiser.raise_all(work, found, rules, now).alarms)
