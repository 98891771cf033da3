"""Labelled complaints laid before responsibility lists: what the decision which unit one goes to learns from.

Whole units of the sample city are kept apart, and whole cities of the others. What the bridge
(:mod:`index.training.bridging`) says of a complaint was learnt from the other folds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.bridge import Bridge
from index.encoder import Encoder, Vectors
from index.powers import Evidence, PowerDocument, PowerIndex
from index.training import bridging
from index.training.bridging import rights

FOLDS = 3
WHOLE = 1.0
"""Weight of a complaint against its city's whole list: these rows are read, and measured on."""


@dataclass(frozen=True)
class Row:
    """A complaint against one list: evidence, each power and its unit, right units, the right power's place or -1."""

    text: str
    evidence: Evidence
    documents: tuple[PowerDocument, ...]
    units: tuple[str, ...]
    right: frozenset[str]
    power: int
    city: str
    group: str
    weight: float


@dataclass(frozen=True)
class City:
    """A responsibility list and complaints about it; the sample city, whose units are held out singly, has no name."""

    name: str
    powers: Sequence[PowerDocument]
    complaints: Sequence[dict[str, Any]]
    vectors: Vectors
    """Those of the complaints."""

    def among(self, kept: NDArray[np.bool_]) -> City:
        """The same list with the complaints that are ``kept``."""
        return replace(self, complaints=list(compress(self.complaints, kept)), vectors=self.vectors[kept])


def rows(
    complaints: Sequence[dict[str, Any]], vectors: Vectors, index: PowerIndex, weight: float, city: str = ""
) -> list[Row]:
    """A row for each of ``complaints`` that some unit of ``index`` is right for. ``city``: held out as one, or ''."""
    units = {p.department for p in index.powers}
    made = []
    for complaint, vector in zip(complaints, vectors, strict=True):
        if not rights(complaint) & units:
            continue
        evidence = index.evidence(complaint["text"], vector)
        codes = [index.powers[n].code for n in evidence.powers]
        place = codes.index(complaint["power"]) if complaint["power"] in codes else -1
        documents = tuple(index.powers[n] for n in evidence.powers)
        units_of = tuple(power.department for power in documents)
        group = city or complaint["department"]
        made.append(
            Row(complaint["text"], evidence, documents, units_of, rights(complaint), place, city, group, weight)
        )
    return made


def variants(city: City, encoder: Encoder, cache: Path, bridge: Bridge | None, seed: int) -> list[Row]:
    """Rows against the whole list; of every other complaint against shorter and barer lists, and without the bridge."""
    draw = random.Random(seed)
    some = city.among(np.arange(len(city.complaints)) % 2 == seed % 2)

    def laid(of: City, powers: Sequence[PowerDocument], weight: float, bridge: Bridge | None = bridge) -> list[Row]:
        index = PowerIndex.build(powers, encoder, cache, bridge)
        return rows(of.complaints, of.vectors, index, weight, city.name)

    made = laid(city, city.powers, WHOLE)
    departments = sorted({p.department for p in city.powers})
    for share in (0.35, 0.6):
        kept = set(draw.sample(departments, max(2, round(share * len(departments)))))
        made += laid(some, [p for p in city.powers if p.department in kept], 0.8)
    halved = [replace(p, topics=tuple(t for t in p.topics if draw.random() < 0.5)) for p in city.powers]
    made += laid(some, halved, 0.6)
    made += laid(some, [replace(p, topics=()) for p in city.powers], 0.3)
    return made + laid(some, city.powers, 0.2, None)


def folds_of(cities: Sequence[City]) -> dict[str, int]:
    """The fold of every unit of the sample city and of every other city."""
    named = sorted({city.name or c["department"] for city in cities for c in city.complaints})
    random.Random(5).shuffle(named)
    return {group: i % FOLDS for i, group in enumerate(named)}


def crossed(cities: Sequence[City], fold: Mapping[str, int], encoder: Encoder, cache: Path) -> list[Row]:
    """Rows of all ``cities``, each with a bridge that was learnt from other folds."""
    indexes = [PowerIndex.build(city.powers, encoder, cache) for city in cities]
    made: list[Row] = []
    for k in range(FOLDS):
        held = [np.array([fold[city.name or c["department"]] == k for c in city.complaints]) for city in cities]
        inside = [city.among(~out) for city, out in zip(cities, held, strict=True)]
        learnt = [bridging.listed(index, c.complaints, c.vectors) for index, c in zip(indexes, inside, strict=True)]
        bridge = Bridge(bridging.fit(learnt, seed=k))
        for city, out in zip(cities, held, strict=True):
            if out.any():
                made += variants(city.among(out), encoder, cache, bridge, seed=k)
        print(f"bridge {k + 1} of {FOLDS}", flush=True)
    return made


def city_of(name: str, powers: Sequence[PowerDocument], complaints: Sequence[dict[str, Any]], encoder: Encoder) -> City:
    return City(name, powers, complaints, encoder.encode_queries([c["text"] for c in complaints]))
