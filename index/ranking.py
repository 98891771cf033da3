"""From features to probabilities: which candidate is meant, or that none is.

A small network scores every candidate from its features and those of the question; another scores *none of these*. A
softmax over both gives probabilities that sum to one, trained and calibrated by :mod:`index.training.ranker` on
held-out families. A second decision weighs that anew with what halls everywhere have and what the reranker read
(:class:`Evidence`): by a few numbers, and where the reranker was asked by a small network besides, both fitted by
:mod:`index.training.deciding`. It runs in numpy: a few thousand multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderUnavailable
from index.features import OF_QUESTION, PER_CANDIDATE, Matrix

SHIPPED = Path(__file__).parent / "models" / "ranker.npz"

RERANKED = 4
"""Candidates that are looked at a second time: the choices that may be offered, and one that may replace the last."""

SIGNS = ("first", "read", "was_read", "nothing", "best_read", "share", "near_share", "near_nothing")
"""What the decision after the second look weighs; see :meth:`Evidence.signs`."""

OVERALL = (
    "first_most", "first_next", "first_nothing", "read_most", "read_next", "nearness", "share_most", "share_nothing",
    "follows",
)  # fmt: skip
"""What the network after the second look knows of the question as a whole; see :meth:`Evidence.views`."""

VIEWED = (*SIGNS, "rival", *OVERALL)
"""What it sees of each candidate, and of *none*."""

UNREAD = -6.0
"""Stands for the reranker's word where there is none: such a matter is hardly meant."""

