"""What people decided about earlier complaints, set beside the learned decision which unit one goes to.

A unit that was sent something alike before is likelier, one that returned it less likely. How much that counts and how
alike it must be is chosen on the decisions themselves, each held against those of the other folds; choosing nothing at
all is one of the choices.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.grouping import tied

FOLDS = 5
ALIKE = 0.85
"""Cosine from which two complaints may tell of one incident: they are held out together. Of the complaints trained with
one in ten of those about one incident is that near, and of other pairs one in sixty thousand."""
WEIGHTS = (1.0, 2.0, 3.0, 4.5, 6.0)
"""What a unit that was sent the very same is likelier by, as a logarithm."""
REACHES = (0.15, 0.3, 0.6)
"""Distance (one less the cosine) at which a decision counts 1/e of what it counts for the very same."""
LEAST = 1e-4
"""Probability of a right unit that does not come into question at all."""

Shares = Mapping[str, float]
"""Probability of each unit."""

Nearest = Mapping[str, tuple[float | None, float | None]]
"""The cosine of the nearest decision for each unit, and of the nearest against it; None where there is none."""


@dataclass(frozen=True)
class Lesson:
    """A complaint that people decided about: the ``right`` unit, where one is known, and those that returned it."""

    vector: Vectors
    right: str | None
    wrong: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tuning:
    """How much memory counts. ``weight`` 0: not at all."""

    weight: float
    reach: float


NONE = Tuning(0.0, 1.0)
CHOICES = (NONE, *(Tuning(weight, reach) for weight in WEIGHTS for reach in REACHES))


class Memory:
    """Lessons ready for comparison. Read-only, so threads may share it."""

    def __init__(self, lessons: Sequence[Lesson], tuning: Tuning = NONE) -> None:
        self.tuning = tuning
        told = [(lesson.vector, lesson.right, 1) for lesson in lessons if lesson.right is not None]
        told += [(lesson.vector, unit, -1) for lesson in lessons for unit in sorted(lesson.wrong)]
        self._vectors = np.stack([vector for vector, _, _ in told]) if told else np.zeros((0, 0), np.float32)
        self._places: dict[tuple[str, int], list[int]] = {}
        for place, (_, unit, sign) in enumerate(told):
            self._places.setdefault((str(unit), sign), []).append(place)

    def adjusted(self, shares: Shares, vector: Vectors) -> dict[str, float]:
        """``shares`` of a complaint with ``vector``, after what is remembered; they sum to what they did."""
        return moved(shares, self.nearest(shares, vector), self.tuning)

    def nearest(self, units: Iterable[str], vector: Vectors) -> Nearest:
        """The cosine of the nearest decision for each of ``units``, and against it. Nothing for another encoder's."""
        if not len(self._vectors) or self._vectors.shape[1] != len(vector):
            return {}
        alike = self._vectors @ vector
        return {unit: (self._most(unit, 1, alike), self._most(unit, -1, alike)) for unit in units}

    def _most(self, unit: str, sign: int, alike: NDArray[np.float32]) -> float | None:
        places = self._places.get((unit, sign))
        return min(1.0, float(alike[places].max())) if places else None


def moved(shares: Shares, nearest: Nearest, tuning: Tuning) -> dict[str, float]:
    """``shares`` after the ``nearest`` decisions; they sum to what they did."""
    if not tuning.weight or not nearest:
        return dict(shares)

    def counts(cosine: float | None) -> float:
        return 0.0 if cosine is None else math.exp((cosine - 1.0) / tuning.reach)

    raised = {
        unit: share * math.exp(tuning.weight * (counts(nearest[unit][0]) - counts(nearest[unit][1])))
        for unit, share in shares.items()
    }
    whole, total = sum(raised.values()), sum(shares.values())
    return {unit: share * total / whole for unit, share in raised.items()} if whole else dict(shares)


def first(shares: Shares) -> str | None:
    """The likeliest unit."""
    return max(shares, key=lambda unit: shares[unit], default=None)


def folds(lessons: Sequence[Lesson]) -> list[int]:
    """The fold of each lesson. What may tell of one incident shares one, so that none is learned from itself."""
    vectors = np.stack([lesson.vector for lesson in lessons])
    alike = (
        (later, int(earlier))
        for later in range(1, len(lessons))
        for earlier in np.flatnonzero(vectors[:later] @ vectors[later] >= ALIKE)
    )
    group = tied(len(lessons), alike)
    order = {each: place for place, each in enumerate(sorted(set(group)))}
    return [order[each] % FOLDS for each in group]


def loss(lesson: Lesson, shares: Shares) -> float:
    """How badly ``shares`` fit: the surprise at the right unit, or at its not being one of those that returned it."""
    wrong = sum(shares.get(unit, 0.0) for unit in lesson.wrong)
    likely = shares.get(lesson.right, 0.0) if lesson.right is not None else 1.0 - wrong
    return -math.log(max(LEAST, likely))


def tuned(lessons: Sequence[Lesson], shares: Sequence[Shares], fold: Sequence[int]) -> Tuning:
    """The tuning that fits best where every lesson is held against those of the other folds."""
    totals = dict.fromkeys(CHOICES, 0.0)
    for held in set(fold):
        memory = Memory([lesson for lesson, number in zip(lessons, fold, strict=True) if number != held])
        for lesson, given, number in zip(lessons, shares, fold, strict=True):
            if number == held:
                nearest = memory.nearest(given, lesson.vector)
                for tuning in CHOICES:
                    totals[tuning] += loss(lesson, moved(given, nearest, tuning))
    return min(CHOICES, key=lambda tuning: totals[tuning])


def cross_validated(lessons: Sequence[Lesson], shares: Sequence[Shares]) -> list[dict[str, float]]:
    """What each lesson would be given by a memory, tuning and all, made of the lessons of the other folds."""
    fold = folds(lessons)
    found: list[dict[str, float]] = [{} for _ in lessons]
    for held in set(fold):
        others = [place for place, number in enumerate(fold) if number != held]
        known = [lessons[place] for place in others]
        tuning = tuned(known, [shares[place] for place in others], [fold[place] for place in others])
        memory = Memory(known, tuning)
        for place, number in enumerate(fold):
            if number == held:
                found[place] = memory.adjusted(shares[place], lessons[place].vector)
    return found
