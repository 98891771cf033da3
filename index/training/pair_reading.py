"""What the second look at complaints that may tell of the same incident learns from (:mod:`index.training.reading`).

A group is a complaint with earlier ones that the first look finds alike, and those written to mislead.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.training.choosing import Pair
from index.training.reading import Group

HARD, RIGHT, MISLEADING = 4, 2, 3
"""Of each kind at most so many in a group: alike to the first look, of the same incident, written to mislead."""
TURNED = 0.5
"""How often a pair is read the other way round: the same incident either way."""


def groups(looked: Sequence[Pair], likely: NDArray[np.float64], draw: random.Random) -> list[Group]:
    """One group of each complaint in ``looked``; ``likely``: what the first look says of each pair."""
    of: dict[int, list[tuple[float, Pair]]] = defaultdict(list)
    for pair, probability in zip(looked, likely, strict=True):
        of[pair.later].append((float(probability), pair))
    made = []
    for later, held in of.items():
        held.sort(key=lambda each: -each[0])
        alike = [pair for _, pair in held if pair.near and not pair.same]
        told = [pair for _, pair in held if not pair.near and not pair.same]
        right = [pair for _, pair in held if pair.same]
        kept = [
            *alike[:HARD],
            *draw.sample(told, min(len(told), MISLEADING)),
            *draw.sample(right, min(len(right), RIGHT)),
        ]
        if kept:
            made.append(Group(later, tuple(p.earlier for p in kept), tuple(p.same for p in kept)))
    return made
