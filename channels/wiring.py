"""Puts the parts together: the only place of the gateway that knows which class serves which need."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import Depends, Request
from rasa_sdk.executor import ActionExecutor

from actions import register
from bot import text as texts
from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.conversations.assistant import Assistant
from bot.conversations.ports import Finder
from bot.conversations.service import ConversationService
from bot.errors import NotFound, Unavailable
from bot.matters.model import PublishedGuide
from bot.matters.service import MatterService
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store import Store
from bot.store.engine import make_engine
from bot.workdays import load_calendar
from channels import worker
from channels.bus import Bus
from channels.messages import explained, message
from channels.metrics import Metrics
from channels.rasa_client import RasaClient
from channels.readiness import Part, PartState, Readiness, judge
from channels.security import RateLimiter, address
from channels.turns import Answered, Said, Turns
from channels.web.pages import Pages
from channels.web.starters import Starters
from index.encoder import Encoder
from index.errors import IndexMissing, SearchIndexError
from index.holder import SearcherHolder

log = structlog.get_logger("wenban.gateway")


@dataclass
class Services:
    """Everything the routes use, made once for an application and closed with it."""

    settings: Settings
    clock: Clock
    pages: Pages
    metrics: Metrics
    store: Store
    bus: Bus
    matters: MatterService
    people: PeopleService
    encoder: Encoder
    holder: SearcherHolder
    conversations: ConversationService
    dialogue: RasaClient
    turns: Turns
    actions: ActionExecutor
    limiter: RateLimiter
    starters: Starters
    started_at: datetime
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    longest_text: int = texts.LONGEST
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _complete_once: bool = False

    # -- turns ------------------------------------------------------------------------------------------------------

    async def converse(self, said: Said, channel: str, request: Request) -> Answered:
        """One citizen turn, counted and rate-limited. Raises what a turn raises, and LimitReached."""
        caller = address(request)
        await self.limiter.check(RateLimiter.TURNS_BY_ADDRESS, "turn", caller)
        if said.conversation_id:
            await self.limiter.check(RateLimiter.TURNS_BY_CONVERSATION, "turn", said.conversation_id)
        begun = time.perf_counter()
        answered = await self.turns.take_turn(said, channel, origin=caller)
        self.metrics.turn_seconds.labels(channel).observe(time.perf_counter() - begun)
        reply = answered.reply
        self.metrics.turns.labels(channel, reply.outcome, "yes" if reply.limited else "no").inc()
        return answered

    # -- guides -----------------------------------------------------------------------------------------------------

    def guide(self, code: str) -> PublishedGuide:
        """The guide in force today. Raises NotFound, with a code of its own where there is one not in force."""
        published = self.matters.get(code, self.clock.now().date())
        if published is not None:
            return published
        self.any_guide(code)
        text, remedy = explained("guide_not_in_force")
        raise NotFound(text, code="guide_not_in_force", remedy=remedy)

    def any_guide(self, code: str) -> PublishedGuide:
        """The published guide, in force or not. Raises NotFound."""
        published = self.matters.get_any(code)
        if published is None:
            text, remedy = explained("no_guide")
            raise NotFound(text, code="guide_not_found", remedy=remedy)
        return published

    # -- the state of the parts -------------------------------------------------------------------------------------

    async def readiness(self) -> Readiness:
        """What each part says now."""
        parts: dict[Part, PartState] = {
            "database": await asyncio.to_thread(self._database),
            "index": await asyncio.to_thread(self._index),
            "rasa": PartState(await self.dialogue.health()),
            "worker": PartState(worker.alive(self.settings.home, self.clock.now())),
        }
        for part, state in parts.items():
            self.metrics.parts.labels(part).set(state.up)
        readiness = judge(parts, self._complete_once, self.started_at, self.clock.now())
        self._complete_once = self._complete_once or not readiness.limited
        return readiness

    def _database(self) -> PartState:
        try:
            self.matters.current_version()
        except Unavailable as error:
            return PartState(False, error.message)
        return PartState(True)

    def _index(self) -> PartState:
        try:
            self.refresh_index()
            self.holder.current()
        except SearchIndexError as error:
            return PartState(False, f"{message(_index_trouble(error))} {type(error).__name__}")
        return PartState(True, self.holder.name or "")

    def refresh_index(self) -> bool:
        """Swap to the newly published index where there is one. Raises SearchIndexError; the old one then stays."""
        if not self.holder.refresh():
            return False
        self.metrics.index.info({"name": self.holder.name or ""})
        log.info("index_in_use", name=self.holder.name)
        return True

    def close_streams(self) -> None:
        """End the event streams: the server goes down. May be called from any thread and more than once."""
        self._loop.call_soon_threadsafe(self._close_streams)

    def _close_streams(self) -> None:
        self.closing.set()
        self.bus.wake()


def build(settings: Settings, clock: Clock, pages: Pages, metrics: Metrics, encoder: Encoder) -> Services:
    """The services over ``settings``. The database must have the present schema."""
    store = Store(make_engine(settings), clock)
    bus = Bus()
    matters = MatterService(store, clock, settings.home / "index", lambda: encoder)
    holder = SearcherHolder(settings.home / "index", encoder)
    phrases = Phrases(settings.city_name, settings.hotline)
    conversations = ConversationService(store, clock, settings)
    assistant = Assistant(lambda: _finder(holder), matters, load_calendar(settings.home / "calendar"), phrases)
    dialogue = RasaClient(settings.rasa_url, settings.rasa_timeout)
    return Services(
        settings=settings,
        clock=clock,
        pages=pages,
        metrics=metrics,
        store=store,
        bus=bus,
        matters=matters,
        people=PeopleService(store, clock),
        encoder=encoder,
        holder=holder,
        conversations=conversations,
        dialogue=dialogue,
        turns=Turns(conversations, assistant, dialogue, clock, phrases, bus.announce),
        actions=register(ActionExecutor(), assistant, conversations, clock),
        limiter=RateLimiter(settings.rate_limit == "on"),
        starters=Starters(matters, pages.words["starters"]),
        started_at=clock.now(),
    )


def _finder(holder: SearcherHolder) -> Finder:
    try:
        return holder.current()
    except SearchIndexError as error:
        trouble = _index_trouble(error)
        text, remedy = explained(trouble)
        raise Unavailable(text, code=trouble, remedy=remedy) from error


def _index_trouble(error: SearchIndexError) -> str:
    """Nothing was published yet, or what was is being encoded anew (another encoder, a damaged folder)."""
    return "no_catalogue" if isinstance(error, IndexMissing) else "index_building"


def services_of(request: Request) -> Services:
    """The services of the application that got ``request``."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
