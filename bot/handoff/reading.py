"""What the desk shows: queues, own conversations, one conversation with its notes, colleagues."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.conversations import repository as conversations
from bot.conversations.marks import Marks, marks_of
from bot.conversations.model import Event, Focus
from bot.conversations.tables import ConversationRow
from bot.errors import NotFound
from bot.handoff import repository
from bot.handoff.desk import Desk
from bot.handoff.model import Colleague, Handoff, Kind, Note, Reason, in_order
from bot.handoff.phoning import Phoning
from bot.handoff.rights import RECENT, Rights, serves
from bot.handoff.staff import call_of, colleagues, present_as
from bot.masking import masked
from bot.people.model import Account, Role
from bot.store import Store

NO_MARKS = Marks()
MOST_RECENT = 10
"""Conversations with the assistant that the desk lists, for stepping in."""
MOST_LOOKED_THROUGH = 50
"""The latest of them that are looked through for those of the operator's queues."""
MOST_SHOWN = 50
"""Calls of one queue that are drawn, those that come first."""
MOST_EVENTS = 200
"""Latest lines of a conversation that the desk shows."""


@dataclass(frozen=True, slots=True)
class Talking:
    """A conversation that the assistant has; ``text``: what the citizen said last. ``queue``: where it would wait."""

    conversation_id: str
    channel: str
    at: datetime
    text: str
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """What all desks share: the first of what waits in each queue, how many do, who talks to the assistant, who is
    there.
    """

    waiting: Sequence[Handoff]
    counts: Mapping[tuple[str, str], int]
    talking: Sequence[Talking]
    colleagues: Sequence[Colleague]


@dataclass(frozen=True, slots=True)
class Lists:
    """The left side of the desk: what the operator holds (``mine``), what he is asked to take (``offered``), what else
    waits in his queues, with how many do.

    ``held``: what operators have, for supervisors; empty for others.
    """

    mine: Sequence[Handoff]
    offered: Sequence[Handoff]
    waiting: Sequence[Handoff]
    messages: Sequence[Handoff]
    waiting_count: int
    message_count: int
    talking: Sequence[Talking]
    colleagues: Sequence[Colleague]
    held: Sequence[Handoff] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation as an operator reads it. ``handoff``: its latest call; None where there was none."""

    conversation_id: str
    channel: str
    holder: str
    events: Sequence[Event]
    notes: Sequence[Note]
    handoff: Handoff | None
    matter: str | None
    citizen: str | None = None
    """The name the channel vouches for."""
    marks: Marks = NO_MARKS

    @property
    def last_citizen_text(self) -> str:
        """What the citizen said last; empty where nothing was."""
        said = (str(event.payload.get("text", "")) for event in reversed(self.events) if event.kind == "citizen")
        return next(said, "")


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What all desks share, and what each operator has or is asked to take: of each call a tuple that begins with the
    conversation's id.
    """

    shared: tuple[Any, ...]
    own: Mapping[int, Sequence[tuple[Any, ...]]]

    def of(self, operator: Account) -> Sequence[tuple[Any, ...]]:
        return tuple(self.own.get(operator.id, ()))


