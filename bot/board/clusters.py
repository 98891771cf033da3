"""Clusters of complaints that say alike, by their vectors. Pure.

One pass in the order of time: a complaint joins the cluster whose middle is nearest, where that is near enough, and
else begins one; a second pass lets every complaint choose again among the middles that came out. Cost: rows × clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAR = 0.32
"""Cosine of :func:`centred` vectors from which a complaint belongs to a cluster: of the pairs of the complaints trained
with, one in forty is that near."""
LEAST = 5
"""Complaints from which a cluster is a hot spot."""
_FEW = 20
_BLOCK = 256


@dataclass(frozen=True)
class Cluster:
    """Rows that belong together, the nearest to the middle first."""

    rows: tuple[int, ...]
    middle: NDArray[np.float32]


def centred(vectors: NDArray[np.float32], distinct: int) -> NDArray[np.float32]:
    """``vectors`` less what all complaints have in common, which hides what sets them apart; rows of length one again.

    ``distinct``: how many different texts there are. Of few, what they have in common may be what they are about, and
    less of it is taken away.
    """
    common = vectors.mean(axis=0) * (distinct / (distinct + _FEW))
    rest = vectors - common
    lengths = np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-6)
    return np.asarray(rest / lengths, np.float32)


def clusters(vectors: NDArray[np.float32], near: float = NEAR, least: int = LEAST) -> Sequence[Cluster]:
    """The clusters of ``least`` and more rows, the largest first. ``vectors``: rows of length one, oldest first."""
    if not len(vectors):
        return []
    middles = _middles(vectors, near)
    chosen = _chosen(vectors, middles, near)
    found = []
    for number in np.flatnonzero(np.bincount(chosen[chosen >= 0], minlength=len(middles)) >= least):
        rows = np.flatnonzero(chosen == number)
        middle = _unit(vectors[rows].sum(axis=0))
        order = np.argsort(-(vectors[rows] @ middle), kind="stable")
        found.append(Cluster(tuple(int(row) for row in rows[order]), middle))
    return sorted(found, key=lambda cluster: (-len(cluster.rows), min(cluster.rows)))


def _middles(vectors: NDArray[np.float32], near: float) -> NDArray[np.float32]:
    """Middles of the clusters of two and more that one pass makes."""
    sums = np.zeros_like(vectors)
    middles = np.zeros_like(vectors)
    sizes = np.zeros(len(vectors), np.int64)
    count = 0
    for begin in range(0, len(vectors), _BLOCK):
        block = vectors[begin : begin + _BLOCK]
        known = count
        alike = block @ middles[:known].T if known else np.zeros((len(block), 0), np.float32)
        for place, vector in enumerate(block):
            best = int(alike[place].argmax()) if known else -1
            score = float(alike[place, best]) if known else -1.0
            if count > known:  # those that began in this block
                fresh = middles[known:count] @ vector
                if float(fresh.max()) > score:
                    best, score = known + int(fresh.argmax()), float(fresh.max())
            if score < near:
                best, count = count, count + 1
            sums[best] += vector
            sizes[best] += 1
            middles[best] = _unit(sums[best])
    return middles[:count][sizes[:count] > 1]


def _chosen(vectors: NDArray[np.float32], middles: NDArray[np.float32], near: float) -> NDArray[np.int64]:
    """The middle nearest to each row; -1 where none is near."""
    chosen = np.full(len(vectors), -1, np.int64)
    if not len(middles):
        return chosen
    for begin in range(0, len(vectors), _BLOCK):
        alike = vectors[begin : begin + _BLOCK] @ middles.T
        best = alike.argmax(axis=1)
        chosen[begin : begin + len(best)] = np.where(alike.max(axis=1) >= near, best, -1)
    return chosen


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)
