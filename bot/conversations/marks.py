"""Marks beside a conversation's log: how far the citizen got and read it, and who is typing. Nothing of it is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.conversations import repository
from bot.conversations.tables import MarksRow
from bot.errors import NotFound
from bot.store import Store
from bot.store.inserting import insert_new

TYPING_FOR = timedelta(seconds=6)
"""How long somebody is believed to type after the last sign of it."""
_AGAIN = timedelta(seconds=3)
"""A sign of typing that comes earlier after the last one changes nothing: few writes."""


@dataclass(frozen=True, slots=True)
class Marks:
    """``delivered`` and ``seen``: numbers of the last event the citizen's side has, and that he has read."""

    delivered: int = 0
    seen: int = 0
    citizen_types: bool = False
    person_types: bool = False


def marks_of(session: Session, conversation_id: str, now: datetime) -> Marks:
    """The marks now; none for a conversation without any."""
    row = session.get(MarksRow, conversation_id)
    if row is None:
        return Marks()
    return Marks(row.delivered, row.seen, _still(row.citizen_types_until, now), _still(row.person_types_until, now))


class MarkService:
    """Sets marks. Every method is one transaction, tells once where something changed, and may be called often."""

    def __init__(self, store: Store, clock: Clock, announce: Callable[[str], None] = lambda _: None) -> None:
        self._store = store
        self._clock = clock
        self._announce = announce

    def of(self, conversation_id: str) -> Marks:
        with self._store.read() as session:
            return marks_of(session, conversation_id, self._clock.now())

    def by_citizen(self, conversation_id: str, *, delivered: int = 0, seen: int = 0, types: bool | None = None) -> None:
        """What the citizen's page tells of itself. Raises NotFound where the conversation is another channel's."""
        with self._store.read() as session:
            row = repository.conversation(session, conversation_id)
            if row is None or row.citizen is not None:
                raise NotFound("没有这个对话。", code="conversation_not_found", remedy="请重新开始。")
        self._mark(conversation_id, delivered, seen, citizen=types)

    def delivered(self, conversation_id: str, event: int) -> None:
        """The channel has brought the citizen everything up to ``event``."""
        self._mark(conversation_id, event, 0)

    def by_person(self, conversation_id: str, *, types: bool) -> None:
        """The operator who has the conversation types, or stopped."""
        self._mark(conversation_id, 0, 0, person=types)

    def _mark(
        self,
        conversation_id: str,
        delivered: int,
        seen: int,
        *,
        citizen: bool | None = None,
        person: bool | None = None,
    ) -> None:
        now = self._clock.now()
        with self._store.read() as session:
            row = session.get(MarksRow, conversation_id)
            if row is not None and not self._changes(row, delivered, seen, citizen, person, now):
                return
        with self._store.write() as work:
            conversation = repository.conversation(work.session, conversation_id)
            if conversation is None:
                return
            insert_new(work.session, MarksRow, {"conversation_id": conversation_id})
            row = work.session.get_one(MarksRow, conversation_id, with_for_update=True, populate_existing=True)
            last = conversation.last_event
            row.seen = max(row.seen, min(seen, last))
            row.delivered = max(row.delivered, row.seen, min(delivered, last))
            if citizen is not None:
                row.citizen_types_until = now + TYPING_FOR if citizen else None
            if person is not None:
                row.person_types_until = now + TYPING_FOR if person else None
        self._announce(conversation_id)

    @staticmethod
    def _changes(
        row: MarksRow, delivered: int, seen: int, citizen: bool | None, person: bool | None, now: datetime
    ) -> bool:
        if delivered > row.delivered or seen > row.seen:
            return True
        typing = ((citizen, row.citizen_types_until), (person, row.person_types_until))
        return any(_is_news(types, until, now) for types, until in typing)


def _is_news(types: bool | None, until: datetime | None, now: datetime) -> bool:
    if types is None:
        return False
    if not types:
        return until is not None
    return until is None or until - now < TYPING_FOR - _AGAIN


def _still(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until
