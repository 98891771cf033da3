"""Reading the audit trail: for auditors, who see who did what and whether the record is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.clock import ZONE
from bot.store.audit import AuditRow, Wanted, entries, first_break
from bot.store.unit_of_work import Store

PAGE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One act of the trail."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the trail, the latest first. ``before``: where the next page begins; None where this is the last."""

    entries: tuple[Entry, ...]
    before: int | None


class Trail:
    """The audit trail as it is read. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, wanted: Wanted) -> Found:
        """The acts that are wanted, at most :data:`PAGE`."""
        with self._store.read() as session:
            rows = entries(session, wanted, PAGE + 1)
            shown = tuple(_entry(row) for row in rows[:PAGE])
        return Found(shown, shown[-1].number if len(rows) > PAGE else None)

    def check(self, actor: str) -> int | None:
        """The number of the first act that was changed or removed, None where the chain is whole.

        That somebody checked is itself an act.
        """
        with self._store.read() as session:
            broken = first_break(session)
        with self._store.write() as work:
            work.audit(actor, "audit.check", "audit", {"first_break": broken})
        return broken


def _entry(row: AuditRow) -> Entry:
    return Entry(row.number, row.at.astimezone(ZONE), row.actor, row.action, row.subject, row.details, row.digest)
