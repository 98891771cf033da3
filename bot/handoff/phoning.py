"""Calls on the telephone: an operator writes down what the caller says; the rest is as in every conversation."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.clock import Clock
from bot.conversations import repository as conversations
from bot.conversations.holding import HoldingAct
from bot.conversations.moving import hear, move, new_conversation
from bot.errors import InvalidInput
from bot.handoff import repository
from bot.handoff.calling import DESK, desk_of
from bot.handoff.desk import Desk
from bot.handoff.model import LONGEST_REPLY, PHONE, Kind, Reason
from bot.handoff.steps import checked, gone, unknown
from bot.handoff.tables import HandoffRow
from bot.people.model import Account
from bot.store import Store
from bot.store.sealed import Sealer

_NUMBER = re.compile(r"\+?\d{3,15}")
_APART = re.compile(r"[\s\-()（）]")
_PURPOSE = "caller"


class Phoning:
    """Telephone calls in the store. Every method is one transaction."""

    def __init__(
        self, store: Store, clock: Clock, desk: Desk, sealer: Sealer, announce: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._sealer = sealer
        self._announce = announce

    def open(self, operator: Account, number: str = "") -> str:
        """A conversation with somebody on the telephone, which ``operator`` has; its id.

        ``number``: the caller's, empty where it is withheld; it is kept sealed. The limit of parallel conversations
        does not count: the telephone has rung. Raises InvalidInput.
        """
        number = _APART.sub("", number)
        if number and not _NUMBER.fullmatch(number):
            raise InvalidInput(
                "来电号码不对。", code="caller_invalid", remedy="只写数字，3 到 15 位；不知道号码可以空着。"
            )
        now = self._clock.now()
        with self._store.write() as work:
            conversation = new_conversation(PHONE, None, now)
            work.session.add(conversation)
            work.session.flush()
            row = HandoffRow(
                conversation_id=conversation.id,
                kind=Kind.LIVE,
                state="person",
                reason=Reason.PHONED,
                queue=self._desk.queues[0].name,
                text="",
                operator_id=operator.id,
                had=[operator.id],
                asked_at=now,
                taken_at=now,
                first_reply_at=now,
            )
            work.session.add(row)
            work.session.flush()
            if number:
                row.caller = self._sealer.seal(number, self._place(row.id))
                row.caller_index = self._sealer.index(_PURPOSE, number)
            move(work.session, conversation, HoldingAct.STEP_IN, now)
            work.audit(operator.username, "handoff.phone", conversation.id, {"handoff": row.id})
            conversation_id = conversation.id
        self._announce(DESK)
        return conversation_id

    def said(self, handoff_id: int, operator: Account, text: str) -> int:
        """What the caller said, as the operator writes it down; the event's number. Raises as a reply does."""
        text = checked(text, LONGEST_REPLY, "来电内容")
        with self._store.write() as work:
            found = repository.by_id(work.session, handoff_id)
            conversation = conversations.locked_conversation(work.session, found.conversation_id) if found else None
            if found is None or conversation is None or conversation.channel != PHONE:
                raise unknown()
            work.session.refresh(found, with_for_update=True)
            if found.state != "person" or found.operator_id != operator.id:
                raise gone(work.session, found)
            event = hear(work.session, conversation, text, self._clock.now(), operator.display_name)
            found.seen_event = event.number
            found.text = found.text or text[:500]
            work.audit(operator.username, "handoff.heard", conversation.id, {"event": event.number})
            number = event.number
        self._announce(found.conversation_id)
        self._announce(desk_of(operator.id))
        return number

    def caller(self, handoff_id: int) -> str | None:
        """The caller's number, for filing with it and for calling back; None where it is not known."""
        with self._store.read() as session:
            row = repository.by_id(session, handoff_id)
            return self.number_of(row) if row is not None else None

    def number_of(self, row: HandoffRow) -> str | None:
        """The caller's number of a call that was read."""
        return self._sealer.open(row.caller, self._place(row.id)) if row.caller else None

    def earlier(self, handoff_id: int, limit: int = 10) -> list[str]:
        """The conversations of earlier calls from the same number, latest first."""
        number = self.caller(handoff_id)
        if number is None:
            return []
        with self._store.read() as session:
            return repository.calls_from(session, self._sealer.indexes(_PURPOSE, number), handoff_id, limit)

    @staticmethod
    def _place(handoff_id: int) -> str:
        return f"handoffs:{handoff_id}:caller"
