"""From features to probabilities: which candidate is meant, or that none is.

A small network scores every candidate from its features and those of the question; another scores *none of these*. A
softmax over both gives probabilities that sum to one, trained and calibrated by :mod:`index.training.ranker` on
held-out families. A second decision weighs that anew with what halls everywhere have and what the reranker read, by
a few numbers fitted by :mod:`index.training.deciding`. It runs in numpy: a few thousand multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderUnavailable
from index.features import OF_QUESTION, PER_CANDIDATE, Matrix

SHIPPED = Path(__file__).parent / "models" / "ranker.npz"

RERANKED = 4
"""Candidates that are looked at a second time: the choices that may be offered, and one that may replace the last."""

SIGNS = ("first", "read", "was_read", "nothing", "best_read", "share", "near_share", "near_nothing")
"""What the decision after the second look weighs; see :func:`signs`."""

NEUTRAL = (1.0, *[0.0] * (len(SIGNS) - 1))
"""The numbers that leave the first look as it is."""

LEAST_SHARE = 0.01
"""Added to a share before its logarithm is taken."""

_NOTHING_READ, _NO_LOGITS = np.empty(0, np.intp), np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to answer at once and when to offer choices, in probability."""

    answer: float
    clarify: float
    answer_follow: float
    """As ``answer``, after an earlier turn: a wrong turn of the talk costs more than a question back."""


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
        if any(len(weights.get(name, ())) != len(SIGNS) for name in ("recalled", "again")):
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

    def recalled(self, first: NDArray[np.float32], shares: NDArray[np.float32], nearness: float) -> NDArray[np.float32]:
        """Probabilities anew, from the ``first`` ones and how much of what halls everywhere have falls to each."""
        return _softmax(signs(first, shares, nearness, _NOTHING_READ, _NO_LOGITS) @ self._w["recalled"])

    def again(
        self,
        first: NDArray[np.float32],
        shares: NDArray[np.float32],
        nearness: float,
        places: NDArray[np.intp],
        logits: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """As :meth:`recalled`, with what the reranker says of the candidates at ``places`` besides."""
        return _softmax(signs(first, shares, nearness, places, logits) @ self._w["again"])


def signs(
    first: NDArray[np.float32],
    shares: NDArray[np.float32],
    nearness: float,
    places: NDArray[np.intp],
    logits: NDArray[np.float32],
) -> Matrix:
    """What the second decision weighs of each candidate, and of *none* last; columns as in :data:`SIGNS`.

    ``first``: probabilities by the first look; ``shares`` and ``nearness``: see :class:`index.common.Resemblance`;
    ``logits``: the reranker's, of the candidates at ``places``.
    """
    made = np.zeros((len(first), len(SIGNS)), np.float32)
    made[:, 0] = np.log(np.maximum(first, 1e-6))
    made[places, 1], made[places, 2] = logits, 1
    made[-1, 3], made[-1, 4] = 1, logits.max() if len(logits) else 0
    made[:, 5] = np.log(shares + LEAST_SHARE)
    made[:, 6] = nearness * made[:, 5]
    made[-1, 7] = nearness
    return made


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    exponent = np.exp(scores - scores.max())
    return np.asarray(exponent / exponent.sum(), np.float32)


def _spread(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Best score and its lead over the second and third, as the *none* network sees them."""
    ordered = np.sort(scores)[::-1]
    pad = np.concatenate([ordered, np.full(3, ordered[-1])])[:3]
    return np.array([pad[0] / 10, (pad[0] - pad[1]) / 10, (pad[0] - pad[2]) / 10], np.float32)
