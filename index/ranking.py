"""From features to probabilities: which candidate is meant, or that none is.

A small network scores every candidate from its features and those of the question; another scores *none of these*. A
softmax over both gives probabilities that sum to one, trained and calibrated by :mod:`index.training.ranker` on
held-out families. It runs in numpy: a few thousand multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderUnavailable
from index.features import OF_QUESTION, PER_CANDIDATE, Matrix

SHIPPED = Path(__file__).parent / "models" / "ranker.npz"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to answer at once and when to offer choices, in probability."""

    answer: float
    clarify: float


class Ranker:
    """The learned decision; its weights are a few arrays in one file."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._w = weights
        self.thresholds = Thresholds(float(weights["answer"]), float(weights["clarify"]))

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
        logits = np.concatenate([scores, nothing]) / w["temperature"]
        exponent = np.exp(logits - logits.max())
        return np.asarray(exponent / exponent.sum(), np.float32)


def _spread(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Best score and its lead over the second and third, as the *none* network sees them."""
    ordered = np.sort(scores)[::-1]
    pad = np.concatenate([ordered, np.full(3, ordered[-1])])[:3]
    return np.array([pad[0] / 10, (pad[0] - pad[1]) / 10, (pad[0] - pad[2]) / 10], np.float32)
