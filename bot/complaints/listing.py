"""Complaints as other systems list them: nothing personal, the text with numbers starred."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.clock import ZONE
from bot.complaints import repository
from bot.complaints.model import State
from bot.complaints.tables import ComplaintRow
from bot.store import Store

DONE = frozenset({State.CLOSED, State.WITHDRAWN, State.MERGED})
"""States in which nothing more is to come."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which complaints are listed; a field that is empty or None narrows nothing. ``done``: see :data:`DONE`."""

    numbers: Collection[str] = ()
    words: str = ""
    """In text or place."""
    categories: Collection[str] = ()
    done: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One complaint without anything that tells who filed it."""

    number: str
    state: State
    text: str
    category: str
    department: str | None
    location: str | None
    answer: str | None
    filed_at: datetime
    updated_at: datetime
    due_at: datetime

    @property
    def done(self) -> bool:
        return self.state in DONE


class ComplaintListing:
    """Reads lists of complaints. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self, wanted: Wanted, most: int, skip: int = 0) -> list[Listed]:
        """At most ``most`` complaints, the latest first, without the first ``skip``."""
        with self._store.read() as session:
            found = repository.listed(
                session,
                numbers=wanted.numbers,
                words=wanted.words,
                categories=wanted.categories,
                done=wanted.done,
                done_states=[state.value for state in DONE],
                since=wanted.since,
                until=wanted.until,
                updated_since=wanted.updated_since,
                most=most,
                skip=skip,
            )
            return [_listed(row, updated_at) for row, updated_at in found]


def _listed(row: ComplaintRow, updated_at: datetime | None) -> Listed:
    return Listed(
        number=row.number,
        state=State(row.state),
        text=row.text,
        category=row.category,
        department=row.department,
        location=row.location,
        answer=row.answer,
        filed_at=row.filed_at.astimezone(ZONE),
        updated_at=(updated_at or row.filed_at).astimezone(ZONE),
        due_at=row.due_at.astimezone(ZONE),
    )
