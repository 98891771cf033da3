"""Which powers of a responsibility list a complaint is about: the evidence a decision is made on.

A power is found by its name, by each of its topics (the words people use), and by both together. Its duties count by
their words only: they repeat from power to power. Nothing here knows a city: every number is a similarity, a coverage
or a position within the list at hand, so that a decision learned on one list holds for another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.bridge import Bridge
from index.builder import VectorCache
from index.encoder import Encoder, Vectors
from index.features import lead
from index.lexical import Lexical, tokens

PER_POWER = (
    "name", "topic", "second_topic", "third_topic", "summary", "best", "best_gap", "name_gap", "topic_gap",
    "bm25", "bm25_gap", "topic_in_text", "covered", "unit_named", "unit_best", "unit_best_gap", "unit_second",
    "unit_bm25_gap", "has_topics", "turned", "turned_gap", "turned_unit_gap", "recalled", "recalled_gap",
    "recalled_unit_gap",
)  # fmt: skip
"""Features of one power against one complaint, in their order."""

LEARNT = 6
"""The last features, which come from the bridge; without it the first three repeat plain meaning, the others are 0."""

OF_TEXT = ("length", "top", "second", "spread", "agreement")
"""Features of the complaint against the whole list, in their order."""

CONSIDERED = 48
"""Powers that are looked at closely: those nearest in meaning, as it is and turned, and those that share most words."""

LONGEST_TOPICS = 100
"""Characters of topics that the summary text holds."""

Matrix = NDArray[np.float32]

_PLACE = re.compile(r"^(?:国家\w{2}总局)?.{1,8}?[省市县区州盟旗](?=.{2})")
_UNIT_END = "局委办队站所院馆会厅部司处"


@dataclass(frozen=True, slots=True)
class PowerDocument:
    """One power as the index sees it; ``duties`` are the texts of its responsibilities."""

    code: str
    name: str
    department: str
    topics: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()


def power_document(power: Mapping[str, Any]) -> PowerDocument:
    """The document of ``power`` (a mapping in the exchange format)."""
    return PowerDocument(
        code=power["code"],
        name=power["name"],
        department=power["department"],
        topics=tuple(power.get("topics") or ()),
        duties=tuple(duty["text"] for duty in power.get("responsibilities") or ()),
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for which power: row ``i`` of ``features`` is about the power numbered ``powers[i]``."""

    powers: NDArray[np.intp]
    features: Matrix
    of_text: Matrix


@dataclass(slots=True)
class PowerRows:
    """The encoded texts of a list: rows of one power lie together, its name first, its summary last."""

    texts: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)


