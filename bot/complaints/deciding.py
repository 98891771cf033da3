"""What a complaint is and where it goes: kind, danger, category, unit. Only the list published now decides.

The unit must hold a power that the decision names, with the legal basis and the duty it rests on. Below the confidence
at which units are usually right nobody is chosen: an operator decides between the three likeliest.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import tomllib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from bot.complaints.model import Kind
from bot.conversations.danger import is_certain, kind_of_danger, sounds_harmless
from bot.errors import InvalidInput
from bot.matters.model import Power
from bot.rule_file import RuleFile, Table
from bot.text import normalise
from index.bridge import Bridge
from index.builder import VectorCache
from index.dispatching import Choice, Dispatcher, DispatchModel, PowerReader
from index.encoder import Encoder, Vectors
from index.judging import Judge
from index.memory import Memory
from index.powers import PowerDocument, PowerIndex

log = logging.getLogger(__name__)

CO_UNIT = 0.2
"""Probability from which another unit is asked to take part."""
_SHIPPED_CATEGORIES = Path(__file__).resolve().parents[2] / "catalogue" / "complaints" / "categories.json"
LONGEST_CATEGORY = 120
LONGEST_EXAMPLE = 120
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
        encoder: Encoder,
        version: Callable[[], str | None],
        powers: Callable[[], Sequence[Power]],
        cache: Path,
        categories: Categories,
        memory: Callable[[], Memory | None] = lambda: None,
    ) -> None:
        """``memory``: what was learned from the decisions of people, where anything was (relearning.py)."""
        self.encoder = encoder
        self._version = version
        self._powers = powers
        self._cache = cache
        self._categories = categories
        self._memory = memory
        self._judge = Judge.load()
        self._model = DispatchModel.load()
        self._bridge = Bridge.beside(encoder)
        self._reader = PowerReader.beside(encoder)
        self._lock = threading.Lock()
        self._list: _List | None = None

    def decide(self, text: str, kind: Kind | None = None, place: str | None = None) -> Decision:
        """The decision on ``text`` (already checked for length); ``kind`` as the citizen named it, if he did."""
        plain = normalise(text)
        listed = self._current()
        heard = listed.dispatcher.hear(plain)
        vector = heard.vector
        judged = self._judge.judge(plain, vector, marks(plain))
        danger = kind_of_danger(plain)
        urgent = judged.is_urgent or (is_certain(plain) and danger is not None)
        memory = self._memory()
        recalled = (lambda shares: memory.adjusted(shares, vector)) if memory is not None else None
        said = _with_place(plain, place)
        choices = listed.dispatcher.choices(heard if said == plain else listed.dispatcher.hear(said), recalled=recalled)
        candidates = tuple(self._candidate(listed, choice, vector) for choice in choices)
        confidence = choices[0].score if choices else 0.0
        sure = bool(choices) and confidence >= listed.dispatcher.threshold
        return Decision(
            kind=kind or Kind(judged.kind),
            category=self._categories.nearest(vector),
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
        said = listed.dispatcher.hear(_with_place(normalise(text), place))
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
                index = PowerIndex.build(documents, self.encoder, self._cache, self._bridge)
                self._list = _List(version, powers, Dispatcher(index, self._model, self._reader))
                log.info("powers in use: version %s, %d powers", version, len(powers))
            return self._list


class Categories:
    """The published list of categories, two levels, found by name and by examples. Safe to use from several threads.

    The texts are encoded when they are first needed, and again when the city publishes another list.
    """

    def __init__(self, file: RuleFile[list[Category]], encoder: Encoder, cache: Path) -> None:
        """``cache`` is the file of vectors encoded before."""
        self._file = file
        self._encoder = encoder
        self._cache = cache
        self._lock = threading.Lock()
        self._encoded: tuple[list[Category], list[str], Vectors] | None = None

    def nearest(self, vector: Vectors) -> str:
        """The category ``大类/小类`` nearest to the text of ``vector``."""
        owners, vectors = self._current()
        return owners[int(np.argmax(vectors @ vector))]

    def prepare(self) -> None:
        """Encodes the list, where it is not."""
        self._current()

    def _current(self) -> tuple[list[str], Vectors]:
        with self._lock:
            listed = self._file.current()
            if self._encoded is None or self._encoded[0] is not listed:
                said = [(text[:LONGEST_EXAMPLE], category.name) for category in listed for text in category.texts]
                with closing(VectorCache(self._cache, self._encoder)) as store:
                    vectors, _ = store.encode([text for text, _ in said], None)
                self._encoded = (listed, [owner for _, owner in said], vectors)
            return self._encoded[1], self._encoded[2]


@dataclass(frozen=True, slots=True)
class Category:
    """One category of the list; ``examples`` are what citizens say that belongs there."""

    parent: str
    child: str
    examples: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.parent}/{self.child}"

    @property
    def texts(self) -> tuple[str, ...]:
        """What the category is found by."""
        return (f"{self.parent} {self.child}", self.child, *self.examples)


def parse_categories(text: str) -> list[Category]:
    """The categories in the JSON ``text``. Raises ValueError in Chinese."""
    form = '应为 [{"name": 大类, "children": [{"name": 小类, "examples": [例句]}]}]'
    try:
        found = [
            Category(_named(parent), _named(child), tuple(str(each) for each in child.get("examples") or ()))
            for parent in json.loads(text)
            for child in parent["children"]
        ]
    except json.JSONDecodeError as error:
        raise ValueError(f"第 {error.lineno} 行不是正确的 JSON；{form}") from None
    except (KeyError, TypeError, AttributeError):
        raise ValueError(form) from None
    if not found:
        raise ValueError("至少要有一个小类")
    names = [category.name for category in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or max(map(len, names)) > LONGEST_CATEGORY:
        raise ValueError(f"“{twice}”有两个" if twice else f"大类与小类合起来最多 {LONGEST_CATEGORY} 个字")
    return found


def _named(part: dict[str, object]) -> str:
    name = str(part["name"]).strip()
    if not name or "/" in name:
        raise ValueError("每一类都要有名称，名称里不能有斜线")
    return name


CATEGORIES = Table(
    name="complaint_categories",
    title="诉求分类表",
    file="complaint-categories.json",
    page="docs/complaints.md",
    shipped=lambda: _SHIPPED_CATEGORIES.read_text("utf-8"),
    parse=parse_categories,
)


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
