"""A process in which citizens file by talking until it is killed: ``python -m tests.bot.complaints.talker``.

Writes ``FILED KEY NUMBER``, among the lines of the log, for each complaint it got an answer for. Arguments: database
URL, folder, first key, how many.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.answers.phrases import Phrases
from bot.attachments.service import AttachmentService
from bot.clock import SystemClock
from bot.complaints.clocks import load_limits
from bot.complaints.following import Following
from bot.complaints.handling import ComplaintHandling
from bot.complaints.joining import Joining
from bot.complaints.service import ComplaintService
from bot.complaints.skill import ComplaintSkill
from bot.complaints.talking import NAME, Parts
from bot.complaints.writing import ComplaintWriter
from bot.conversations.assistant import Assistant
from bot.conversations.referrals import referrals
from bot.conversations.service import ConversationService
from bot.judgements.service import JudgementService
from bot.judgements.skill import JudgeSkill
from bot.settings import load_settings
from bot.store import Store, make_engine
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar
from channels.turns import Answered, Said, Turns
from tests.bot.complaints.deciders import decider_over
from tests.bot.complaints.filer import POWERS
from tests.bot.conversations.city import City, PairFinder
from tests.bot.hashing_encoder import HashingEncoder


class LaterClock(SystemClock):
    """The machine's clock, some time ahead: leases of a process that died are over by then."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return super().now() + self._ahead


@dataclass
class Office:
    service: ComplaintService
    joining: Joining
    following: Following
    handling: ComplaintHandling


def turns_over(store: Store, folder: Path, ahead: timedelta = timedelta()) -> Turns:
    """The turns of a gateway without Rasa, with an encoder that starts at once."""
    clock, sealer, encoder = LaterClock(ahead), Sealer(bytes(32)), HashingEncoder(384)
    decider = decider_over(encoder, POWERS, folder)
    writer = ComplaintWriter(sealer, WorkCalendar(), load_limits, encoder.identity)
    service = ComplaintService(store, clock, writer, decider)
    joining = Joining(store, clock, writer, service.decided, service.same_incident)
    office = Office(service, joining, Following(store, clock, writer), ComplaintHandling(store, clock, writer))
    phrases, guides, finder = Phrases("云山市", "12345"), City(), PairFinder()
    judgements = JudgementService(store, clock, sealer)
    parts = Parts(office, AttachmentService(store, clock, folder / "a"), judgements, sealer, clock, phrases)
    skill = ComplaintSkill(parts, JudgeSkill(judgements, phrases), referrals(guides, phrases)[NAME])
    assistant = Assistant(lambda: finder, guides, WorkCalendar(), phrases, {"complaint": skill})
    conversations = ConversationService(store, clock, load_settings())
    return Turns(conversations, assistant, None, clock, phrases)


async def file_by_talking(turns: Turns, key: int) -> str:
    """The number of complaint ``key``; the same words under the same identifiers at every attempt."""

    async def say(text: str, name: str, conversation: str | None = None) -> Answered:
        said = Said(text, conversation, f"{name}-of-complaint-{key:08}")
        return await turns.take_turn(said, "api", origin="somewhere")

    text = f"我要投诉，昨晚{key}号院{key}栋自来水爆管停水没人抢修，地点是幸福里{key}小区，希望尽快修，电话138{key:08}"
    answered = await say(text, "first")
    if "同一件" in answered.reply.text:
        answered = await say("2", "other", answered.conversation_id)
    answered = await say("没错，提交", "submit", answered.conversation_id)
    [number] = [m["complaint"]["number"] for m in answered.reply.messages if m["kind"] == "complaint"]
    return str(number)


async def _talk(url: str, folder: Path, first: int, count: int) -> None:
    turns = turns_over(Store(make_engine(url)), folder)
    for key in range(first, first + count):
        print("FILED", key, await file_by_talking(turns, key), flush=True)


if __name__ == "__main__":
    asyncio.run(_talk(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