class Reading:
    """Reads for the desk; changes nothing."""

    def __init__(self, store: Store, clock: Clock, desk: Desk, phoning: Phoning, rights: Rights) -> None:
        self._rights = rights
        self._one_at_a_time = threading.Lock()
        self._read_for: object = None
        self._kept: Queued
        self._store = store
        self._clock = clock
        self._phoning = phoning
        self.desk = desk

    def lists(self, operator: Account) -> Lists:
        """What waits for this operator (for a supervisor: everything), and what he has."""
        mine, offered = self.mine(operator)
        return self.parted(operator, self.queued(), mine, offered)

    def mine(self, operator: Account) -> tuple[Sequence[Handoff], Sequence[Handoff]]:
        """What the operator has, and what he is asked to take, that in the order in which it is taken."""
        with self._store.read() as session:
            held, wanted = repository.all_of(session, operator.id), repository.wanted_of(session, operator.id)
            unread = repository.unread(session, [row.id for row, *_ in (*held, *wanted)])
            mine = [self._handoff(full, unread) for full in held]
            offered = [self._handoff(full, unread) for full in wanted]
        return mine, _in_order(offered)

    def queued(self, shared: object = None) -> Queued:
        """What all desks share; for the same ``shared`` part of a snapshot the same reading."""
        with self._one_at_a_time:
            if shared is None or self._read_for != shared:
                self._kept = self._queued()
                self._read_for = shared
            return self._kept

    def _queued(self) -> Queued:
        now = self._clock.now()
        with self._store.read() as session:
            first = repository.first_waiting(session, MOST_SHOWN)
            unread = repository.unread(session, [row.id for row, *_ in first])
            waiting = [self._handoff(full, unread) for full in first]
            counts = repository.waiting_counts(session)
            spoken = repository.talking_to_bot(session, now - RECENT, MOST_LOOKED_THROUGH)
            talking = [
                Talking(row.id, row.channel, row.updated_at, self._said(session, row.id), self._queue_of(row))
                for row in spoken
            ]
            return Queued(_in_order(waiting), counts, talking, colleagues(session, now))

    def present(self, operator: Account) -> Sequence[Colleague]:
        """The operator himself as colleagues see him; nothing for a supervisor, whom nobody waits for."""
        with self._store.read() as session:
            row = repository.presence(session, operator.id)
            if operator.role is not Role.OPERATOR:
                return ()
            state = present_as(row, self._clock.now())
            why = row.reason if row is not None else ""
            return (Colleague(operator.id, operator.username, operator.display_name, state, why, 0),)

    def parted(
        self, operator: Account, queued: Queued, mine: Sequence[Handoff] = (), offered: Sequence[Handoff] = ()
    ) -> Lists:
        """The operator's part of what all share."""
        supervises = operator.role is Role.SUPERVISOR
        served = {queue.name for queue in self.desk.queues if supervises or queue.serves(operator.username)}
        his = [
            each
            for each in queued.waiting
            if (supervises or serves(self.desk, each.call, operator)) and each.wanted_id != operator.id
        ]
        left = [each for each in his if each.kind is Kind.MESSAGE]
        left.sort(key=lambda each: (not each.call.urgent, each.due_at is None, each.due_at or each.call.asked_at))
        talking = [each for each in queued.talking if each.queue in served]

        def count(kind: Kind) -> int:
            asked = sum(each.kind is kind and each.wanted_id == operator.id for each in queued.waiting)
            every = sum(n for (queue, of), n in queued.counts.items() if of == kind and (not queue or queue in served))
            return every - asked

        return Lists(
            mine=mine,
            offered=offered,
            waiting=[each for each in his if each.kind is Kind.LIVE][:MOST_SHOWN],
            messages=left[:MOST_SHOWN],
            waiting_count=count(Kind.LIVE),
            message_count=count(Kind.MESSAGE),
            talking=talking[:MOST_RECENT],
            colleagues=queued.colleagues,
            held=self._held(operator) if supervises else (),
        )

    def _held(self, supervisor: Account) -> Sequence[Handoff]:
        with self._store.read() as session:
            held = [self._handoff(full) for full in repository.first_held(session, MOST_SHOWN)]
        return [each for each in held if each.operator_id != supervisor.id]

    def thread(self, conversation_id: str) -> Thread:
        """One conversation. Raises NotFound."""
        with self._store.read() as session:
            row = conversations.conversation(session, conversation_id)
            if row is None:
                raise NotFound("没有这个对话。", code="conversation_not_found", remedy="请从列表里重新选一个。")
            after = max(0, row.last_event - MOST_EVENTS)
            events = conversations.events_after(session, conversation_id, after, MOST_EVENTS)
            latest = repository.latest_of(session, conversation_id)
            notes = repository.notes(session, conversation_id)
            return Thread(
                conversation_id,
                row.channel,
                row.holder,
                [Event(each.number, each.kind, each.at, each.payload) for each in events],
                [Note(each.at, each.author, each.kind, each.text) for each in notes],
                self._handoff(latest) if latest else None,
                Focus.from_dict(row.focus).matter,
                row.citizen,
                marks_of(session, conversation_id, self._clock.now()),
            )

    def earlier(self, conversation_id: str, citizen: str | None, calls: Sequence[str], limit: int) -> Sequence[Talking]:
        """The citizen's other conversations, latest first: those the channel knows to be his, and ``calls``."""
        with self._store.read() as session:
            rows = conversations.others_of(session, conversation_id, citizen, calls, limit)
            return [Talking(row.id, row.channel, row.created_at, masked(self._first(session, row.id))) for row in rows]

    def snapshots(self) -> Snapshots:
        """Another value for an operator whenever something changes that his desk shows; one reading for all desks."""
        now = self._clock.now()
        with self._store.read() as session:
            return Snapshots(*repository.snapshots(session, now - self.desk.limits.first_reply, now))

    def last_event(self, conversation_id: str) -> tuple[int, Marks, int]:
        """How far a conversation's log goes, its marks and its latest note; zeros for one that is unknown."""
        with self._store.read() as session:
            row = conversations.conversation(session, conversation_id)
            notes = repository.notes(session, conversation_id)
            marks = marks_of(session, conversation_id, self._clock.now())
            return (row.last_event if row else 0), marks, notes[-1].id if notes else 0

    def _queue_of(self, row: ConversationRow) -> str:
        return self.desk.queue_for(self._rights.department(Focus.from_dict(row.focus).matter)).name

    @staticmethod
    def _said(session: Session, conversation_id: str) -> str:
        last = conversations.last_events(session, conversation_id, "citizen", 1)
        return str(last[0].payload.get("text", "")) if last else ""

    @staticmethod
    def _first(session: Session, conversation_id: str) -> str:
        events = conversations.events_after(session, conversation_id, 0, 3)
        return next((str(event.payload.get("text", "")) for event in events if event.kind == "citizen"), "")

    def _handoff(self, full: repository.Full, unread: Mapping[int, int] | None = None) -> Handoff:
        row, channel, last_event, operator = full
        number = self._phoning.number_of(row)
        return Handoff(
            call=call_of(row),
            conversation_id=row.conversation_id,
            channel=channel,
            kind=Kind(row.kind),
            state=row.state,
            version=row.version,
            reason=Reason(row.reason),
            text=row.text,
            operator_id=row.operator_id,
            operator=operator,
            wanted_id=row.wanted_id,
            due_at=row.due_at,
            provisional=row.provisional,
            unread=(unread or {}).get(row.id, 0),
            outcome=row.outcome,
            queue_title=self.desk.queue(row.queue).title,
            tags=tuple(row.tags),
            offered=row.offered_until is not None,
            caller=masked(number) if number else None,
            last_event=last_event,
            salutation=row.salutation,
        )


def _in_order(waiting: Sequence[Handoff]) -> list[Handoff]:
    place = {call.id: at for at, call in enumerate(in_order([each.call for each in waiting]))}
    return sorted(waiting, key=lambda each: place[each.call.id])
