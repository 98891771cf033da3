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
from bot.conversations.holding import SILENT, Holder, HoldingAct
from bot.conversations.marks import Marks, marks_of
from bot.conversations.model import SILENCE, Event, Focus, Reply, Speaker, Turn
from bot.conversations.moving import move, new_conversation
from bot.conversations.tables import ConversationRow, EventRow, TurnRow
from bot.errors import Conflict, InvalidInput, NotFound
from bot.masking import without_codes
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
        self._in_work: dict[str, Turn] = {}
        """Turns taken in here and not done, by conversation: their lease keeps their standing what it was."""

    def begin(
        self,
        conversation_id: str | None,
        client_message_id: str | None,
        text: str,
        channel: str,
        *,
        origin: str = "",
        citizen: str | None = None,
    ) -> Turn:
        """Takes a message in; without a conversation it opens one.

        A message sent again under its ``client_message_id`` comes back with its reply (``answered``), or ``busy`` while
        that is being made; nothing is done twice. ``origin`` (say, the client's address) keeps apart first messages of
        different people who chose the same identifier. ``citizen``: who is talking, where the channel knows; his
        conversation is unknown to everybody else. Raises InvalidInput for a text that is blank or too long,
        NotFound for an unknown conversation, Conflict for an identifier used for another text.
        """
        text = self._checked(text, client_message_id)
        digest = _digest(text)
        opening = _opening_key(channel, citizen or origin, client_message_id, text) if client_message_id else None
        speaker = Speaker(conversation_id or "", citizen, _digest(citizen or origin) if citizen or origin else "")
        taken_in = (conversation_id, client_message_id, text, channel, speaker, digest, opening)
        try:
            with self._store.write() as work:
                turn = self._begin(work.session, *taken_in)
        except IntegrityError:
            # Two processes took in the same first message at once: the other was first, so it is found now.
            with self._store.write() as work:
                turn = self._begin(work.session, *taken_in)
        if turn.state == "mine":
            self._in_work[turn.conversation_id] = turn
        return turn

    def finish(self, turn: Turn, reply: Reply, focus: Focus) -> list[Event]:
        """Writes the reply, its event and the new focus together; once answered, a turn stays as it is.

        An answer made while a person took the conversation, or spoke in it, is dropped: nobody is talked over. What
        counts then is :meth:`reply_of`.
        """
        now = self._clock.now()
        self._out_of_work(turn)
        with self._store.write() as work:
            session = work.session
            found = repository.locked_turn(session, turn.id)
            if found is None:
                return []
            conversation, row = found
            if row.state == "done":
                return []
            if conversation.holder == Holder.PERSON or conversation.person_event > row.event:
                reply, focus = SILENCE, Focus.from_dict(conversation.focus)
            row.state, row.reply, row.finished_at = "done", reply.to_dict(), now
            conversation.focus = focus.to_dict()
            conversation.updated_at = now
            if conversation.open_turn == turn.id:
                conversation.open_turn = conversation.open_until = None
            if not reply.messages:
                return []
            payload = {"turn_id": turn.id, "client_message_id": row.client_message_id, **reply.to_dict()}
            return [_event(repository.add_event(session, conversation, "bot", payload, now))]

    def tell(self, conversation_id: str, reply: Reply) -> Event:
        """Adds to the log what the assistant says without having been asked. Raises NotFound."""
        now = self._clock.now()
        with self._store.write() as work:
            conversation = self._locked(work.session, conversation_id)
            payload = {"turn_id": None, "client_message_id": None, **reply.to_dict()}
            event = repository.add_event(work.session, conversation, "bot", payload, now)
            conversation.updated_at = now
            return _event(event)

    def open(self, channel: str, origin: str = "") -> str:
        """Begins a conversation without a word, for what is not one (a picture); its id."""
        with self._store.write() as work:
            row = new_conversation(channel, None, self._clock.now())
            row.origin = _digest(origin) if origin else None
            work.session.add(row)
            return row.id

    def note(self, conversation_id: str, kind: str, payload: dict[str, Any]) -> Event:
        """Adds a line of another ``kind`` than words to the log. Raises NotFound."""
        now = self._clock.now()
        with self._store.write() as work:
            conversation = self._locked(work.session, conversation_id)
            event = repository.add_event(work.session, conversation, kind, payload, now)
            conversation.updated_at = now
            return _event(event)

    def require_unnamed(self, conversation_id: str) -> Holder:
        """Who holds a conversation that only its id opens. Raises NotFound, also for a known citizen's."""
        with self._store.read() as session:
            row = repository.conversation(session, conversation_id)
            if row is None or row.citizen is not None:
                raise self._unknown()
            return Holder(row.holder)

    def abandon(self, turn: Turn) -> None:
        """Gives the turn up after a fault, so that the message can be sent again at once."""
        self._out_of_work(turn)
        with self._store.write() as work:
            conversation = repository.locked_conversation(work.session, turn.conversation_id)
            if conversation is not None and conversation.open_turn == turn.id:
                conversation.open_turn = conversation.open_until = None

    def focus(self, conversation_id: str) -> Focus:
        """What the conversation is about now; an empty focus for one that is unknown."""
        with self._store.read() as session:
            row = repository.conversation(session, conversation_id)
            return Focus.from_dict(row.focus if row else None)

    def standing(self, conversation_id: str) -> tuple[Focus, Speaker]:
        """What the conversation is about now and who is talking; both empty for one that is unknown."""
        turn = self._in_work.get(conversation_id)
        if turn is not None:
            return turn.focus, turn.speaker
        with self._store.read() as session:
            row = repository.conversation(session, conversation_id)
            return (Focus.from_dict(row.focus), _speaker(row)) if row else (Focus(), Speaker(conversation_id))

    def record_focus(self, conversation_id: str, focus: Focus) -> None:
        """Sets the focus outside a turn. Raises NotFound."""
        self._in_work.pop(conversation_id, None)
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

    def _out_of_work(self, turn: Turn) -> None:
        if self._in_work.get(turn.conversation_id) is turn:
            del self._in_work[turn.conversation_id]

    def follow(self, conversation_id: str, after: int, limit: int = 100) -> tuple[list[Event], Marks]:
        """:meth:`events` with the marks beside them. Raises NotFound."""
        with self._store.read() as session:
            if repository.conversation(session, conversation_id) is None:
                raise self._unknown()
            rows = repository.events_after(session, conversation_id, max(after, 0), min(max(limit, 1), MOST_EVENTS))
            return [_event(row) for row in rows], marks_of(session, conversation_id, self._clock.now())

    # -- inside one transaction ------------------------------------------------------------------------------------

    def _begin(
        self,
        session: Session,
        conversation_id: str | None,
        client_message_id: str | None,
        text: str,
        channel: str,
        speaker: Speaker,
        digest: str,
        opening: str | None,
    ) -> Turn:
        now = self._clock.now()
        earlier: TurnRow | None = None
        if conversation_id is None:
            earlier = repository.turn_of_opening(session, opening) if opening else None
            if earlier is None:
                conversation = new_conversation(channel, speaker.citizen, now)
            else:
                conversation = self._locked(session, earlier.conversation_id)
        else:
            opening = None
            conversation = self._locked(session, conversation_id)
            if conversation.citizen != speaker.citizen:
                raise self._unknown()
            if client_message_id:
                earlier = repository.turn_of_message(session, conversation_id, client_message_id)
        if earlier is not None and earlier.digest != digest:
            raise self._reused()
        if earlier is not None and earlier.state == "done":
            reply = Reply.from_dict(earlier.reply or {})
            return self._turn(conversation, earlier, text, "answered", reply)
        held = Holder(conversation.holder) in SILENT
        busy = conversation.open_until is not None and conversation.open_until > now
        if busy and not held:
            return Turn("", conversation.id, "", text, Focus(), state="busy")
        if conversation.holder == Holder.CLOSED:
            move(session, conversation, HoldingAct.REOPEN, now)
        made: list[TurnRow | EventRow] = []
        if earlier is None:
            earlier, event = self._taken_in(conversation, client_message_id, opening, text, digest, now)
            made = [earlier, event]
        if not held:  # words to a person wait for no answer
            conversation.open_turn, conversation.open_until = earlier.id, now + LEASE
        conversation.updated_at = now
        conversation.origin = speaker.origin or None
        session.add(conversation)
        session.flush()  # a new one before the rows that refer to it
        session.add_all(made)
        session.flush()
        return self._turn(conversation, earlier, text, "mine")

    @staticmethod
    def _taken_in(
        conversation: ConversationRow,
        client_message_id: str | None,
        opening: str | None,
        text: str,
        digest: str,
        now: datetime,
    ) -> tuple[TurnRow, EventRow]:
        """The rows of a new turn, counted in its conversation and not written yet."""
        row = TurnRow(
            id=secrets.token_urlsafe(16),
            conversation_id=conversation.id,
            client_message_id=client_message_id,
            opening_key=opening,
            digest=digest,
            state="open",
            created_at=now,
        )
        conversation.turns += 1
        skill = Focus.from_dict(conversation.focus).skill
        kept = without_codes(text, awaited=skill is not None and skill.awaits_secret)
        payload: dict[str, Any] = {"turn_id": row.id, "client_message_id": client_message_id, "text": kept}
        event = repository.next_event(conversation, "citizen", payload, now)
        row.event = event.number
        return row, event

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
            speaker=_speaker(conversation),
            state=state,
            reply=reply,
            holder=Holder(conversation.holder),
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


def _speaker(row: ConversationRow) -> Speaker:
    return Speaker(row.id, row.citizen, row.origin or "", row.channel)


def _opening_key(channel: str, origin: str, client_message_id: str, text: str) -> str:
    """Finds a first message again. A guessable identifier only counts from the same origin."""
    return _digest(channel, origin if len(client_message_id) < UNGUESSABLE else "", client_message_id, text)


def _digest(*parts: str | None) -> str:
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


def _event(row: EventRow) -> Event:
    return Event(row.number, row.kind, row.at, row.payload)
