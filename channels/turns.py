"""One citizen turn from beginning to end: take it in, let Rasa answer, else answer ourselves, write it down, tell.

Every channel uses this: the API, the page, the terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from actions.base import unpacked
from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.conversations.assistant import Assistant
from bot.conversations.delivery import Deliveries
from bot.conversations.holding import SILENT
from bot.conversations.model import SILENCE, Answer, Focus, Reply, Turn
from bot.conversations.reading import read
from bot.conversations.service import ConversationService
from bot.errors import Unavailable, WenbanError
from bot.masking import masked, without_codes
from bot.text import normalise
from channels.rasa_client import spoken

log = structlog.get_logger("wenban.turns")

BUSY_SECONDS = 35.0
"""How long a message waits for the one before it in the same conversation; longer than a turn's lease."""
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25


class Dialogue(Protocol):
    """Rasa, as far as a turn needs it."""

    async def turn(self, conversation_id: str, text: str, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The custom payloads of the reply; raises where Rasa is down or says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What a citizen sent."""

    text: str
    conversation_id: str | None = None
    client_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply to it. ``repeated``: the same message had been answered before."""

    conversation_id: str
    reply: Reply
    repeated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The body of ``POST /api/v1/chat``."""
        return {"conversation_id": self.conversation_id, **self.reply.to_dict()}


class Turns:
    """Takes turns. ``dialogue`` None: there is no Rasa at all. ``announce`` is told of a conversation with news."""

    def __init__(
        self,
        conversations: ConversationService,
        assistant: Assistant,
        dialogue: Dialogue | None,
        clock: Clock,
        phrases: Phrases,
        announce: Callable[[str], None] = lambda _: None,
        held: Callable[[Turn], Reply] = lambda _: SILENCE,
        failed: Callable[[Turn], Reply | None] = lambda _: None,
        deliveries: Deliveries | None = None,
    ) -> None:
        """``held``: what is said to a word that goes to a person, or to nobody yet. ``failed``: the way on where no
        answer could be made, None where it is enough to say so. ``deliveries``: where the actions of this process hand
        their answers over.
        """
        self._held = held
        self._when_failed = failed
        self._conversations = conversations
        self._assistant = assistant
        self._dialogue = dialogue
        self._clock = clock
        self._phrases = phrases
        self._announce = announce
        self._deliveries = deliveries or Deliveries()
        self._unfinished: dict[str, asyncio.Task[list[dict[str, Any]]]] = {}
        """What Rasa still does for turns that have their answer, by sender."""

    async def close(self) -> None:
        """Waits for what Rasa still does; it ends within the client's time limit."""
        if self._unfinished:
            await asyncio.wait(self._unfinished.values())

    async def take_turn(self, said: Said, channel: str, *, origin: str = "", citizen: str | None = None) -> Answered:
        """The reply to what was said. Raises InvalidInput, NotFound, Conflict, Unavailable or StorageFull.

        ``origin``: what tells clients apart who begin a conversation, for example their address. ``citizen``: who is
        talking where the channel knows it for certain, as ``wechat:<openid>``.
        """
        started = time.perf_counter()
        if said.conversation_id is None:  # where nothing was said before, the search need not wait for the store
            self._anticipate(_as_read(said.text), Focus())
        turn = await self._begun(said, channel, origin, citizen)
        if turn.reply is not None:
            return Answered(turn.conversation_id, turn.reply, repeated=True)
        try:
            self._announce(turn.conversation_id)
            reply, focus = await self._answer(turn)
            written = await asyncio.to_thread(self._conversations.finish, turn, reply, focus)
            if reply.messages and not written:  # a person spoke meanwhile, or another process answered
                kept = await asyncio.to_thread(self._conversations.reply_of, turn.id)
                reply = kept or SILENCE
        except BaseException:
            with contextlib.suppress(WenbanError):
                await asyncio.to_thread(self._conversations.abandon, turn)
            raise
        self._announce(turn.conversation_id)
        awaits_secret = turn.focus.skill is not None and turn.focus.skill.awaits_secret
        log.info(
            "turn",
            conversation=turn.conversation_id[:8],
            channel=channel,
            text=masked(without_codes(turn.text, awaited=awaits_secret))[:200],
            outcome=reply.outcome,
            matter=reply.matter,
            facets=",".join(reply.facets),
            confidence=round(reply.confidence, 3),
            limited=reply.limited,
            milliseconds=round((time.perf_counter() - started) * 1000),
        )
        return Answered(turn.conversation_id, reply)

    async def _begun(self, said: Said, channel: str, origin: str, citizen: str | None) -> Turn:
        """The turn taken in, once the one before it in the conversation is done."""
        pause, give_up = FIRST_PAUSE, time.monotonic() + BUSY_SECONDS
        while True:
            turn = await asyncio.to_thread(
                self._conversations.begin,
                said.conversation_id,
                said.client_message_id,
                said.text,
                channel,
                origin=origin,
                citizen=citizen,
            )
            if turn.state != "busy":
                return turn
            if time.monotonic() > give_up:
                remedy = self._phrases.say("input.busy_remedy")
                raise Unavailable(self._phrases.say("input.busy"), code="turn_busy", remedy=remedy)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    async def _answer(self, turn: Turn) -> Answer:
        if turn.holder in SILENT:
            return await asyncio.to_thread(self._held, turn), turn.focus
        if self._dialogue is not None:
            text = _as_read(turn.text)
            try:
                self._anticipate(text, turn.focus)
                return await self._made(self._dialogue, turn, text)
            except WenbanError as error:
                log.warning("dialogue_unavailable", conversation=turn.conversation_id[:8], code=error.code)
            except Exception:
                # Whatever goes wrong over there, the citizen is answered from here.
                log.exception("dialogue_failed", conversation=turn.conversation_id[:8])
        return await asyncio.to_thread(self._limited, turn)

    def _anticipate(self, text: str, focus: Focus) -> None:
        if self._dialogue is not None:
            self._assistant.anticipate(text, focus, self._clock.now().date())

    async def _made(self, dialogue: Dialogue, turn: Turn, text: str) -> Answer:
        """The answer of the action that Rasa chose, from wherever it comes first. Raises what ``dialogue`` raises."""
        if before := self._unfinished.get(turn.sender):
            # Rasa lets the turns of a conversation wait for each other by looking once a second.
            await asyncio.wait([before])
        with self._deliveries.awaiting(turn.id) as made:
            said = asyncio.create_task(dialogue.turn(turn.sender, text, {"turn_id": turn.id}))
            either: list[asyncio.Future[Any]] = [made, said]
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            except BaseException:
                said.cancel()
                raise
            if not made.done():
                return unpacked(said.result()[-1])
            self._unfinished[turn.sender] = said
            said.add_done_callback(lambda done: self._finished(turn, done))
            return made.result()

    def _finished(self, turn: Turn, said: asyncio.Task[list[dict[str, Any]]]) -> None:
        if self._unfinished.get(turn.sender) is said:
            del self._unfinished[turn.sender]
        if not said.cancelled() and (fault := said.exception()):
            log.warning("dialogue_failed_after_answer", conversation=turn.conversation_id[:8], reason=str(fault))

    def _limited(self, turn: Turn) -> Answer:
        """The answer without Rasa, which says what is limited."""
        today = self._clock.now().date()
        try:
            speaker = replace(turn.speaker, turn_id=turn.id)
            reply, focus = self._assistant.answer(read(normalise(turn.text)), turn.focus, today, speaker)
        except WenbanError:
            raise
        except Exception:
            # Nobody is left without a way on: what is said names the telephone and a person.
            log.exception("assistant_failed", conversation=turn.conversation_id[:8])
            return self._when_failed(turn) or self._failed(), turn.focus
        notice = {"kind": "text", "text": self._phrases.say("limited.notice")}
        texts = [m for m in reply.messages if m.get("kind") != "choices"]
        choices = [m for m in reply.messages if m.get("kind") == "choices"]
        return replace(reply, messages=(*texts, notice, *choices), limited=True), focus

    def _failed(self) -> Reply:
        person = {"title": self._phrases.say("handoff.person"), "payload": self._phrases.say("handoff.person")}
        words = self._phrases.say("handoff.failed")
        return Reply("error", ({"kind": "text", "text": words}, {"kind": "choices", "text": "", "choices": [person]}))


def _as_read(text: str) -> str:
    """``text`` as Rasa and the index get it."""
    return spoken(normalise(text))
