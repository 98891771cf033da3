"""Use cases of citizens: calling a person, waiting, waiting no longer, leaving a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.conversations import repository as conversations
from bot.conversations.holding import Holder, HoldingAct
from bot.conversations.moving import move
from bot.handoff import repository
from bot.handoff.desk import Desk
from bot.handoff.hours import Calendar, Due, after_working_time, is_open, next_opening
from bot.handoff.model import Ask, Kind, Nobody, Place, calls_for_person
from bot.handoff.offering import offer
from bot.handoff.staff import online, place_of
from bot.handoff.tables import HandoffRow
from bot.store import Store, UnitOfWork

log = structlog.get_logger("wenban.handoff")

DESK = "desk"
"""The key under which news about queues is announced."""
URGENT_WITHIN = timedelta(minutes=30)
"""By when somebody looks at an urgent message, whatever the hour."""


def desk_of(account_id: int) -> str:
    """The key under which news about one operator's own conversations is announced."""
    return f"{DESK}:{account_id}"


class Calls:
    """Calls for a person in the store. Every method is one transaction and may be called from any thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        desk: Desk,
        calendar: Calendar,
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._announce = announce
        self.desk = desk

    def call(self, ask: Ask) -> Place | Nobody | None:
        """Puts the conversation into the queue, once: where it waits already, its place.

        Nobody where nobody can come: then nothing is changed. None where a person has it, or it is unknown. Danger
        calls whoever is there, also outside of office hours.
        """
        now = self._clock.now()
        with self._store.write() as work:
            session = work.session
            conversation = conversations.locked_conversation(session, ask.conversation_id)
            if conversation is None or conversation.holder == Holder.PERSON:
                return None
            if conversation.holder == Holder.WAITING:
                return self._waits_already(session, ask, now)
            queue = self.desk.queue_for(ask.department)
            there = online(session, None if ask.urgent else queue, now)
            opened = is_open(now, queue.hours, self._calendar)
            if not there or not (opened or ask.urgent):
                return Nobody(None if opened else next_opening(now, queue.hours, self._calendar))
            row = HandoffRow(
                conversation_id=ask.conversation_id,
                kind=Kind.LIVE,
                state="waiting",
                reason=ask.reason,
                queue=queue.name,
                urgent=ask.urgent,
                text=ask.text,
                asked_at=now,
            )
            session.add(row)
            session.flush()
            offer(session, row, self.desk, now)
            move(session, conversation, HoldingAct.ASK, now, {"reason": ask.reason.value})
            place = place_of(session, row, self.desk, now)
            row.position = place.position
            work.audit("citizen", "handoff.ask", ask.conversation_id, {"reason": ask.reason, "queue": queue.name})
        self._announce(DESK)
        log.info("person_called", conversation=ask.conversation_id[:8], reason=ask.reason, queue=queue.name)
        return place

    def _waits_already(self, session: Session, ask: Ask, now: datetime) -> Place | None:
        row = repository.open_of(session, ask.conversation_id, Kind.LIVE)
        if row is None:
            return None
        row.urgent = row.urgent or ask.urgent
        session.flush()
        return place_of(session, row, self.desk, now)

    def heard(self, conversation_id: str, *, urgent: bool) -> Place | None:
        """The citizen spoke while no assistant answers: whoever has the conversation is told.

        Returns the place in the queue where it waits and this is the first word since it was asked; else None.
        """
        now = self._clock.now()
        place = None
        with self._store.write() as work:
            row = self._open(work, conversation_id)
            if row is None:
                return None
            if urgent and not row.urgent:
                row.urgent = True
                work.audit("citizen", "handoff.urgent", conversation_id)
            whose = row.operator_id
            if row.state == "person":
                row.unanswered_since = row.unanswered_since or now
            elif not row.noticed:
                row.noticed = True
                work.session.flush()
                place = place_of(work.session, row, self.desk, now)
        self._announce(DESK if whose is None or urgent else desk_of(whose))
        return place

    def withdraw(self, conversation_id: str) -> bool:
        """The citizen waits no longer; False where he does not wait (a person was quicker)."""
        now = self._clock.now()
        with self._store.write() as work:
            conversation = conversations.locked_conversation(work.session, conversation_id)
            if conversation is None or conversation.holder != Holder.WAITING:
                return False
            row = repository.open_of(work.session, conversation_id, Kind.LIVE)
            move(work.session, conversation, HoldingAct.WITHDRAW, now)
            if row is not None:
                row.version += 1
                row.state, row.ended_at, row.outcome = "done", now, "withdrawn"
            work.audit("citizen", "handoff.withdraw", conversation_id)
        self._announce(DESK)
        return True

    def leave_message(self, ask: Ask) -> Due | None:
        """Leaves a message, or adds to the one that is still open; the deadline in working time, None without one."""
        now = self._clock.now()
        queue = self.desk.queue_for(ask.department)
        due = after_working_time(now, self.desk.limits.message, queue.hours, self._calendar)
        if ask.urgent:
            due = Due(now + URGENT_WITHIN, provisional=False)
        with self._store.write() as work:
            if conversations.locked_conversation(work.session, ask.conversation_id) is None:
                return None
            row = repository.open_of(work.session, ask.conversation_id, Kind.MESSAGE)
            if row is None:
                row = HandoffRow(
                    conversation_id=ask.conversation_id,
                    kind=Kind.MESSAGE,
                    state="waiting",
                    reason=ask.reason,
                    queue=queue.name,
                    urgent=ask.urgent,
                    text=ask.text,
                    asked_at=now,
                    due_at=due.at if due else None,
                    provisional=due.provisional if due else False,
                )
                work.session.add(row)
            elif ask.text not in row.text:
                row.text = f"{row.text}\n{ask.text}"
                row.urgent = row.urgent or ask.urgent
                row.version += 1
            if due and row.due_at and due.at < row.due_at:
                row.due_at = due.at
            kept = Due(row.due_at, row.provisional) if row.due_at else None
            work.audit("citizen", "handoff.message", ask.conversation_id, {"reason": ask.reason, "urgent": ask.urgent})
        self._announce(DESK)
        if ask.urgent:
            log.warning("urgent_message", conversation=ask.conversation_id[:8])
        return kept

    def failed_before(self, conversation_id: str, outcome: str) -> bool:
        """Whether ``outcome`` is another failure in a row."""
        with self._store.read() as session:
            last = conversations.last_events(session, conversation_id, "bot", 1)
            return calls_for_person([*(str(event.payload.get("outcome")) for event in last), outcome])

    @staticmethod
    def _open(work: UnitOfWork, conversation_id: str) -> HandoffRow | None:
        if conversations.locked_conversation(work.session, conversation_id) is None:
            return None
        return repository.open_of(work.session, conversation_id, Kind.LIVE)