class PowerIndex:
    """A responsibility list ready for comparison with complaints. Read-only, so threads may share it."""

    def __init__(self, powers: Sequence[PowerDocument], vectors: Vectors, bridge: Bridge | None = None) -> None:
        """``bridge``: what is known of complaints to this encoder; without it meaning is all there is."""
        self.powers = tuple(powers)
        self.vectors = vectors
        self._bridge = bridge
        self._turned = bridge.told(vectors) if bridge and len(vectors) else vectors
        self._starts = np.array(power_rows(powers).starts, np.intp)
        self._lexical = Lexical.build(
            [token for text in (p.name, *p.topics, *p.duties) for token in tokens(text)] for p in powers
        )
        names = sorted({p.department for p in powers})
        number = {name: i for i, name in enumerate(names)}
        self._department = np.array([number[p.department] for p in powers], np.intp)
        self._cores = [unit_cores(name) for name in names]
        self._own_tokens = [frozenset(t for text in (p.name, *p.topics) for t in tokens(text)) for p in powers]

    @classmethod
    def build(
        cls, powers: Sequence[PowerDocument], encoder: Encoder, cache: Path, bridge: Bridge | None = None
    ) -> PowerIndex:
        """The index of ``powers``; ``cache`` is the file of vectors encoded before. OSError when the disk is full."""
        with closing(VectorCache(cache, encoder)) as store:
            vectors = store.encode(power_rows(powers).texts, None)[0].astype(np.float32)
        return cls(powers, vectors, bridge)

    def __len__(self) -> int:
        return len(self.powers)

    def evidence(self, text: str, vector: Vectors) -> Evidence:
        """The evidence of ``text`` for the powers that come into question; the list must not be empty.

        ``vector``: the text's as a query.
        """
        similar = self.vectors @ vector
        best = self._best(similar)
        turned, recalled = best, np.zeros_like(best)
        if self._bridge:
            turned = self._best(self._turned @ self._bridge.asked(vector))
            recalled = self._best(self.vectors @ self._bridge.recalled(vector))
        asked = tokens(text)
        bm25 = np.log1p(self._lexical.scores(asked))
        chosen = self._chosen(best, turned, bm25)
        features = self._features(text, asked, chosen, similar, best, bm25)
        learnt = [self._standing(values)[chosen] for values in (turned, recalled)]
        return Evidence(chosen, np.concatenate([features, *learnt], 1), _of_text(text, best, bm25))

    def _best(self, similar: Matrix) -> Matrix:
        """Per power what the most similar of its texts has."""
        return np.maximum.reduceat(similar, self._starts)

    def _standing(self, values: Matrix) -> Matrix:
        """Per power its value, its lead over any other power, and that of its unit over any other unit."""
        unit_lead = lead(_unit_best(values, self._department))
        return np.stack([values, lead(values), unit_lead[self._department]], 1).astype(np.float32)

    def _chosen(self, best: Matrix, turned: Matrix, bm25: Matrix) -> NDArray[np.intp]:
        near, apart, worded = (np.argsort(-values, kind="stable")[: CONSIDERED // 3] for values in (best, turned, bm25))
        return np.unique(np.concatenate([near, apart, worded[bm25[worded] > 0]]))

    def _features(
        self, text: str, asked: Sequence[str], chosen: NDArray[np.intp], similar: Matrix, best: Matrix, bm25: Matrix
    ) -> Matrix:
        rows = np.zeros((len(chosen), len(PER_POWER) - LEARNT), np.float32)
        named = [float(any(_is_named(core, text) for core in cores)) for cores in self._cores]
        rarity = self._lexical.rarity(asked)
        weight = sum(rarity[t] for t in asked) or 1.0
        ends = np.append(self._starts[1:], len(similar))
        best_lead, words_lead = lead(best), lead(bm25)
        unit_best, unit_second = _unit_best(best, self._department), _unit_second(best, self._department)
        unit_lead, unit_words_lead = lead(unit_best), lead(_unit_best(bm25, self._department))
        for i, power in enumerate(chosen):
            own = similar[self._starts[power] : ends[power]]
            document = self.powers[power]
            topics = np.sort(own[1:-1])[::-1] if document.topics else own[:1]
            topic = [float(topics[min(n, len(topics) - 1)]) for n in range(3)]
            within = max((len(t) for t in document.topics if t in text), default=0)
            covered = sum(rarity[t] for t in asked if t in self._own_tokens[power]) / weight
            unit = int(self._department[power])
            rows[i] = (
                own[0], *topic, own[-1], best[power], best_lead[power], own[0], topic[0],
                bm25[power], words_lead[power], min(within, 8) / 4, covered, named[unit],
                unit_best[unit], unit_lead[unit], unit_second[unit], unit_words_lead[unit], bool(document.topics),
            )  # fmt: skip
        for place in (PER_POWER.index("name_gap"), PER_POWER.index("topic_gap")):
            rows[:, place] -= rows[:, place].max()
        return rows


def power_rows(powers: Sequence[PowerDocument]) -> PowerRows:
    """The texts of ``powers`` in their order."""
    rows = PowerRows()
    for power in powers:
        rows.starts.append(len(rows.texts))
        rows.texts += [power.name, *power.topics, summary(power)]
    return rows


def summary(power: PowerDocument) -> str:
    """Name and topics in one text."""
    return power.name + ("：" + "、".join(power.topics)[:LONGEST_TOPICS] if power.topics else "")


def _of_text(text: str, best: Matrix, bm25: Matrix) -> Matrix:
    ordered = np.sort(best)[::-1]
    tenth = ordered[min(9, len(ordered) - 1)]
    second = ordered[min(1, len(ordered) - 1)]
    agreement = float(best.argmax() == bm25.argmax())
    return np.array([min(len(text), 120) / 40, ordered[0], second, ordered[0] - tenth, agreement], np.float32)


def _unit_best(values: Matrix, units: NDArray[np.intp]) -> Matrix:
    """The best value of each unit."""
    best = np.full(int(units.max()) + 1, -1.0, np.float32)
    np.maximum.at(best, units, values)
    return best


def _unit_second(values: Matrix, units: NDArray[np.intp]) -> Matrix:
    """The second best value of each unit; the best where it has no other."""
    below = values.copy()
    for unit in range(int(units.max()) + 1):
        members = np.flatnonzero(units == unit)
        if len(members) > 1:
            below[members[values[members].argmax()]] = -1.0
    return _unit_best(below, units)


def unit_cores(department: str) -> tuple[str, ...]:
    """The parts of a unit's name that its short forms are made of: its name without the city, and its inner unit's."""
    core = _PLACE.sub("", department)
    inner = re.search(r"局(.{3,})$", core)
    return (core, inner.group(1)) if inner else (core,)


def _is_named(core: str, text: str) -> bool:
    """Whether ``text`` holds a short form of ``core``: its first character and others in their order."""
    for start in (m.start() for m in re.finditer(re.escape(core[0]), text)):
        place = 0
        for offset, character in enumerate(text[start : start + len(core)]):
            found = core.find(character, place)
            if found < 0:
                break
            place = found + 1
            if offset >= 1 and character in _UNIT_END:
                return True
            if offset >= 3:
                return True
    return False
