"""From evidence to a decision: which unit is responsible, which power says so, and how sure that is.

A small network scores every power that comes into question; a softmax over them, softened by a temperature found on
units that were not trained on, gives probabilities. A unit's probability is the sum over its powers. It is trained by
:mod:`index.training.dispatching` and runs in numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import EncoderUnavailable
from index.powers import OF_TEXT, PER_POWER, Evidence, PowerIndex

SHIPPED = Path(__file__).parent / "models" / "dispatching.npz"
OFFERED = 3
"""Units that are offered to whoever decides where the decision is not sure."""


Recalled = Callable[[dict[str, float]], dict[str, float]]
"""Units with their probabilities, before and after what is remembered of earlier decisions."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A unit with its calibrated probability and the power that speaks for it most."""

    department: str
    score: float
    power: int
    """Number of the power in the index."""


class DispatchModel:
    """The learned weights; ``threshold``: the confidence from which a complaint is sent without asking."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._w = weights
        self.threshold = float(weights["threshold"])

    @classmethod
    def load(cls, path: Path = SHIPPED) -> DispatchModel:
        """The model at ``path``; :class:`EncoderUnavailable` when it is missing or of other features."""
        try:
            with np.load(path) as stored:
                weights = {name: stored[name] for name in stored.files}
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(f"{path}: {error}") from error
        if str(weights.pop("features")) != ",".join((*PER_POWER, *OF_TEXT)):
            raise EncoderUnavailable(f"{path} was trained on other features; train it again")
        return cls(weights)

    def probabilities(self, evidence: Evidence) -> NDArray[np.float32]:
        """The probability of each power of ``evidence``; they sum to one."""
        w = self._w
        scaled = (together(evidence) - w["mean"]) / w["deviation"]
        hidden = np.maximum(scaled @ w["d1"] + w["d1_bias"], 0)
        scores = (hidden @ w["d2"] + w["d2_bias"] + scaled @ w["direct"])[:, 0] / w["temperature"]
        exponent = np.exp(scores - scores.max())
        return np.asarray(exponent / exponent.sum(), np.float32)


def together(evidence: Evidence) -> NDArray[np.float32]:
    """Features of each power with those of the text beside them."""
    count = len(evidence.powers)
    return np.concatenate([evidence.features, np.broadcast_to(evidence.of_text, (count, len(OF_TEXT)))], axis=1)


class Dispatcher:
    """Finds the responsible units in one responsibility list."""

    def __init__(self, index: PowerIndex, model: DispatchModel | None = None) -> None:
        self.index = index
        self.model = model or DispatchModel.load()

    @property
    def threshold(self) -> float:
        """The confidence from which a complaint is sent without asking."""
        return self.model.threshold

    def choices(
        self, text: str, vector: Vectors | None = None, most: int = OFFERED, recalled: Recalled | None = None
    ) -> list[Choice]:
        """The likeliest units for ``text``, best first, at most ``most``; none of an empty list.

        ``vector``: the text's query vector, where it is already at hand. ``recalled`` moves the probabilities of the
        units by what was decided before.
        """
        if not len(self.index):
            return []
        evidence = self.index.evidence(text) if vector is None else self.index.evidence_for(text, vector)
        probability = self.model.probabilities(evidence)
        units: dict[str, tuple[float, float, int]] = {}
        for number, share in zip(evidence.powers, probability, strict=True):
            department = self.index.powers[number].department
            total, top, power = units.get(department, (0.0, -1.0, -1))
            units[department] = (total + float(share), *((float(share), int(number)) if share > top else (top, power)))
        shares = {department: total for department, (total, _, _) in units.items()}
        if recalled is not None:
            shares = recalled(shares)
        ranked = sorted(shares.items(), key=lambda item: -item[1])[:most]
        return [Choice(department, min(1.0, share), units[department][2]) for department, share in ranked]
