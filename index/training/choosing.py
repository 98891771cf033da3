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
    """Of every complaint the likeliest of those before it: how likely, whether it is right, and how much it counts.

    ``known``: how much the complaints count that have one.
    """

    likely: NDArray[np.float64]
    right: NDArray[np.bool_]
    counts: NDArray[np.float64]
    known: float

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and precision of what is taken for the same from ``threshold`` on."""
        taken = self.likely >= threshold
        hits = float(self.counts[taken & self.right].sum())
        return hits / (self.known or 1.0), hits / (float(self.counts[taken].sum()) or 1.0)

    def threshold(self, found: float) -> float:
        """The highest likelihood from which on at least ``found`` of what is known is found; 0.99 where never."""
        order = np.argsort(-self.likely)
        enough = np.flatnonzero(np.cumsum((self.counts * self.right)[order]) >= found * self.known)
        return float(self.likely[order][enough[0]]) if len(enough) else 0.99


def choices(looked: Sequence[tuple[int, Pair]], likely: NDArray[np.float64], counts: NDArray[np.float64]) -> Choices:
    """As they are served: one choice for each complaint. ``looked``: number of the file, and pair.

    ``counts``: how much the later complaint of each pair counts.
    """
    best: dict[tuple[int, int], tuple[float, bool, float]] = {}
    known: dict[tuple[int, int], float] = {}
    for (file, pair), probability, count in zip(looked, likely.tolist(), counts.tolist(), strict=True):
        later = (file, pair.later)
        if pair.same:
            known[later] = count
        if pair.near and probability > (best[later][0] if later in best else 0.0):
            best[later] = probability, pair.same, count
    return Choices(
        np.array([probability for probability, _, _ in best.values()]),
        np.array([same for _, same, _ in best.values()], bool),
        np.array([count for _, _, count in best.values()]),
        sum(known.values()),
    )
