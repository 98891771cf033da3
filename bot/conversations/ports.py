"""What the assistant needs of others, as narrow protocols: a finder of matters, published guides, further skills."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from bot.conversations.model import Candidate, Focus, Reply, Understanding
from bot.matters.model import PublishedGuide

SURE = 0.8
"""Confidence of the index from which it is not doubted."""
Decision = Literal["answered", "clarify", "unknown"]


class FoundCandidate(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def text(self) -> str: ...


class Found(Protocol):
    @property
    def decision(self) -> Decision: ...
    @property
    def confidence(self) -> float: ...
    @property
    def candidates(self) -> Sequence[FoundCandidate]: ...
    @property
    def exact(self) -> bool: ...
    @property
    def kept_focus(self) -> bool: ...
    @property
    def query(self) -> str: ...


class Finder(Protocol):
    """The semantic index of the published catalogue."""

    def find(
        self,
        text: str,
        *,
        turns: Sequence[str] = (),
        focus: str | None = None,
        focus_offered: Sequence[str] = (),
        today: date | None = None,
    ) -> Found: ...


FinderNow = Callable[[], Finder]
"""Gives the finder of the catalogue published now; it may change between turns."""


class Guides(Protocol):
    """The published guides in force on a day."""

    def get(self, code: str, today: date) -> PublishedGuide | None: ...


@dataclass(frozen=True, slots=True)
class Search:
    """What the index found for a text, as the rules look at it. ``joined``: it was searched with an earlier turn."""

    decision: Decision
    confidence: float
    candidates: tuple[Candidate, ...]
    exact: bool = False
    kept_focus: bool = False
    joined: bool = False

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    def is_sure_of_other_than(self, codes: Collection[str]) -> bool:
        """Whether the text certainly means a matter that is none of ``codes``."""
        sure = self.exact or (self.decision == "answered" and self.confidence >= SURE)
        return sure and self.best is not None and self.best.code not in codes

    @property
    def follows_up(self) -> bool:
        """Whether the text goes on with the topic."""
        return self.kept_focus or self.joined


@dataclass(frozen=True, slots=True)
class Situation:
    """One turn as a skill sees it."""

    understanding: Understanding
    focus: Focus
    today: date
    search: Search | None
    """None where nothing was searched, for the wording alone decided."""


class Skill(Protocol):
    """Something the assistant can do besides answering from guides; other parts of the system bring their own."""

    def answer(self, situation: Situation) -> tuple[Reply, Focus]: ...
