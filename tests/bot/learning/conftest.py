"""A small city with conversations that did not go well, on each kind of database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.answers.phrases import Phrases
from bot.clock import FixedClock
from bot.conversations.holding import HoldingAct
from bot.conversations.model import Candidate, Focus, Outcome, Reply
from bot.conversations.moving import move, say
from bot.conversations.repository import locked_conversation
from bot.conversations.service import ConversationService
from bot.learning.drafting import Drafting
from bot.learning.evaluating import Evaluator
from bot.learning.gathering import Gatherer
from bot.learning.model import Stage
from bot.learning.regressions import Regressions
from bot.learning.repository import Wanted
from bot.learning.review import Reviewing, Shown
from bot.matters.service import MatterService
from bot.people.model import Account, Role
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store import Store
from bot.workdays import WorkCalendar
from index.holder import SearcherHolder
from index.searcher import Searcher
from tests.bot.hashing_encoder import HashingEncoder
from tests.bot.matters.examples import guide, write_lines

OPEN = Wanted(Stage.OPEN, "size", 1)


@dataclass
class World:
    """Everything around the review list and the draft of one city."""

    store: Store
    clock: FixedClock
    home: Path
    encoder: HashingEncoder = field(default_factory=lambda: HashingEncoder(256))

    def __post_init__(self) -> None:
        self.conversations = ConversationService(self.store, self.clock, Settings())
        self.matters = MatterService(self.store, self.clock, self.home / "index", lambda: self.encoder)
        self.gatherer = Gatherer(self.store, lambda: self.encoder)
        self.reviewing = Reviewing(self.store, self.clock)
        self.drafting = Drafting(self.store, self.clock, self.matters)
        self.cases = Regressions(self.store, self.clock)
        people = PeopleService(self.store, self.clock)
        self.editor = people.create("lin", "correct-horse-battery", Role.EDITOR, display_name="林华")
        self.other = people.create("wu", "correct-horse-battery", Role.EDITOR, display_name="吴军")
        self.city([guide(1), guide(2)])

    def city(self, guides: Sequence[dict[str, Any]]) -> None:
        self.matters.import_guides(write_lines(self.home / "city.jsonl", guides))

    def evaluator(self) -> Evaluator:
        def searchers() -> tuple[SearcherHolder, Any]:
            holder = SearcherHolder(self.home / "index", self.encoder)
            return holder, lambda folder: Searcher.open(folder, self.encoder)

        phrases = Phrases("云山市", "12345")
        labelled = self.home / "questions.jsonl"
        return Evaluator(self.store, self.clock, self.matters, searchers, WorkCalendar(), phrases, labelled)

    # -- conversations -------------------------------------------------------------------------------------------------

    def asks(
        self,
        text: str,
        outcome: Outcome = "unknown",
        conversation: str | None = None,
        *,
        matter: str | None = None,
        candidates: Sequence[tuple[str, str]] = (),
        confidence: float = 0.1,
    ) -> str:
        """One turn; the conversation's id."""
        turn = self.conversations.begin(conversation, None, text, "web")
        reply = Reply(
            outcome,
            ({"kind": "text", "text": f"对“{text[:10]}”的回答"},),
            matter=matter,
            candidates=tuple(Candidate(code, name, 0.3) for code, name in candidates),
            confidence=confidence,
        )
        self.conversations.finish(turn, reply, Focus())
        self.clock.advance(timedelta(seconds=5))
        return turn.conversation_id

    def moves(self, conversation: str, act: HoldingAct, **details: Any) -> None:
        with self.store.write() as work:
            row = locked_conversation(work.session, conversation)
            assert row is not None
            move(work.session, row, act, self.clock.now(), details)

    def person_says(self, conversation: str, text: str, **more: Any) -> None:
        with self.store.write() as work:
            row = locked_conversation(work.session, conversation)
            assert row is not None
            card = more.pop("card", None)
            say(work.session, row, text, "王敏", self.clock.now(), more=more, card=card)
        self.clock.advance(timedelta(seconds=5))

    def listen(self) -> int:
        return self.gatherer.refresh(self.clock.now())

    def groups(self, stage: Stage = Stage.OPEN) -> Sequence[Shown]:
        return self.reviewing.page(Wanted(stage, "size", 1)).groups

    def only_group(self) -> Shown:
        self.listen()
        [group] = self.groups()
        return self.reviewing.group(group.id)


@pytest.fixture
def world(any_store: Store, clock: FixedClock, tmp_path: Path) -> World:
    return World(any_store, clock, tmp_path)


def by(account: Account) -> str:
    return account.username
