"""The worker's parts put together: which jobs there are, and who handles which topic of the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from bot.answers.phrases import Phrases
from bot.attachments.service import FOLDER as ATTACHMENTS
from bot.attachments.service import AttachmentService
from bot.board.hot_spots import HotSpotKeeper
from bot.board.keeping import DayKeeper
from bot.cases.feed import make_feed
from bot.cases.ports import COMPLAINT_TOPIC
from bot.clock import Clock
from bot.complaints.retention import ComplaintRetention
from bot.conversations.marks import MarkService
from bot.conversations.retention import ConversationRetention
from bot.conversations.service import ConversationService
from bot.handoff.desk import load_desk
from bot.handoff.operating import REPLY_TOPIC
from bot.handoff.repository import forget
from bot.handoff.watching import Watch
from bot.judgements.service import POOR_TOPIC
from bot.learning.retention import LearningRetention
from bot.notifications.model import TOPIC
from bot.outflow.service import OutflowService
from bot.settings import Settings
from bot.store import Store, make_engine, outbox
from bot.store.sealed import load_sealer
from bot.supervision.telling import OUTWARD
from bot.workdays import WorkCalendar, load_calendar
from channels.bus import teller
from channels.casework import Casework, build_casework, no_limits
from channels.delays import files_delays
from channels.handing_off import replies_by
from channels.learning import learning_jobs
from channels.messengers import make_messengers
from channels.outflow import Outflow, outflow_of, publishing
from channels.relay import Envelope, Handler, PutOff, Relay, each
from channels.supervising import build_supervisors
from channels.worker import Job

if TYPE_CHECKING:
    from bot.complaints.service import ComplaintService

TIDY_EVERY = timedelta(hours=6)
FORGET_EVERY = timedelta(minutes=10)
FORGOTTEN_AFTER = timedelta(days=30)
"""How long a finished message of the outbox is kept, for whoever looks into what went out."""
FORGOTTEN_AT_ONCE, MOST_BATCHES = 1_000, 10
"""Messages removed in one transaction, and such transactions in one turn."""
LOOKED_UP_LATER = (COMPLAINT_TOPIC,)
"""Topics that are read long after they were handled: a request about a late case may be made again."""
WATCH_EVERY = timedelta(seconds=10)
COUNT_EVERY = timedelta(minutes=1)
HOT_SPOTS_LOOKED_AT = timedelta(minutes=5)
"""How often it is looked whether the hour is over after which they are made anew."""


def jobs_of(settings: Settings, clock: Clock) -> list[Job]:
    """Every job but the heartbeat. The database must have the present schema. Raises ConfigurationError."""
    store = Store(make_engine(settings), clock)
    calendar = load_calendar(settings.home / "calendar")
    messengers = make_messengers(settings, store, load_sealer(settings), clock)
    phrases = Phrases(settings.city_name, settings.hotline)
    delays = files_delays(cache(lambda: _complaints(settings, store, clock, calendar, casework)), phrases)
    casework = build_casework(settings, store, clock, calendar, no_limits, messengers, delays)
    closing = [messenger.close for messenger in messengers]
    tell = teller(store.engine)
    marks = MarkService(store, clock, tell)
    watch = Watch(store, load_desk(settings.desk_file), phrases, tell)
    replies = replies_by(ConversationService(store, clock, settings), messengers, watch, marks)
    supervisors = build_supervisors(settings, store, clock, casework, calendar)
    topics = {**handlers(casework), REPLY_TOPIC: replies, POOR_TOPIC: supervisors.judged_poorly()}
    outflow = outflow_of(settings, store, clock, casework.sealer)
    publish = publishing(outflow, store, settings)
    topics |= {topic: each(topics[topic], publish) if topic in topics else publish for topic in OUTWARD}
    jobs = [Relay(store, topics, clock, closing).job(), Job("watch-desk", WATCH_EVERY, watch.run)]
    jobs += [*supervisors.jobs(), Outflow(outflow, settings, clock).job(), *_board(store)]
    jobs += learning_jobs(settings, store, clock, calendar, phrases)
    jobs += [_tidy(settings, casework, store, clock, outflow), Job("tidy-outbox", FORGET_EVERY, forgets(store))]
    feed = make_feed(settings, casework.keeper)
    if feed is not None:
        jobs.append(Job("case-view", timedelta(seconds=settings.case_view_interval), feed.read, feed.close))
    return jobs


def handlers(casework: Casework) -> Mapping[str, Handler]:
    """Topic → handler. Topics that are not here wait for the part that will handle them."""

    async def notify(envelope: Envelope, now: datetime) -> PutOff | None:
        again = await casework.notifications.deliver(str(envelope.payload["key"]), now)
        return PutOff(again, "not now") if again is not None else None

    async def file_delay(envelope: Envelope, now: datetime) -> None:  # noqa: ARG001  (one shape for all)
        await asyncio.to_thread(casework.delays.file_kept, envelope.payload)

    return {TOPIC: notify, COMPLAINT_TOPIC: file_delay}


def _complaints(
    settings: Settings, store: Store, clock: Clock, calendar: WorkCalendar, casework: Casework
) -> ComplaintService:
    """What files complaints here: brought along only when a request is left to the worker, for it needs the encoder."""
    from bot.matters.service import MatterService
    from channels.complaints import Complaints
    from index.encoder import open_encoder

    encoder = open_encoder(settings.encoder, threads=1)
    matters = MatterService(store, clock, settings.home / "index", lambda: encoder)
    told = (casework.notifications, casework.judgements)
    return Complaints(settings, store, clock, casework.sealer, calendar, matters, lambda: encoder, *told).service


def _board(store: Store) -> list[Job]:
    """What is kept so that the board need not count everything."""
    days, spots = DayKeeper(store), HotSpotKeeper(store)

    def count(now: datetime) -> None:
        days.refresh(now)

    def compare(now: datetime) -> None:
        spots.refresh(now)

    return [Job("count-days", COUNT_EVERY, count), Job("find-hot-spots", HOT_SPOTS_LOOKED_AT, compare)]


def forgets(store: Store) -> Callable[[datetime], None]:
    """What removes finished messages of the outbox after their time; a turn takes so many and leaves the rest."""

    def forget_some(now: datetime) -> None:
        for _ in range(MOST_BATCHES):
            with store.write() as work:
                gone = outbox.forget(work.session, now - FORGOTTEN_AFTER, FORGOTTEN_AT_ONCE, LOOKED_UP_LATER)
            if gone < FORGOTTEN_AT_ONCE:
                return

    return forget_some


def _tidy(settings: Settings, casework: Casework, store: Store, clock: Clock, outflow: OutflowService) -> Job:
    """What was kept long enough goes."""
    pictures = AttachmentService(store, clock, settings.home / ATTACHMENTS)
    complaints = ComplaintRetention(store, clock, pictures, settings.complaint_retention_days)
    conversations = ConversationRetention(store, clock, settings.conversation_retention_days, forget)
    questions = LearningRetention(store, clock, settings.conversation_retention_days)

    def tidy(_: datetime) -> None:
        casework.keeper.tidy()
        complaints.tidy()
        conversations.tidy()
        outflow.tidy()
        questions.tidy()

    return Job("tidy", TIDY_EVERY, tidy, store.engine.dispose)
