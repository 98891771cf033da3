"""Which complaints are held against each other, and how the choices made of them count.

Needs nothing but numpy. As it is served: every complaint is held against the nearest before it, and the likeliest of
them, where it is likely enough, is taken for the same incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.incident import NEAREST
from index.pairing import Report, incidents


@dataclass(frozen=True, slots=True)
class Pair:
    """An earlier and a later complaint of one file. ``near``: the earlier is one that would be looked at."""

    earlier: int
    later: int
    same: bool
    near: bool


def pairs(complaints: list[dict[str, Any]], made: list[Report]) -> list[Pair]:
    """Every complaint with the nearest before it, with those it must be told from, and with those of its incident."""
    incident = incidents([complaint.get("duplicate_of") for complaint in complaints])
    vectors = np.stack([each.vector for each in made])
    together = vectors @ vectors.T
    found: list[Pair] = []
    for later, complaint in enumerate(complaints):
        near = set(np.argsort(-together[later, :later], kind="stable")[:NEAREST].tolist())
        told = {other for other in complaint.get("distinct_from", ()) if other < later}
        told |= {other for other in range(later) if incident[other] == incident[later]}
        found += [Pair(n, later, incident[n] == incident[later], n in near) for n in sorted(near | told)]
    return found


@dataclass(frozen=True, slots=True)
class Choices:
    """Of every complaint the likeliest of those before it: how likely, whether it is right; and how many have one."""

    likely: NDArray[np.float64]
    right: NDArray[np.bool_]
    known: int

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and precision of what is taken for the same from ``threshold`` on."""
        taken = self.likely >= threshold
        hits = int(self.right[taken].sum())
        return hits / max(self.known, 1), hits / max(int(taken.sum()), 1)

    def threshold(self, precise: float) -> float:
        """The least likelihood from which on at least ``precise`` of what is taken is right; 0.99 where none is."""
        order = np.argsort(-self.likely)
        share = np.cumsum(self.right[order]) / np.arange(1, len(order) + 1)
        enough = np.flatnonzero(share >= precise)
        return float(self.likely[order][enough[-1]]) if len(enough) else 0.99


def choices(looked: Sequence[tuple[int, Pair]], likely: NDArray[np.float64]) -> Choices:
    """As they are served: one choice for each complaint. ``looked``: number of the file, and pair."""
    best: dict[tuple[int, int], tuple[float, bool]] = {}
    for (file, pair), probability in zip(looked, likely, strict=True):
        if pair.near and probability > best.get((file, pair.later), (0.0, False))[0]:
            best[file, pair.later] = float(probability), pair.same
    return Choices(
        np.array([probability for probability, _ in best.values()]),
        np.array([same for _, same in best.values()], bool),
        len({(file, pair.later) for file, pair in looked if pair.same}),
    )
