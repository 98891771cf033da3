"""What is said to each kind of message: words become a turn of the citizen's conversation, the rest is told apart here.

Everything may be asked twice (after a restart): turns and attachments go by the message's identity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from bot.answers.phrases import Phrases
from bot.attachments.service import AttachmentService
from bot.clock import Clock
from bot.conversations.choices import taken as taken_choice
from bot.errors import NotFound, WenbanError
from bot.wechat import inbox
from bot.wechat.inbox import LONGEST_PART, Known
from bot.wechat.model import SILENCE, Answer, Message, together
from channels.security import LimitReached, RateLimiter
from channels.turns import Answered, Said
from channels.wechat import words
from channels.wechat.batching import Batches
from channels.wechat.media import Media
from channels.wechat.rendering import composed, rendered

log = structlog.get_logger("wenban.wechat")

CHANNEL = "wechat"
SAY = "say:"
"""Begins the keys of menu buttons that stand for words."""
QR_SCENE = "qrscene_"


class Turning(Protocol):
    async def take_turn(
        self, said: Said, channel: str, *, origin: str = "", citizen: str | None = None
    ) -> Answered: ...


Handler = Callable[[Message, str, Known], Awaitable[Answer]]


class Conversing:
    """Answers messages through the same turns as every other channel."""

    def __init__(
        self,
        turns: Turning,
        batches: Batches,
        attachments: AttachmentService,
        media: Media | None,
        clock: Clock,
        limiter: RateLimiter,
        phrases: Phrases,
        public_url: str | None,
        complains: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """``media`` None: pictures cannot be fetched (there is no AppSecret). ``complains``: whether a complaint is
        being told in a conversation, by its id.
        """
        self._complains = complains
        self._turns = turns
        self._batches = batches
        self._attachments = attachments
        self._media = media
        self._clock = clock
        self._limiter = limiter
        self._phrases = phrases
        self._public_url = public_url
        self._kinds: Mapping[str, Handler] = {
            "text": self._text,
            "voice": self._voice,
            "image": self._image,
            "location": self._location,
            "link": self._fixed("link"),
            "video": self._fixed("video"),
            "shortvideo": self._fixed("video"),
        }
        self._events: Mapping[str, Handler] = {
            "subscribe": self._subscribe,
            "scan": self._scan,
            "click": self._click,
            "subscribe_msg_popup_event": self._consents,
            "subscribe_msg_change_event": self._consents,
            "templatesendjobfinish": self._job_finished,
            "subscribe_msg_sent_event": self._job_finished,
        }

    async def answer(self, message: Message, key: str) -> Answer:
        """See :class:`channels.wechat.receiver.Answerer`. What goes wrong is said, with its remedy."""
        known = await self._batches.run(lambda session: inbox.known(session, message.openid))
        if message.kind == "event":
            handler = self._events.get(message.event)
            if handler is None:
                return SILENCE  # unsubscribe, VIEW, LOCATION and what the platform may add: nobody waits for words
        else:
            handler = self._kinds.get(message.kind, self._fixed("other"))
        try:
            return await handler(message, key, known)
        except LimitReached:
            return composed(words.say("citizen.too_fast"))
        except WenbanError as error:
            log.warning("wechat_turn_failed", kind=message.kind, code=error.code, reason=error.message)
            return composed(f"{error.message}{error.remedy}")

    # -- words --------------------------------------------------------------------------------------------------------

    async def _text(self, message: Message, key: str, known: Known) -> Answer:
        text = message.fields.get("Content", "")
        return await self._turn(message, key, known, _meant(text, known.offered))

    async def _voice(self, message: Message, key: str, known: Known) -> Answer:
        heard = message.fields.get("Recognition", "").strip()
        if not heard:
            return composed(words.say("citizen.not_heard"))
        return await self._turn(
            message, key, known, _meant(heard, known.offered), before=words.say("citizen.heard", text=heard)
        )

    async def _turn(self, message: Message, key: str, known: Known, text: str, *, before: str = "") -> Answer:
        await self._limiter.check(RateLimiter.TURNS_BY_CONVERSATION, "turn", message.citizen)
        try:
            answered = await self._take(message, key, text, known.conversation_id)
        except NotFound:
            if known.conversation_id is None:
                raise
            answered = await self._take(message, key, text, None)  # it was removed meanwhile: begin anew
        if answered.conversation_id != known.conversation_id or known.offered:
            await self._remember(message, conversation_id=answered.conversation_id, offered=None)
        if answered.conversation_id != known.conversation_id:
            await asyncio.to_thread(self._attachments.adopt, message.citizen, answered.conversation_id)
        return rendered(answered.reply, self._public_url, before=before)

    async def _take(self, message: Message, key: str, text: str, conversation_id: str | None) -> Answered:
        said = Said(text, conversation_id, key)
        return await self._turns.take_turn(said, CHANNEL, origin=message.citizen, citizen=message.citizen)

    # -- attachments --------------------------------------------------------------------------------------------------

    async def _image(self, message: Message, key: str, known: Known) -> Answer:
        if self._media is None:
            return composed(words.say("citizen.picture_later"))
        said = await self._media.keep(message, key, known.conversation_id)
        return composed(said or await self._kept(message, known))

    async def _kept(self, message: Message, known: Known) -> str:
        if await self._is_complaining(known):
            return words.say("citizen.picture_complaint")
        count = await asyncio.to_thread(self._attachments.count, message.citizen, known.conversation_id)
        return words.say("citizen.picture") if count <= 1 else words.say("citizen.picture_more", count=count)

    async def _location(self, message: Message, key: str, known: Known) -> Answer:
        label = message.fields.get("Label", "").strip()
        place = (message.fields.get("Location_X", ""), message.fields.get("Location_Y", ""), label)
        await asyncio.to_thread(
            self._attachments.add_place, f"wechat:{key}", message.citizen, known.conversation_id, *place
        )
        if label and await self._is_complaining(known):
            spoken = self._phrases.say("attachment.place", place=label)
            return await self._turn(message, key, known, spoken, before=words.say("citizen.place_heard", label=label))
        return composed(words.say("citizen.place", label=label or words.say("citizen.place_unnamed")))

    async def _is_complaining(self, known: Known) -> bool:
        return known.conversation_id is not None and await asyncio.to_thread(self._complains, known.conversation_id)

    def _fixed(self, name: str) -> Handler:
        async def say(message: Message, key: str, known: Known) -> Answer:  # noqa: ARG001 - one shape for all
            return composed(words.say(f"citizen.{name}"))

        return say

    # -- events -------------------------------------------------------------------------------------------------------

    async def _subscribe(self, message: Message, key: str, known: Known) -> Answer:
        """A greeting with a short menu; who followed by a window's QR code gets its matter as well."""
        scene = message.fields.get("EventKey", "").removeprefix(QR_SCENE)
        greeting = await self._greeting(message, with_menu=not scene)
        if not scene:
            return greeting
        opened = await self._opened(message, key, known, scene)
        return Answer(together([*greeting.parts, *opened.parts], LONGEST_PART), opened.prompt, opened.choices)

    async def _scan(self, message: Message, key: str, known: Known) -> Answer:
        return await self._opened(message, key, known, message.fields.get("EventKey", ""))

    async def _opened(self, message: Message, key: str, known: Known, scene: str) -> Answer:
        """The matter whose code the scene is."""
        if not any(character.isdigit() for character in scene):
            return composed(words.say("citizen.unknown_scan"))
        answer = await self._turn(message, key, known, scene)
        return answer if answer.parts else composed(words.say("citizen.unknown_scan"))

    async def _click(self, message: Message, key: str, known: Known) -> Answer:
        pressed = message.fields.get("EventKey", "")
        if not pressed.startswith(SAY) or not pressed.removeprefix(SAY).strip():
            return composed(words.say("citizen.unknown_button"))
        return await self._turn(message, key, known, pressed.removeprefix(SAY))

    async def _greeting(self, message: Message, *, with_menu: bool) -> Answer:
        text = words.say("citizen.greeting", city=self._phrases.city, hotline=self._phrases.hotline)
        if not with_menu:
            return composed(text)
        menu: Sequence[Mapping[str, str]] = words.table("menu")["greeting"]
        await self._remember(message, offered=[dict(item) for item in menu])
        return composed("", f"{text}{words.say('citizen.greeting_menu')}", [item["title"] for item in menu])

    async def _consents(self, message: Message, key: str, known: Known) -> Answer:  # noqa: ARG002 - one shape for all
        """Keeps which templates the citizen takes notices of."""
        told: dict[str, dict[str, str]] = {}
        for name, value in message.fields.items():
            where, _, field = name.rpartition(".")
            if field in {"TemplateId", "SubscribeStatusString"}:
                told.setdefault(where, {})[field] = value
        for entry in told.values():
            template, status = entry.get("TemplateId", "")[:64], entry.get("SubscribeStatusString", "")
            if template:
                await self._consented(message.openid, template, status == "accept")
        return SILENCE

    async def _consented(self, openid: str, template: str, accepted: bool) -> None:
        await self._batches.run(lambda session: inbox.consented(session, openid, template, accepted, self._clock.now()))

    async def _job_finished(self, message: Message, key: str, known: Known) -> Answer:  # noqa: ARG002 - one shape
        status = message.fields.get("Status") or ",".join(
            value for name, value in message.fields.items() if name.endswith("ErrorStatus")
        )
        level = log.info if status.lower() in {"success", ""} else log.warning
        level("wechat_notice_finished", about=message.event, status=status[:100])
        return SILENCE

    async def _remember(self, message: Message, **values: object) -> None:
        await self._batches.run(lambda session: inbox.remember(session, message.openid, self._clock.now(), **values))


def _meant(text: str, offered: Sequence[Mapping[str, str]]) -> str:
    """What ``text`` stands for where the channel itself has offered choices: a digit or a title takes one."""
    choice = taken_choice(text, [item["title"] for item in offered], in_other_words=False) if offered else None
    return offered[choice]["say"] if isinstance(choice, int) else text
