"""What happens to calls by time: operators are asked, conversations go back, citizens hear where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from bot.answers.compose import Offer
from bot.answers.phrases import Phrases
from bot.conversations import repository as conversations
from bot.conversations.answering import choices_message
from bot.conversations.holding import Holder, HoldingAct
from bot.conversations.model import Focus, Reply, SkillState, with_skill
from bot.conversations.moving import move
from bot.conversations.tables import ConversationRow
from bot.errors import Conflict
from bot.handoff import repository
from bot.handoff.calling import DESK
from bot.handoff.desk import Desk
from bot.handoff.model import PHONE, Kind, Presence, Step, in_order, moved_up, watched
from bot.handoff.offering import candidates, fairest, offer, offer_is_over
from bot.handoff.operating import REPLY_TOPIC
from bot.handoff.skill import NAME
from bot.handoff.staff import call_of, gone_since, place_of, present_as
from bot.handoff.steps import add_note, requeue
from bot.handoff.tables import HandoffRow, PresenceRow
from bot.people.tables import AccountRow
from bot.store import Store, UnitOfWork

log = structlog.get_logger("wenban.handoff")

SYSTEM = "system"
_Step = Callable[[UnitOfWork, HandoffRow, ConversationRow, datetime], None]


class Watch:
    """The worker's eye on the desk. :meth:`run` is idempotent: what was done is not due any more."""

    def __init__(
        self, store: Store, desk: Desk, phrases: Phrases, announce: Callable[[str], None] = lambda _: None
    ) -> None:
        self._announce = announce
        self._store = store
        self._desk = desk
        self._phrases = phrases

    def run(self, now: datetime) -> None:
        """Looks at every call once, reading; each change that is due is a transaction of its own, and a call that moved
        on is left.
        """
        with self._store.read() as session:
            presences = repository.presences(session)
            held = [row.id for row in repository.held(session) if self._step(row, presences, now) is not Step.NOTHING]
            waiting = self._waiting_due(session, now)
        for number in held:
            self._guarded(self._held, number, now)
        for number in waiting:
            self._guarded(self._waiting, number, now)

    def _waiting_due(self, session: Session, now: datetime) -> list[int]:
        """The waiting calls about which something is to be done, found in one pass over all of them."""
        limits, staff = self._desk.limits, repository.operators(session)
        by_queue: dict[str, list[HandoffRow]] = {}
        for row in repository.waiting(session):
            by_queue.setdefault(row.queue, []).append(row)
        due = []
        for name, rows in by_queue.items():
            queue = self._desk.queue(name)
            there = candidates(session, queue, now) if limits.offer else []
            places = {call.id: place for place, call in enumerate(in_order([call_of(row) for row in rows]), 1)}
            for row in rows:
                alone = self._alone_since(staff, row, now)
                over = alone is not None and now >= alone + limits.alone
                free = row.wanted_id is None and fairest(there, row.passed, limits.parallel) is not None
                if over or free or offer_is_over(row, now) or moved_up(row.position, places[row.id]):
                    due.append(row.id)
        return due

    def not_delivered(self, conversation_id: str, reason: str, now: datetime) -> None:
        """A person's word did not reach the citizen: whoever has the conversation is told, in the thread."""
        with self._store.write() as work:
            full = repository.latest_of(work.session, conversation_id)
            if full is None:
                return
            text = f"上一条没有送到市民：{reason}。请换个办法联系，或等市民再来消息。"
            add_note(work.session, full[0], SYSTEM, SYSTEM, text, now)
        self._announce(conversation_id)
        self._announce(DESK)

    def _guarded(self, step: _Step, number: int, now: datetime) -> None:
        try:
            with self._store.write() as work:
                row = repository.by_id(work.session, number)
                conversation = conversations.locked_conversation(work.session, row.conversation_id) if row else None
                if row is not None and conversation is not None:
                    work.session.refresh(row, with_for_update=True)
                    step(work, row, conversation, now)
            if row is not None:
                self._announce(row.conversation_id)
                self._announce(DESK)
        except Conflict as conflict:
            log.info("handoff_moved_on", handoff=number, reason=conflict.message)

    # -- conversations that a person has -------------------------------------------------------------------------------

    def _step(self, row: HandoffRow, presences: Mapping[int, PresenceRow], now: datetime) -> Step:
        if row.operator_id is None:
            return Step.NOTHING
        gone = gone_since(presences.get(row.operator_id), row.taken_at or row.asked_at, now)
        return watched(call_of(row), self._desk.limits, gone, now)

    def _held(self, work: UnitOfWork, row: HandoffRow, conversation: ConversationRow, now: datetime) -> None:
        if row.state != "person" or row.operator_id is None:
            return
        presences = repository.presences(work.session)
        gone = gone_since(presences.get(row.operator_id), row.taken_at or row.asked_at, now)
        step = self._step(row, presences, now)
        if step is Step.REMIND:
            row.reminded_at = now
            row.version += 1
            add_note(work.session, row, SYSTEM, SYSTEM, "市民在等回复，请回一句；再没有回复将放回队列。", now)
        elif step is Step.REQUEUE and conversation.channel == PHONE:
            self._broken_off(work, row, conversation, HoldingAct.CLOSE, now)
        elif step is Step.REQUEUE:
            why = "坐席离线" if gone is not None else "坐席一直没有回复"
            requeue(work.session, row, conversation, {}, now, self._phrases.say("handoff.requeued"))
            add_note(work.session, row, SYSTEM, SYSTEM, f"{why}，已放回队列。", now)
            work.audit(SYSTEM, "handoff.requeue", conversation.id, {"handoff": row.id, "why": why})
            log.warning("handoff_requeued", handoff=row.id, why=why)

    @staticmethod
    def _broken_off(
        work: UnitOfWork, row: HandoffRow, conversation: ConversationRow, act: HoldingAct, now: datetime
    ) -> None:
        """Nobody is on the telephone any more: there is nobody to give the call to."""
        move(work.session, conversation, act, now)
        repository.change(work.session, row, row.version, {"state": "done", "ended_at": now, "outcome": "broken_off"})
        work.audit(SYSTEM, "handoff.broken_off", conversation.id, {"handoff": row.id})

    # -- conversations that wait ---------------------------------------------------------------------------------------

    def _waiting(self, work: UnitOfWork, row: HandoffRow, conversation: ConversationRow, now: datetime) -> None:
        if row.state != "waiting" or row.kind != Kind.LIVE or conversation.holder != Holder.WAITING:
            return
        alone = self._alone_since(repository.operators(work.session), row, now)
        over = alone is not None and now >= alone + self._desk.limits.alone
        if conversation.channel == PHONE:
            if over:
                self._broken_off(work, row, conversation, HoldingAct.WITHDRAW, now)
            return
        if over:
            self._given_up(work, row, conversation, now)
            return
        if row.wanted_id is None or offer_is_over(row, now):
            offer(work.session, row, self._desk, now)
        place = place_of(work.session, row, self._desk, now)
        if moved_up(row.position, place.position):
            text = self._phrases.say("handoff.moved_up", position=place.position, minutes=place.minutes)
            payload = {"position": place.position, "minutes": place.minutes, "text": text}
            conversations.add_event(work.session, conversation, "notice", payload, now)
            row.position = place.position

    def _alone_since(
        self, staff: Sequence[tuple[AccountRow, PresenceRow | None]], row: HandoffRow, now: datetime
    ) -> datetime | None:
        """Since when nobody is there for the call; None while somebody is."""
        since = row.asked_at
        queue = self._desk.queue(row.queue)
        for account, presence in staff:
            if not queue.serves(account.username) and not row.urgent:
                continue
            if present_as(presence, now) is Presence.ONLINE:
                return None
            if presence is not None:
                since = max(since, gone_since(presence, row.asked_at, now) or presence.since)
        return since

    def _given_up(self, work: UnitOfWork, row: HandoffRow, conversation: ConversationRow, now: datetime) -> None:
        """Nobody will come: the conversation goes back to the assistant, which offers to take a message."""
        move(work.session, conversation, HoldingAct.WITHDRAW, now)
        repository.change(work.session, row, row.version, {"state": "done", "ended_at": now, "outcome": "nobody"})
        leave = self._phrases.say("handoff.leave")
        reply = Reply(
            NAME,
            (
                {"kind": "text", "text": self._phrases.say("handoff.alone")},
                choices_message(self._phrases.say("handoff.choose_leave"), [Offer(leave, leave)]),
            ),
            confidence=1.0,
        )
        payload = {"turn_id": None, "client_message_id": None, **reply.to_dict()}
        event = conversations.add_event(work.session, conversation, "bot", payload, now)
        if conversation.citizen is not None:
            work.emit(REPLY_TOPIC, conversation.id, {"conversation_id": conversation.id, "event": event.number})
        focus = replace(Focus.from_dict(conversation.focus), pending=None)
        conversation.focus = with_skill(focus, SkillState(NAME, {"step": "offered"})).to_dict()
        work.audit(SYSTEM, "handoff.nobody", conversation.id, {"handoff": row.id})
