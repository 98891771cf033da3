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
from bot.attachments.service import FOLDER as ATTACHMENTS
from bot.attachments.service import AttachmentService
from bot.board.service import BoardService
from bot.board.similar import SimilarFinder
from bot.clock import Clock
from bot.complaints.talking import NAME as COMPLAINT
from bot.conversations.assistant import Assistant
from bot.conversations.delivery import Deliveries
from bot.conversations.marks import MarkService
from bot.conversations.ports import Finder
from bot.conversations.service import ConversationService
from bot.errors import NotFound, Unavailable
from bot.handoff.assist import Assist
from bot.handoff.reading import Snapshots
from bot.matters.model import PublishedGuide
from bot.matters.service import MatterService
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store import Store
from bot.store.engine import make_engine
from bot.workdays import load_calendar
from channels import worker
from channels.bus import Bus
from channels.casework import Casework, build_casework, limits_of
from channels.complaints import Complaints
from channels.delays import files_delays
from channels.handing_off import HandingOff, build_handing_off
from channels.learning import Learning, build_learning
from channels.messages import explained, message
from channels.metrics import Metrics
from channels.rasa_client import RasaClient
from channels.readiness import Part, PartState, Readiness, judge
from channels.security import RateLimiter, address
from channels.sent import Sent
from channels.shared import Shared
from channels.supervising import Supervision, build_supervision
from channels.turns import Answered, Said, Turns
from channels.web.pages import Pages
from channels.web.starters import Starters
from channels.wechat.service import WeChat, make_wechat
from index.encoder import Encoder
from index.errors import IndexMissing, SearchIndexError
from index.explaining import Explanation, explain
from index.holder import SearcherHolder
from index.second import SecondLook

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
    casework: Casework
    handing_off: HandingOff
    marks: MarkService
    snapshots: Shared[Snapshots]
    assist: Assist
    phrases: Phrases
    complaints: Complaints
    supervision: Supervision
    board: BoardService
    learning: Learning
    similar: SimilarFinder
    dialogue: RasaClient
    turns: Turns
    actions: ActionExecutor
    limiter: RateLimiter
    starters: Starters
    attachments: AttachmentService
    sent: Sent
    wechat: WeChat | None
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

    # -- finding ----------------------------------------------------------------------------------------------------

    def explain(self, text: str) -> Explanation:
        """What the index finds for ``text`` today, and why. Raises Unavailable."""
        _finder(self.holder)  # says why where there is none
        return explain(self.holder.current(), text, self.clock.now().date())

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
    second = SecondLook.beside(encoder, threads=settings.encoder_threads)
    holder = SearcherHolder(settings.home / "index", encoder, second=second)
    phrases = Phrases(settings.city_name, settings.hotline)
    conversations = ConversationService(store, clock, settings)
    calendar = load_calendar(settings.home / "calendar")
    delays = files_delays(lambda: complaints.service, phrases)
    casework = build_casework(settings, store, clock, calendar, limits_of(matters), file_complaint=delays)
    complaints = Complaints(
        settings,
        store,
        clock,
        casework.sealer,
        calendar,
        matters,
        lambda: encoder,
        casework.notifications,
        casework.judgements,
    )
    marks = MarkService(store, clock, bus.announce)
    handing_off = build_handing_off(settings, store, clock, calendar, matters, phrases, casework, marks, bus.announce)
    attachments = AttachmentService(store, clock, settings.home / ATTACHMENTS)
    complaint = complaints.skill(attachments, casework.judgements, matters, phrases)
    skills = {"complaint": complaint, **casework.skills(phrases), "handoff": handing_off.skill}
    assistant = Assistant(lambda: _finder(holder), matters, calendar, phrases, skills, handing_off.skill)

    def complains(conversation_id: str) -> bool:
        skill = conversations.focus(conversation_id).skill
        return skill is not None and skill.name == COMPLAINT

    dialogue = RasaClient(settings.rasa_url, settings.rasa_timeout)
    called, deliveries = handing_off.skill, Deliveries()
    turns = Turns(
        conversations,
        assistant,
        dialogue,
        clock,
        phrases,
        bus.announce,
        called.while_held,
        called.when_failed,
        deliveries,
    )
    limiter = RateLimiter(settings.rate_limit == "on")
    supervision = build_supervision(settings, store, clock, casework.sealer, calendar, complaints.handling)
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
        casework=casework,
        handing_off=handing_off,
        marks=marks,
        snapshots=Shared(handing_off.reading.snapshots),
        assist=Assist(lambda: _finder(holder), matters, calendar, phrases),
        phrases=phrases,
        complaints=complaints,
        supervision=supervision,
        learning=build_learning(store, clock, matters),
        board=BoardService(store, clock, calendar, supervision.rules.current),
        similar=SimilarFinder(store, clock),
        dialogue=dialogue,
        turns=turns,
        actions=register(ActionExecutor(), assistant, conversations, clock, deliveries),
        limiter=limiter,
        starters=Starters(matters, pages.words["starters"]),
        attachments=attachments,
        sent=Sent(conversations, attachments, phrases),
        wechat=make_wechat(settings, store, casework.sealer, clock, metrics, limiter, turns, attachments, complains),
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
