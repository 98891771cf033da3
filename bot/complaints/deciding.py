"""What a complaint is and where it goes: kind, danger, category, unit. Only the list published now decides.

The unit must hold a power that the decision names, with the legal basis and the duty it rests on. Below the confidence
at which units are usually right nobody is chosen: an operator decides between the three likeliest.
"""

from __future__ import annotations

import logging
import re
import threading
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np

from bot.complaints.categories import Categories
from bot.complaints.model import Kind
from bot.conversations.danger import is_certain, kind_of_danger, sounds_harmless
from bot.errors import InvalidInput
from bot.matters.model import Power
from bot.text import normalise
from index.dispatching import Choice, Dispatcher, Dispatching
from index.encoder import Vectors
from index.judging import Judge
from index.memory import Memory
from index.powers import PowerDocument

log = logging.getLogger(__name__)

CO_UNIT = 0.2
"""Probability from which another unit is asked to take part."""
MARKS = ("danger", "harmless", "certain", "danger_now", "peril", "passed", "peril_now", "now")
"""What the rules of wording may say of a text; the judge learns how much each is worth."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit that may be responsible: how likely, by which power, and what that power rests on."""

    department: str
    score: float
    power: str
    basis: str

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        return {
            "department": self.department,
            "score": round(self.score, 3),
            "power": self.power,
            "basis": self.basis,
        }


@dataclass(frozen=True)
class Decision:
    """``department`` None: an operator decides. ``danger``: which one, where there is any (see danger.toml)."""

    kind: Kind
    category: str
    urgent: bool
    danger: str | None
    department: str | None
    co_departments: tuple[str, ...]
    confidence: float
    candidates: tuple[Candidate, ...]
    vector: Vectors

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None


@dataclass(frozen=True)
class _List:
    """One version of the responsibility list, ready."""

    version: str | None
    powers: tuple[Power, ...]
    dispatcher: Dispatcher
    duties: dict[int, Vectors] = field(default_factory=dict)
    """Vectors of a power's duties, by its number, once they were needed."""


