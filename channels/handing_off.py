"""The hand-off's parts put together, for the gateway and for the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.conversations.marks import MarkService
from bot.conversations.ports import Guides
from bot.conversations.referrals import referrals
from bot.conversations.service import ConversationService
from bot.errors import NotFound
from bot.handoff.calling import Calls
from bot.handoff.desk import Desk, load_desk
from bot.handoff.hours import Calendar
from bot.handoff.noting import Noting
from bot.handoff.operating import Operating
from bot.handoff.phoning import Phoning
from bot.handoff.presence import Presences
from bot.handoff.quality import Quality
from bot.handoff.reading import Reading
from bot.handoff.rights import Department, Rights
from bot.handoff.satisfaction import Satisfaction
from bot.handoff.skill import NAME, HandoffSkill
from bot.handoff.watching import Watch
from bot.notifications.ports import Later, Messenger, Outgoing, Refused, Unsure
from bot.settings import Settings
from bot.store import Store
from channels.casework import Casework
from channels.relay import Envelope, Handler, PutOff

log = structlog.get_logger("wenban.handoff")

TEMPLATE = "handoff.reply"


@dataclass(frozen=True)
class HandingOff:
    """Calling a person, and the desk."""

    desk: Desk
    calls: Calls
    operating: Operating
    presences: Presences
    reading: Reading
    skill: HandoffSkill
    noting: Noting
    phoning: Phoning
    quality: Quality
    rights: Rights


def build_handing_off(
    settings: Settings,
    store: Store,
    clock: Clock,
    calendar: Calendar,
    guides: Guides,
    phrases: Phrases,
    casework: Casework,
    marks: MarkService,
    announce: Callable[[str], None],
) -> HandingOff:
    """The services over ``settings``. Raises ConfigurationError where the desk's file cannot be used."""
    desk = load_desk(settings.desk_file)
    calls = Calls(store, clock, desk, calendar, announce)
    rights = Rights(store, clock, desk, _departments(guides, clock))
    phoning = Phoning(store, clock, desk, casework.sealer, announce)
    satisfaction = Satisfaction(casework.judgements, phrases)
    return HandingOff(
        desk=desk,
        calls=calls,
        operating=Operating(store, clock, desk, phrases, satisfaction, rights, announce),
        presences=Presences(store, clock, announce),
        reading=Reading(store, clock, desk, phoning, rights),
        noting=Noting(store, clock, marks, rights, announce),
        phoning=phoning,
        quality=Quality(store, clock, desk),
        rights=rights,
        skill=HandoffSkill(calls, referrals(guides, phrases)[NAME], guides, phrases),
    )


def _departments(guides: Guides, clock: Clock) -> Department:
    """Whose a matter is today."""

    def department(matter: str | None) -> str | None:
        published = guides.get(matter, clock.now().date()) if matter else None
        return published.guide.department if published else None

    return department


def replies_by(
    conversations: ConversationService, messengers: Sequence[Messenger], watch: Watch, marks: MarkService
) -> Handler:
    """Sends a person's words by the channel that the citizen writes from; in the page the log itself is enough.

    What arrived is marked as delivered; what never will is told to the operator in the thread.
    """
    by_channel = {messenger.channel: messenger for messenger in messengers}

    async def send(envelope: Envelope, now: datetime) -> PutOff | None:
        conversation_id, number = str(envelope.payload["conversation_id"]), int(envelope.payload["event"])
        try:
            _, speaker = await asyncio.to_thread(conversations.standing, conversation_id)
            events = await asyncio.to_thread(conversations.events, conversation_id, number - 1, 1)
        except NotFound:
            return None  # it was removed meanwhile
        channel, _, address = (speaker.citizen or "").partition(":")
        messenger = by_channel.get(channel)
        if messenger is None or not events:
            log.error("reply_not_sent", conversation=conversation_id[:8], reason=f"no way to {channel or 'nobody'}")
            return None
        text = _plain(events[0].payload["messages"])
        ended = await messenger.deliver(address, Outgoing(f"reply-{envelope.id}", TEMPLATE, {}, text), now)
        if isinstance(ended, Later):
            return PutOff(ended.retry_at, ended.reason)
        if isinstance(ended, Refused | Unsure):
            log.error("reply_not_sent", conversation=conversation_id[:8], reason=ended.reason)
            await asyncio.to_thread(watch.not_delivered, conversation_id, ended.reason, now)
        else:
            await asyncio.to_thread(marks.delivered, conversation_id, number)
        return None

    return send


def _plain(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that is said as one text; choices are numbered as everywhere."""
    lines = []
    for message in messages:
        lines.append(str(message["text"]))
        choices = enumerate(message.get("choices") or (), 1)
        lines.extend(f"{number}. {choice['title']}" for number, choice in choices)
    return "\n".join(lines)
