"""Use cases of conversations: taking a message in once, keeping the focus, writing and reading the log."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import text as texts
from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.conversations import repository
from bot.conversations.model import Event, Focus, Reply, Turn
from bot.conversations.tables import ConversationRow, EventRow, TurnRow
from bot.errors import Conflict, InvalidInput, NotFound
from bot.settings import Settings
from bot.store import Store

__all__ = ["ConversationService", "Event", "Turn", "conversation_of"]

LONGEST_TEXT = texts.LONGEST
LONGEST_MESSAGE_ID = 128
LEASE = timedelta(seconds=30)
"""How long a turn may be in work before another process may take it over."""
UNGUESSABLE = 16
"""Length from which a client's identifier is taken to be its own and nobody else's."""
MOST_EVENTS = 500
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_KEPT = "\n\t\u200d"
"""Invisible characters that stay: line breaks, and the joiner inside emoji."""


class ConversationService:
    """Conversations in the store. Every method is one transaction and may be called from any thread."""

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._session_turns = settings.session_turns
        self._phrases = Phrases(settings.city_name, settings.hotline)

    def begin(
        self,
        conversation_id: str | None,
        client_message_id: str | None,
        text: str,
        channel: str,
        *,
        origin: str = "",
    ) -> Turn:
        """Takes a message in; without a conversation it opens one.

        A message sent again under its ``client_message_id`` comes back with its reply (``answered``), or ``busy`` while
        that is being made; nothing is done twice. ``origin`` (say, the client's address) keeps apart first messages of
        different people who chose the same identifier. Raises InvalidInput for a text that is blank or too long,
        NotFound for an unknown conversation, Conflict for an identifier used for another text.
        """
        text = self._checked(text, client_message_id)
        digest = _digest(text)
        opening = _opening_key(channel, origin, client_message_id, text) if client_message_id else None
        try:
            with self._store.write() as work:
                return self._begin(work.session, conversation_id, client_message_id, text, channel, digest, opening)
        except IntegrityError:
            # Two processes took in the same first message at once: the other was first, so it is found now.
            with self._store.write() as work:
                return self._begin(work.session, conversation_id, client_message_id, text, channel, digest, opening)

    def finish(self, turn: Turn, reply: Reply, focus: Focus) -> list[Event]:
        """Writes the reply, its event and the new focus together; once answered, a turn stays as it is."""
        now = self._clock.now()
        with self._store.write() as work:
            session = work.session
            conversation = self._locked(session, turn.conversation_id)
            row = repository.turn(session, turn.id)
            if row is None or row.state == "done":
                return []
            row.state, row.reply, row.finished_at = "done", reply.to_dict(), now
            payload = {"turn_id": turn.id, "client_message_id": row.client_message_id, **reply.to_dict()}
            event = repository.add_event(session, conversation, "bot", payload, now)
            conversation.focus = focus.to_dict()
            conversation.updated_at = now
            if conversation.open_turn == turn.id:
                conversation.open_turn = conversation.open_until = None
            return [_event(event)]

    def abandon(self, turn: Turn) -> None:
        """Gives the turn up after a fault, so that the message can be sent again at once."""
        with self._store.write() as work:
            conversation = repository.locked_conversation(work.session, turn.conversation_id)
            if conversation is not None and conversation.open_turn == turn.id:
                conversation.open_turn = conversation.open_until = None

    def focus(self, conversation_id: str) -> Focus:
        """What the conversation is about now; an empty focus for one that is unknown."""
        with self._store.read() as session:
            row = repository.conversation(session, conversation_id)
            return Focus.from_dict(row.focus if row else None)

    def record_focus(self, conversation_id: str, focus: Focus) -> None:
        """Sets the focus outside a turn. Raises NotFound."""
        with self._store.write() as work:
            self._locked(work.session, conversation_id).focus = focus.to_dict()

    def reply_of(self, turn_id: str) -> Reply | None:
        """The reply given in a turn, or None while there is none."""
        with self._store.read() as session:
            row = repository.turn(session, turn_id)
            return Reply.from_dict(row.reply) if row and row.reply else None

    def exists(self, conversation_id: str) -> bool:
        with self._store.read() as session:
            return repository.conversation(session, conversation_id) is not None

    def events(self, conversation_id: str, after: int = 0, limit: int = 100) -> list[Event]:
        """The log after event number ``after``, oldest first. Raises NotFound."""
        with self._store.read() as session:
            if repository.conversation(session, conversation_id) is None:
                raise self._unknown()
            rows = repository.events_after(session, conversation_id, max(after, 0), min(max(limit, 1), MOST_EVENTS))
            return [_event(row) for row in rows]

    # -- inside one transaction ------------------------------------------------------------------------------------

    def _begin(
        self,
        session: Session,
        conversation_id: str | None,
        client_message_id: str | None,
        text: str,
        channel: str,
        digest: str,
        opening: str | None,
    ) -> Turn:
        now = self._clock.now()
        earlier: TurnRow | None = None
        if conversation_id is None:
            earlier = repository.turn_of_opening(session, opening) if opening else None
            if earlier is None:
                conversation = _new_conversation(session, channel, now)
            else:
                conversation = self._locked(session, earlier.conversation_id)
        else:
            opening = None
            conversation = self._locked(session, conversation_id)
            if client_message_id:
                earlier = repository.turn_of_message(session, conversation_id, client_message_id)
        if earlier is not None and earlier.digest != digest:
            raise self._reused()
        if earlier is not None and earlier.state == "done":
            reply = Reply.from_dict(earlier.reply or {})
            return self._turn(conversation, earlier, text, "answered", reply)
        busy = conversation.open_until is not None and conversation.open_until > now
        if busy:
            return Turn("", conversation.id, "", text, Focus(), "busy")
        if earlier is None:
            earlier = self._take_in(session, conversation, client_message_id, opening, text, digest, now)
        conversation.open_turn, conversation.open_until = earlier.id, now + LEASE
        conversation.updated_at = now
        session.flush()
        return self._turn(conversation, earlier, text, "mine")

    @staticmethod
    def _take_in(
        session: Session,
        conversation: ConversationRow,
        client_message_id: str | None,
        opening: str | None,
        text: str,
        digest: str,
        now: datetime,
    ) -> TurnRow:
        row = TurnRow(
            id=secrets.token_urlsafe(16),
            conversation_id=conversation.id,
            client_message_id=client_message_id,
            opening_key=opening,
            digest=digest,
            state="open",
            created_at=now,
        )
        session.add(row)
        conversation.turns += 1
        payload: dict[str, Any] = {"turn_id": row.id, "client_message_id": client_message_id, "text": text}
        repository.add_event(session, conversation, "citizen", payload, now)
        return row

    def _turn(
        self,
        conversation: ConversationRow,
        row: TurnRow,
        text: str,
        state: Any,
        reply: Reply | None = None,
    ) -> Turn:
        epoch = max(conversation.turns - 1, 0) // self._session_turns
        return Turn(
            id=row.id,
            conversation_id=conversation.id,
            sender=f"{conversation.id}.{epoch}",
            text=text,
            focus=Focus.from_dict(conversation.focus),
            state=state,
            reply=reply,
        )

    def _locked(self, session: Session, conversation_id: str) -> ConversationRow:
        row = repository.locked_conversation(session, conversation_id)
        if row is None:
            raise self._unknown()
        return row

    def _checked(self, text: str, client_message_id: str | None) -> str:
        """The text without control characters; raises InvalidInput where it cannot be answered."""
        say = self._phrases.say
        if client_message_id is not None and not 0 < len(client_message_id) <= LONGEST_MESSAGE_ID:
            raise InvalidInput(
                say("input.message_id"),
                code="bad_message_id",
                remedy=say("input.message_id_remedy", limit=LONGEST_MESSAGE_ID),
            )
        if texts.is_blank(text):
            raise InvalidInput(say("input.blank"), code="blank_text", remedy=say("input.blank_remedy"))
        if len(text) > LONGEST_TEXT:
            raise InvalidInput(
                say("input.long", length=len(text), limit=LONGEST_TEXT),
                code="text_too_long",
                remedy=say("input.long_remedy"),
            )
        return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _INVISIBLE).strip()

    def _unknown(self) -> NotFound:
        say = self._phrases.say
        return NotFound(
            say("input.no_conversation"), code="conversation_not_found", remedy=say("input.no_conversation_remedy")
        )

    def _reused(self) -> Conflict:
        say = self._phrases.say
        return Conflict(say("input.reused_id"), code="message_id_reused", remedy=say("input.reused_id_remedy"))


def conversation_of(sender: str) -> str:
    """The conversation that Rasa knows as ``sender``."""
    return sender.partition(".")[0]


def _new_conversation(session: Session, channel: str, now: datetime) -> ConversationRow:
    row = ConversationRow(
        id=secrets.token_urlsafe(24),
        channel=channel,
        created_at=now,
        updated_at=now,
        focus=Focus().to_dict(),
        turns=0,
        last_event=0,
    )
    session.add(row)
    session.flush()
    return row


def _opening_key(channel: str, origin: str, client_message_id: str, text: str) -> str:
    """Finds a first message again. A guessable identifier only counts from the same origin."""
    return _digest(channel, origin if len(client_message_id) < UNGUESSABLE else "", client_message_id, text)


def _digest(*parts: str | None) -> str:
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


def _event(row: EventRow) -> Event:
    return Event(row.number, row.kind, row.at, row.payload)