LEAST, LEAST_SHARE = 1e-6, 0.01
"""Added to a probability and to a share before their logarithms are taken."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What both looks say of a question; matters in any order, *none* last."""

    first: NDArray[np.float32]
    """Probabilities by the first look."""
    shares: NDArray[np.float32]
    """Of what the question resembles among the common matters, what falls to each; see :mod:`index.common`."""
    nearness: float
    """How near it comes to a common matter at all, 0 to 1.5."""
    follows: bool
    """Whether it was asked after an earlier turn."""
    places: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    """Matters that the reranker read."""
    logits: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """What it said of them."""

    def signs(self) -> Matrix:
        """A row a matter, and *none* last; columns as in :data:`SIGNS`."""
        made = np.zeros((len(self.first), len(SIGNS)), np.float32)
        made[:, 0] = np.log(np.maximum(self.first, LEAST))
        made[self.places, 1], made[self.places, 2] = self.logits, 1
        made[-1, 3], made[-1, 4] = 1, self.logits.max() if len(self.logits) else 0
        made[:, 5] = np.log(self.shares + LEAST_SHARE)
        made[:, 6] = self.nearness * made[:, 5]
        made[-1, 7] = self.nearness
        return made

    def views(self) -> Matrix:
        """The signs, and what a matter has to be told apart from; columns as in :data:`VIEWED`.

        ``rival``: the best that the reranker said of any other matter; the rest is the same in every row: the two
        best first probabilities, the two best words of the reranker, the largest share (logarithms, but for the words).
        """
        read = np.full(len(self.first), UNREAD, np.float32)
        read[self.places] = self.logits
        most, following = _two_best(read[:-1], UNREAD)
        rival = np.full((len(read), 1), most, np.float32)
        rival[read.argmax()] = following
        first, after = np.log(np.array(_two_best(self.first[:-1], 0.0)) + LEAST)
        overall = [
            first,
            after,
            np.log(self.first[-1] + LEAST),
            most,
            following,
            self.nearness,
            np.log(self.shares[:-1].max() + LEAST_SHARE),
            np.log(self.shares[-1] + LEAST_SHARE),
            float(self.follows),
        ]
        rows = np.broadcast_to(np.array(overall, np.float32), (len(read), len(overall)))
        return np.concatenate([self.signs(), rival, rows], axis=1)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to answer at once and when to offer choices, in probability."""

    answer: float
    clarify: float
    answer_follow: float
    """As ``answer``, after an earlier turn; set by itself, since the old topic is near whatever is asked."""


class Ranker:
    """The learned decision; its weights are a few arrays in one file."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._w = weights
        self.thresholds = Thresholds(*(float(weights[name]) for name in ("answer", "clarify", "answer_follow")))

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Ranker:
        """The ranker at ``path``; :class:`EncoderUnavailable` when it is missing or of other features."""
        try:
            with np.load(path) as stored:
                weights = {name: stored[name] for name in stored.files}
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(f"{path}: {error}") from error
        expected = ",".join((*PER_CANDIDATE, *OF_QUESTION))
        if str(weights.pop("features")) != expected:
            raise EncoderUnavailable(f"{path} was trained on other features; train it again")
        widths = {"recalled": SIGNS, "again": SIGNS, "again_mean": VIEWED, "again_in": VIEWED}
        if any(len(weights.get(name, ())) != len(columns) for name, columns in widths.items()):
            raise EncoderUnavailable(f"{path} weighs other signs; fit it again")
        return cls(weights)

    def probabilities(self, candidates: Matrix, question: Matrix) -> NDArray[np.float32]:
        """Probability of each candidate (rows of ``candidates``), and of *none* last."""
        w = self._w
        both = np.concatenate([candidates, np.broadcast_to(question, (len(candidates), len(question)))], axis=1)
        scaled = (both - w["mean"]) / w["deviation"]
        hidden = np.maximum(scaled @ w["c1"] + w["c1_bias"], 0)
        hidden = np.maximum(hidden @ w["c2"] + w["c2_bias"], 0)
        scores = (hidden @ w["c3"] + w["c3_bias"])[:, 0]
        top = scaled[scores.argmax()]
        inner = np.maximum(np.concatenate([top, _spread(scores)]) @ w["n1"] + w["n1_bias"], 0)
        nothing = inner @ w["n2"] + w["n2_bias"]
        return _softmax(np.concatenate([scores, nothing]) / w["temperature"])

    def doubts(self, probability: NDArray[np.float32]) -> bool:
        """Whether the first decision is unsure enough for a second look."""
        return bool(probability[:-1].max() < self._w["doubt"])

    def recalled(self, evidence: Evidence) -> NDArray[np.float32]:
        """Probabilities anew, from the first ones and how much of what halls everywhere have falls to each."""
        return _softmax(evidence.signs() @ self._w["recalled"])

    def again(self, evidence: Evidence) -> NDArray[np.float32]:
        """As :meth:`recalled`, with what the reranker says besides."""
        w, views = self._w, evidence.views()
        hidden = np.tanh((views - w["again_mean"]) / w["again_deviation"] @ w["again_in"] + w["again_in_bias"])
        return _softmax(views[:, : len(SIGNS)] @ w["again"] + hidden @ w["again_out"])


def unmoved() -> dict[str, NDArray[np.float32]]:
    """Weights of a second decision that leaves the first as it is."""
    numbers = np.array([1.0, *[0.0] * (len(SIGNS) - 1)], np.float32)
    return {
        "recalled": numbers,
        "again": numbers,
        "again_mean": np.zeros(len(VIEWED), np.float32),
        "again_deviation": np.ones(len(VIEWED), np.float32),
        "again_in": np.zeros((len(VIEWED), 1), np.float32),
        "again_in_bias": np.zeros(1, np.float32),
        "again_out": np.zeros(1, np.float32),
    }


def _two_best(values: NDArray[np.float32], least: float) -> tuple[float, float]:
    """The largest of ``values`` and the next, ``least`` where there are not so many."""
    ordered = np.sort(np.concatenate([values, np.full(2, least, np.float32)]))
    return float(ordered[-1]), float(ordered[-2])


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    exponent = np.exp(scores - scores.max())
    return np.asarray(exponent / exponent.sum(), np.float32)


def _spread(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Best score and its lead over the second and third, as the *none* network sees them."""
    ordered = np.sort(scores)[::-1]
    pad = np.concatenate([ordered, np.full(3, ordered[-1])])[:3]
    return np.array([pad[0] / 10, (pad[0] - pad[1]) / 10, (pad[0] - pad[2]) / 10], np.float32)
