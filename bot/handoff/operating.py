"""Use cases of operators: taking a conversation, talking in it, handing it on, giving it back, closing it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.conversations import repository as conversations
from bot.conversations.holding import HoldingAct
from bot.conversations.model import Focus
from bot.conversations.moving import move, say
from bot.conversations.tables import ConversationRow
from bot.errors import Conflict, InvalidInput
from bot.handoff import repository
from bot.handoff.calling import DESK, desk_of
from bot.handoff.desk import Desk
from bot.handoff.model import LONGEST_NOTE, LONGEST_REPLY, OUTCOME_NAMES, PHONE, Kind, Reason
from bot.handoff.rights import Rights, not_his, serves
from bot.handoff.satisfaction import Satisfaction
from bot.handoff.steps import add_note, checked, gone, no_aim, requeue, unknown
from bot.handoff.tables import HandoffRow
from bot.people.model import Account, Role
from bot.store import Store, UnitOfWork

REPLY_TOPIC = "handoff.reply"
"""Outbox: a person's word that has to leave by the citizen's channel. Payload: conversation_id, event."""


class Operating:
    """What operators do. Every method is one transaction: change, log, audit row and outbox message together."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        desk: Desk,
        phrases: Phrases,
        satisfaction: Satisfaction,
        rights: Rights,
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._phrases = phrases
        self._satisfaction = satisfaction
        self._rights = rights
        self._announce = announce

    # -- taking --------------------------------------------------------------------------------------------------------

    def take(self, handoff_id: int, operator: Account) -> str:
        """Gives a waiting call to ``operator``; of several at once one gets it. Returns the conversation's id.

        Raises Conflict that names who has it, or that says that the operator has enough; Forbidden (not of his queues);
        NotFound.
        """
        now = self._clock.now()
        with self._store.write() as work:
            row, conversation = self._locked(work.session, handoff_id)
            if row.state == "person" and row.operator_id == operator.id:
                return conversation.id
            if row.state != "waiting":
                raise gone(work.session, row)
            asked = row.wanted_id == operator.id
            if operator.role is not Role.SUPERVISOR and not asked and not serves(self._desk, row, operator):
                raise not_his()
            self._check_room(work.session, operator, row)
            values: dict[str, Any] = {
                "state": "person",
                "operator_id": operator.id,
                "had": _with(row.had, operator),
                "wanted_id": None,
                "offered_until": None,
                "taken_at": row.taken_at or now,
                "unanswered_since": now,
                "reminded_at": None,
            }
            if not repository.change(work.session, row, row.version, values):
                raise gone(work.session, row)
            if row.kind == Kind.LIVE:
                self._moved(work, conversation, HoldingAct.TAKE, "taken", now, operator=operator.display_name)
            work.audit(operator.username, "handoff.take", conversation.id, {"handoff": handoff_id})
        self._announce(conversation.id)
        self._announce(DESK)
        return conversation.id

    def step_in(self, conversation_id: str, operator: Account) -> int:
        """Takes a conversation that the assistant has. Returns the call's number.

        Raises NotFound, Forbidden (he may not step into this one), Conflict.
        """
        now = self._clock.now()
        with self._store.write() as work:
            conversation = conversations.locked_conversation(work.session, conversation_id)
            if conversation is None:
                raise unknown()
            if not self._rights.may_step_in(work.session, conversation, operator):
                raise not_his()
            row = HandoffRow(
                conversation_id=conversation_id,
                kind=Kind.LIVE,
                state="person",
                reason=Reason.STEPPED_IN,
                queue=self._desk.queues[0].name,
                text="",
                operator_id=operator.id,
                had=[operator.id],
                asked_at=now,
                taken_at=now,
            )
            self._check_room(work.session, operator, row)
            self._moved(work, conversation, HoldingAct.STEP_IN, "taken", now, operator=operator.display_name)
            work.session.add(row)
            work.session.flush()
            work.audit(operator.username, "handoff.step_in", conversation_id)
            number = row.id
        self._announce(conversation_id)
        self._announce(DESK)
        return number

    def take_over(self, handoff_id: int, supervisor: Account) -> str:
        """A supervisor takes a conversation out of an operator's hands. Returns its id. Raises Conflict, NotFound."""
        now = self._clock.now()
        with self._store.write() as work:
            row, conversation = self._locked(work.session, handoff_id)
            if row.state != "person" or row.operator_id == supervisor.id or supervisor.role is not Role.SUPERVISOR:
                raise gone(work.session, row)
            before = row.operator_id
            values = {"operator_id": supervisor.id, "had": _with(row.had, supervisor), "reminded_at": None}
            if not repository.change(work.session, row, row.version, values):
                raise gone(work.session, row)
            if row.kind == Kind.LIVE:
                self._moved(work, conversation, HoldingAct.TAKE, "taken", now, operator=supervisor.display_name)
            add_note(work.session, row, "system", "system", f"督办员{supervisor.display_name}接过了这个对话。", now)
            work.audit(supervisor.username, "handoff.take_over", conversation.id, {"handoff": row.id, "from": before})
        self._announce(conversation.id)
        self._announce(DESK)
        return conversation.id

    # -- talking -------------------------------------------------------------------------------------------------------

    def reply(
        self,
        handoff_id: int,
        operator: Account,
        text: str,
        reply_id: str | None = None,
        card: Mapping[str, Any] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> int:
        """Says ``text`` to the citizen; the event's number. The same ``reply_id`` again says nothing twice.

        ``card``: the same as a slip; ``more``: what the event says besides. To a message this is the answer, and closes
        it. Raises InvalidInput, Conflict (not his), NotFound.
        """
        text = checked(text, LONGEST_REPLY, "回复")
        now = self._clock.now()
        with self._store.write() as work:
            row, conversation = self._locked(work.session, handoff_id)
            earlier = self._said_before(work.session, conversation.id, reply_id)
            if earlier is not None:
                return earlier
            self._check_his(work.session, row, operator)
            key = reply_id or secrets.token_hex(8)
            live = row.kind == Kind.LIVE
            name, kept = operator.display_name, {"reply_id": key, **(more or {})}
            event = say(work.session, conversation, text, name, now, silences=live, more=kept, card=card)
            row.first_reply_at = row.first_reply_at or now
            row.unanswered_since = row.reminded_at = None
            row.seen_event = event.number
            if not live:
                repository.change(
                    work.session, row, row.version, {"state": "done", "ended_at": now, "outcome": "answered"}
                )
            if conversation.citizen is not None:
                payload = {"conversation_id": conversation.id, "event": event.number}
                work.emit(REPLY_TOPIC, conversation.id, payload)
            work.audit(operator.username, "handoff.reply", conversation.id, {"event": event.number})
            number = event.number
        self._announce(conversation.id)
        self._announce(desk_of(operator.id) if live else DESK)
        return number

    # -- giving away ---------------------------------------------------------------------------------------------------

    def transfer(
        self, handoff_id: int, operator: Account, note: str, *, queue: str | None = None, to: int | None = None
    ) -> None:
        """Hands a conversation on, to a ``queue`` or to the colleague ``to``, with a note; it keeps its place in time.

        Raises InvalidInput (no note, no aim, no such aim), Conflict, NotFound.
        """
        note = checked(note, LONGEST_NOTE, "转接说明")
        now = self._clock.now()
        known = {each.name for each in self._desk.queues}
        if (queue is None) == (to is None) or (queue is not None and queue not in known):
            raise no_aim()
        with self._store.write() as work:
            row, conversation = self._locked(work.session, handoff_id)
            self._check_his(work.session, row, operator)
            if to is not None and not self._is_colleague(work.session, to, operator):
                raise no_aim()
            values = {"queue": queue or row.queue, "wanted_id": to, "offered_until": None, "passed": [operator.id]}
            self._requeued(work, row, conversation, values, "handed_on", now)
            add_note(work.session, row, operator.display_name, "transfer", note, now)
            details = {"handoff": handoff_id, "queue": queue, "to": to}
            work.audit(operator.username, "handoff.transfer", conversation.id, details)
        self._announce(conversation.id)
        self._announce(DESK)

    def give_back(self, handoff_id: int, operator: Account, matter: str | None = None) -> None:
        """Returns the conversation to the assistant, which speaks again; ``matter``: what it is about from now on.

        Raises Conflict, NotFound.
        """
        self._end(handoff_id, operator, HoldingAct.GIVE_BACK, "given_back", "returned", matter)

    def close(self, handoff_id: int, operator: Account, outcome: str) -> None:
        """Ends the conversation with an outcome. Raises InvalidInput, Conflict, NotFound."""
        if outcome not in OUTCOME_NAMES:
            raise InvalidInput("请选择处理结果。", code="no_outcome", remedy="从列表里选一个结果再结束。")
        self._end(handoff_id, operator, HoldingAct.CLOSE, "closed", outcome, None)

    def _end(
        self, handoff_id: int, operator: Account, act: HoldingAct, phrase: str, outcome: str, matter: str | None
    ) -> None:
        now = self._clock.now()
        with self._store.write() as work:
            row, conversation = self._locked(work.session, handoff_id)
            self._check_his(work.session, row, operator)
            if conversation.channel == PHONE and act is HoldingAct.GIVE_BACK:
                raise InvalidInput(
                    "电话里的对话不能交回问办。", code="phone_call", remedy="请选处理结果，结束这次来电。"
                )
            asked = None
            if row.kind == Kind.LIVE:
                self._moved(work, conversation, act, phrase, now)
                unit = self._desk.queue(row.queue).title
                asked = self._satisfaction.ask(work, row, conversation, operator, unit, now)
                if matter:
                    focus = Focus.from_dict(conversation.focus)
                    conversation.focus = replace(focus, matter=matter, facets=(), pending=None, skill=None).to_dict()
            values = {"state": "done", "ended_at": now, "outcome": outcome, "unanswered_since": None}
            if not repository.change(work.session, row, row.version, values):
                raise gone(work.session, row)
            if asked is not None and conversation.citizen is not None:
                work.emit(REPLY_TOPIC, conversation.id, {"conversation_id": conversation.id, "event": asked})
            work.audit(operator.username, f"handoff.{act.value}", conversation.id, {"outcome": outcome})
        self._announce(conversation.id)
        self._announce(DESK)

    # -- inside one transaction ----------------------------------------------------------------------------------------

    def _locked(self, session: Session, handoff_id: int) -> tuple[HandoffRow, ConversationRow]:
        """The call and its conversation, which is locked first everywhere."""
        found = repository.by_id(session, handoff_id)
        conversation = conversations.locked_conversation(session, found.conversation_id) if found else None
        if found is None or conversation is None:
            raise unknown()
        session.refresh(found, with_for_update=True)
        return found, conversation

    def _moved(
        self,
        work: UnitOfWork,
        conversation: ConversationRow,
        act: HoldingAct,
        phrase: str,
        now: datetime,
        **values: str,
    ) -> None:
        move(work.session, conversation, act, now, {"text": self._phrases.say(f"handoff.{phrase}", **values)})

    def _requeued(
        self,
        work: UnitOfWork,
        row: HandoffRow,
        conversation: ConversationRow,
        values: Mapping[str, Any],
        phrase: str,
        now: datetime,
    ) -> None:
        requeue(work.session, row, conversation, values, now, self._phrases.say(f"handoff.{phrase}"))

    def _check_room(self, session: Session, operator: Account, row: HandoffRow) -> None:
        most = self._desk.limits.parallel
        repository.locked_account(session, operator.id)
        if row.kind == Kind.LIVE and not row.urgent and repository.holding(session).get(operator.id, 0) >= most:
            raise Conflict(
                f"您手上已有 {most} 个对话，没有接。", code="too_many_conversations", remedy="请先结束或转出一个再接。"
            )

    @staticmethod
    def _check_his(session: Session, row: HandoffRow, operator: Account) -> None:
        if row.state != "person" or row.operator_id != operator.id:
            raise gone(session, row)

    @staticmethod
    def _is_colleague(session: Session, account_id: int, operator: Account) -> bool:
        account = repository.locked_account(session, account_id)
        fits = account is not None and account.active and account.role == Role.OPERATOR
        return fits and account_id != operator.id

    @staticmethod
    def _said_before(session: Session, conversation_id: str, reply_id: str | None) -> int | None:
        if reply_id is None:
            return None
        latest = conversations.last_events(session, conversation_id, "person", 20)
        return next((event.number for event in latest if event.payload.get("reply_id") == reply_id), None)


def _with(had: Sequence[int], operator: Account) -> list[int]:
    """Who had the call, with ``operator``."""
    return list(dict.fromkeys([*had, operator.id]))
