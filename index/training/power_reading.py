"""What the second look at powers learns from: a complaint with powers that the first look takes for its own.

Trained by :mod:`index.training.reading`; used by :mod:`index.training.dispatching`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.dispatching import READ, to_read
from index.training.pairs import first_likelier
from index.training.reading import Group

WRONG = 5
"""Powers of other units in a group, the likelier the more often."""
LEFT_OUT = 0.12
"""How often the right one is left out."""
VERY = 0.8
"""How often the very power is the right one, where it is known; else the likeliest of a right unit."""
BARE = 0.15
"""How often a power is read by its name alone, as one without topics is."""


@dataclass(frozen=True)
class Reading:
    """A complaint over its city's list, by the numbers of its texts among all.

    ``powers``: the passages of the powers looked at; ``names``: their names alone; ``scores``: what the first look
    says of them, out of sample; ``right``: whether the unit is right; ``very``: place of the very power, or -1.
    """

    own: int
    powers: tuple[int, ...]
    names: tuple[int, ...]
    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    very: int

    @property
    def read(self) -> NDArray[np.intp]:
        """Places of those that are read where it is served."""
        return to_read(self.scores)


def groups(readings: Sequence[Reading], draw: random.Random) -> list[Group]:
    """One group of each, drawn anew each time."""
    made = []
    for reading in readings:
        likeliest = np.argsort(-reading.scores)
        wrong = [int(place) for place in likeliest[: READ + 2] if not reading.right[place]]
        chosen = first_likelier(wrong, WRONG, draw)
        if draw.random() >= LEFT_OUT and (good := _good(reading, likeliest, draw)) is not None:
            chosen.append(good)
        if chosen:
            texts = [(reading.names if draw.random() < BARE else reading.powers)[place] for place in chosen]
            made.append(Group(reading.own, tuple(texts), tuple(bool(reading.right[place]) for place in chosen)))
    return made


def _good(reading: Reading, likeliest: NDArray[np.intp], draw: random.Random) -> int | None:
    if reading.very >= 0 and draw.random() < VERY:
        return reading.very
    return next((int(place) for place in likeliest if reading.right[place]), None)