class Decider:
    """Decides on texts. Safe to use from several threads; follows the published list and keeps it in memory."""

    def __init__(
        self,
        dispatching: Dispatching,
        version: Callable[[], str | None],
        powers: Callable[[], Sequence[Power]],
        categories: Categories,
        memory: Callable[[], Memory | None] = lambda: None,
    ) -> None:
        """``memory``: what was learned from the decisions of people, where anything was (relearning.py)."""
        self.encoder = dispatching.encoder
        self._dispatching = dispatching
        self._version = version
        self._powers = powers
        self._categories = categories
        self._memory = memory
        self._judge = Judge.load()
        self._lock = threading.Lock()
        self._list: _List | None = None

    def decide(self, text: str, kind: Kind | None = None, place: str | None = None) -> Decision:
        """The decision on ``text`` (already checked for length); ``kind`` as the citizen named it, if he did."""
        plain = normalise(text)
        listed = self._current()
        heard = self._dispatching.hear(plain)
        vector = heard.vector
        judged = self._judge.judge(plain, vector, marks(plain))
        danger = kind_of_danger(plain)
        urgent = judged.is_urgent or (is_certain(plain) and danger is not None)
        memory = self._memory()
        recalled = (lambda shares: memory.adjusted(shares, vector)) if memory is not None else None
        said = _with_place(plain, place)
        choices = listed.dispatcher.choices(heard if said == plain else self._dispatching.hear(said), recalled=recalled)
        candidates = tuple(self._candidate(listed, choice, vector) for choice in choices)
        confidence = choices[0].score if choices else 0.0
        sure = bool(choices) and confidence >= listed.dispatcher.threshold
        return Decision(
            kind=kind or Kind(judged.kind),
            category=self._categories.nearest(heard),
            urgent=urgent,
            danger=(danger or "general") if urgent else None,
            department=choices[0].department if sure else None,
            co_departments=tuple(c.department for c in choices[1:] if sure and c.score >= CO_UNIT),
            confidence=confidence,
            candidates=candidates,
            vector=vector,
        )

    def shares(self, text: str, place: str | None) -> dict[str, float]:
        """The probability of every unit that comes into question for ``text``, nothing remembered; see decide."""
        listed = self._current()
        said = self._dispatching.hear(_with_place(normalise(text), place))
        choices = listed.dispatcher.choices(said, most=len(listed.powers))
        return {choice.department: choice.score for choice in choices}

    @property
    def threshold(self) -> float:
        """The confidence from which a complaint is sent without asking."""
        return self._current().dispatcher.threshold

    def units(self, query: str = "", most: int = 10) -> list[tuple[str, str]]:
        """Units of the published list whose name, or one of whose powers' names, holds ``query``; with that power."""
        wanted = normalise(query)
        found: dict[str, str] = {}
        for power in self._current().powers:
            if wanted in normalise(power.department):
                found[power.department] = ""
            elif wanted in normalise(power.name):
                found.setdefault(power.department, power.name)
        return sorted(found.items(), key=lambda each: (bool(each[1]), each[0]))[:most]

    def check_unit(self, department: str) -> None:
        """Raises InvalidInput where the published list has no such unit."""
        if all(power.department != department for power in self._current().powers):
            raise InvalidInput(
                f"权责清单里没有“{department}”。",
                code="department_unknown",
                remedy="请从查找结果里选择承办单位。",
            )

    def check_category(self, category: str) -> None:
        """Raises InvalidInput where the published list of categories has no such one."""
        self._categories.check(category)

    def prepare(self) -> None:
        """Makes the published lists ready, where they are not."""
        self._current()
        self._categories.prepare()

    def _candidate(self, listed: _List, choice: Choice, vector: Vectors) -> Candidate:
        """The choice with what it rests on: the power's name, the duty that comes nearest, and the law."""
        power = listed.powers[choice.power]
        duty = ""
        if power.responsibilities:
            if choice.power not in listed.duties:
                texts = [each.text for each in power.responsibilities]
                listed.duties[choice.power] = self.encoder.encode_passages(texts)
            nearest = int(np.argmax(listed.duties[choice.power] @ vector))
            duty = f"·{power.responsibilities[nearest].step}"
        laws = "、".join(f"《{law.title.strip('《》')}》{law.article or ''}" for law in power.legal_basis[:2])
        basis = f"{power.name}{duty}" + (f"（{laws}）" if laws else "")
        return Candidate(choice.department, choice.score, power.code, basis)

    def _current(self) -> _List:
        version = self._version()
        held = self._list
        if held is not None and held.version == version:
            return held
        with self._lock:
            if self._list is None or self._list.version != version:
                powers = tuple(self._powers())
                documents = [_document(power) for power in powers]
                self._list = _List(version, powers, self._dispatching.over(documents))
                log.info("powers in use: version %s, %d powers", version, len(powers))
            return self._list


@cache
def _peril() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    table = tomllib.loads(files("bot.complaints").joinpath("peril.toml").read_text("utf-8"))
    signs = "|".join(f"(?:{sign})" for sign in table["signs"])
    return re.compile(signs), re.compile(table["over"]), re.compile(table["now"])


def marks(text: str) -> tuple[str, ...]:
    """What the rules of wording say, for the judge."""
    danger, harmless = kind_of_danger(text) is not None, sounds_harmless(text)
    signs, over, now = _peril()
    peril, passed = signs.search(text) is not None, over.search(text) is not None
    said = {
        "danger": danger,
        "harmless": harmless,
        "certain": is_certain(text),
        "danger_now": danger and not harmless,
        "peril": peril,
        "passed": passed,
        "peril_now": peril and not passed,
        "now": now.search(text) is not None,
    }
    return tuple(name for name, holds in said.items() if holds)


def _with_place(plain: str, place: str | None) -> str:
    """What the list is searched by: text and place together."""
    return plain if not place or place in plain else f"{plain} {normalise(place)}"


def _document(power: Power) -> PowerDocument:
    return PowerDocument(
        power.code, power.name, power.department, power.topics, tuple(d.text for d in power.responsibilities)
    )
