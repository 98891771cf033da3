"""Counting provisional deadlines anew once the holidays of their year are published (docs/calendar.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog

from bot.clock import Clock
from bot.complaints import repository
from bot.complaints.clocks import ends
from bot.complaints.model import State
from bot.complaints.service import CHANGED_TOPIC
from bot.complaints.tables import ComplaintRow
from bot.complaints.writing import ComplaintWriter, add_event, due_values, dues, next_versions
from bot.store import Store, UnitOfWork

log = structlog.get_logger("wenban.complaints")

ACT = "recount"
BATCH = 200


class Recounting:
    """Counts again what rested on an unpublished year. Done once, nothing is left to do until the next table."""

    def __init__(self, store: Store, clock: Clock, writer: ComplaintWriter) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer

    def run(self) -> int:
        """Goes through every open complaint with a provisional deadline; how many have another deadline now."""
        moved, last = 0, 0
        while True:
            with self._store.write() as work:
                rows = repository.provisional_open(work.session, last, BATCH)
                moved += sum(self._recount(work, row, self._clock.now()) for row in rows)
            if not rows:
                break
            last = rows[-1].id
        if moved:
            log.info("deadlines_recounted", complaints=moved)
        return moved

    def _recount(self, work: UnitOfWork, row: ComplaintRow, now: datetime) -> bool:
        """Writes the deadlines of today's calendar; True where one of them moved."""
        counted = dues(row, self._writer.calendar).counted
        if counted is None:
            return False
        fresh = due_values(ends(counted, self._writer.limits, self._writer.calendar))
        before: dict[str, Any] = {name: getattr(row, name) for name in fresh}
        versions = next_versions(row, fresh, anew=False)
        if not versions and fresh["provisional"] == row.provisional:
            return False
        if not repository.change(work.session, row, row.version, fresh | versions):
            return False
        if versions:
            moved = {
                name: [before[name].isoformat(), fresh[name].isoformat()]
                for name in ("sign_due_at", "reply_due_at", "due_at")
                if before[name] != fresh[name]
            }
            state = State(row.state)
            add_event(work, row, ACT, state, state, "system", now, {"department": row.department, "moved": moved})
            work.emit(CHANGED_TOPIC, row.number, {"number": row.number, "state": row.state, "version": row.version})
            work.audit("system", f"complaint.{ACT}", f"complaint:{row.number}", moved)
        return bool(versions)
