"""A desk with two operators on each kind of database, on a Monday morning."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from bot.answers.phrases import Phrases
from bot.clock import ZONE, FixedClock
from bot.conversations.holding import Holder
from bot.conversations.marks import MarkService
from bot.conversations.model import Focus, Reply
from bot.conversations.service import ConversationService
from bot.handoff.calling import Calls
from bot.handoff.desk import Desk, load_desk
from bot.handoff.model import Ask, Place, Reason
from bot.handoff.noting import Noting
from bot.handoff.operating import Operating
from bot.handoff.phoning import Phoning
from bot.handoff.presence import Presences
from bot.handoff.quality import Quality
from bot.handoff.reading import Reading
from bot.handoff.rights import Rights
from bot.handoff.satisfaction import Satisfaction
from bot.handoff.watching import Watch
from bot.judgements.service import JudgementService
from bot.people.model import Account, Role
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar

PHRASES = Phrases("云山市", "12345")
DEPARTMENTS: dict[str | None, str] = {"YS1": "云山市公安局", "YS2": "云山市民政局"}
REPLY = Reply("answered", ({"kind": "text", "text": "要带身份证。"},), matter="YS1", confidence=0.9)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=ZONE))


@dataclass
class World:
    """Everything around one desk."""

    store: Store
    clock: FixedClock
    desk: Desk
    news: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.conversations = ConversationService(self.store, self.clock, Settings())
        self.calls = Calls(self.store, self.clock, self.desk, WorkCalendar(), self.news.append)
        sealer = Sealer(bytes(range(32)))
        self.judgements = JudgementService(self.store, self.clock, sealer)
        self.marks = MarkService(self.store, self.clock, self.news.append)
        satisfaction = Satisfaction(self.judgements, PHRASES)
        self.rights = Rights(self.store, self.clock, self.desk, DEPARTMENTS.get)
        self.operating = Operating(
            self.store, self.clock, self.desk, PHRASES, satisfaction, self.rights, self.news.append
        )
        self.noting = Noting(self.store, self.clock, self.marks, self.rights, self.news.append)
        self.phoning = Phoning(self.store, self.clock, self.desk, sealer, self.news.append)
        self.quality = Quality(self.store, self.clock, self.desk)
        self.presences = Presences(self.store, self.clock, self.news.append)
        self.reading = Reading(self.store, self.clock, self.desk, self.phoning, self.rights)
        self.watch = Watch(self.store, self.desk, PHRASES, self.news.append)
        self.people = PeopleService(self.store, self.clock)

    def operator(self, username: str, name: str, *, online: bool = True) -> Account:
        account = self.people.create(username, "correct-horse-battery", Role.OPERATOR, display_name=name)
        if online:
            self.presences.set(account, "online")
        return account

    def conversation(self, text: str = "身份证要带什么", *, citizen: str | None = None) -> str:
        """One turn that the assistant answered."""
        turn = self.conversations.begin(None, None, text, "wechat" if citizen else "web", citizen=citizen)
        self.conversations.finish(turn, REPLY, Focus(matter="YS1"))
        return turn.conversation_id

    def says(self, conversation_id: str, text: str, citizen: str | None = None) -> Holder:
        """The citizen speaks; what a turn does while a person has the conversation."""
        turn = self.conversations.begin(conversation_id, None, text, "web", citizen=citizen)
        if turn.holder in (Holder.WAITING, Holder.PERSON):
            self.calls.heard(conversation_id, urgent=False)
        self.conversations.finish(turn, Reply("handoff", ()), turn.focus)
        return turn.holder

    def call(self, conversation_id: str, **more: Any) -> Place:
        place = self.calls.call(Ask(conversation_id, Reason.ASKED, "转人工", **more))
        assert isinstance(place, Place)
        return place

    def handoff(self, conversation_id: str) -> int:
        """The number of the conversation's latest call."""
        found = self.reading.thread(conversation_id).handoff
        assert found is not None
        return found.call.id

    def log(self, conversation_id: str) -> list[str]:
        return [
            f"{event.kind}:{event.payload['act']}" if event.kind == "holder" else event.kind
            for event in self.conversations.events(conversation_id)
        ]


@pytest.fixture
def world(any_store: Store, clock: FixedClock) -> World:
    return World(any_store, clock, load_desk())
