"""What the assistant needs of others, as narrow protocols: a finder of matters, published guides, further skills."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, runtime_checkable

from bot.conversations.model import Candidate, Focus, Reply, SkillState, Understanding
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
    search: Search | None = None
    """None where nothing was searched, for the wording alone decided."""
    conversation_id: str = ""
    citizen: str | None = None
    """The name the channel vouches for, such as ``wechat:<openid>``; None where it knows nobody."""
    origin: str = ""
    """Tells strangers apart, for counting wrong codes."""
    channel: str = "conversation"
    turn_id: str = ""
    """The turn, the same however often it is answered: what is done in it is done once."""
    look: Callable[[], Search] | None = None
    """Searches the index for the text, where a skill must know whether a guide answers it."""


class Skill(Protocol):
    """Something the assistant can do besides answering from guides; other parts of the system bring their own."""

    def answer(self, situation: Situation) -> tuple[Reply, Focus]: ...


@runtime_checkable
class Listener(Protocol):
    """A skill that knows a text of its own by its wording alone, such as what its buttons send."""

    def overhear(self, situation: Situation) -> tuple[Reply, Focus] | None:
        """The answer to a text that can only be for this skill; None for every other text."""
        ...


@runtime_checkable
class Form(Skill, Protocol):
    """A skill that asks for what is missing, over several turns: it leaves a SkillState in the focus it returns."""

    def resume(self, situation: Situation) -> tuple[Reply, Focus] | None:
        """The text as an answer to what was asked; None where it is none, and the assistant answers as usual.

        Called only while ``situation.focus.skill`` is this skill's. To end, return a focus without it.
        """
        ...

    def reminder(self, state: SkillState, situation: Situation) -> str:
        """What is still asked, said once more after an interrupting question was answered; empty ends the form."""
        ...


@runtime_checkable
class Guardian(Protocol):
    """A skill that does something about danger to life, after the emergency number was said."""

    def alarm(self, situation: Situation, threat: str) -> tuple[Reply, Focus] | None:
        """What follows the number; None where nothing does. Never raises."""
        ...


@runtime_checkable
class Suggesting(Protocol):
    """A skill that may be what was meant by a text of which the catalogue knows nothing."""

    def suggestion(self, situation: Situation) -> tuple[str, str] | None:
        """A choice to offer beside the plain word that nothing is known: its title, and what it sends."""
        ...


class Watcher(Protocol):
    """Sees every reply before it is given, and may add to it: the hand-off calls a person where it is time."""

    def watch(self, situation: Situation, answer: tuple[Reply, Focus], threat: str | None) -> tuple[Reply, Focus]:
        """The answer as it is given. ``threat``: the danger somebody is in now, by its kind."""
        ...
