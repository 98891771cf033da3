"""What kind of complaint a text is, and whether somebody's life is in danger: two small linear classifiers in numpy.

They look at characters in runs of one to three, at the text's vector with a small weight, and at marks that the caller
sets (what rules of wording say). They are trained by :mod:`index.training.judging`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import EncoderUnavailable

SHIPPED = Path(__file__).parent / "models" / "judging.npz"
RUNS = (1, 2, 3)
_SPACE = re.compile(r"\s+")
LONGEST = 400
"""Characters that are looked at."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The probability of each kind (they sum to one), and that the text tells of danger now."""

    kinds: dict[str, float]
    danger: float
    is_urgent: bool

    @property
    def kind(self) -> str:
        """The likeliest kind."""
        return max(self.kinds, key=lambda name: self.kinds[name])


def runs(text: str) -> Iterator[str]:
    """Every run of one to three characters, marks of punctuation among them: a question is known by its mark."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", text).lower())[:LONGEST]
    for size in RUNS:
        yield from (plain[i : i + size] for i in range(len(plain) - size + 1))


class Judge:
    """The classifiers of one weights file. Read-only, so threads may share it."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._place = {str(term): i for i, term in enumerate(weights["terms"])}
        self._rarity = weights["rarity"]
        self._scale = float(weights["vector_scale"])
        self._marks = [str(mark) for mark in weights["marks"]]
        self._kinds = [str(kind) for kind in weights["kinds"]]
        self._kind, self._kind_bias = weights["kind"], weights["kind_bias"]
        self._danger, self._danger_bias = weights["danger"], float(weights["danger_bias"])
        self.threshold = float(weights["threshold"])
        self._length = len(self._danger) - len(self._rarity) - len(self._marks)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Judge:
        """The classifiers at ``path``; :class:`EncoderUnavailable` when they cannot be read."""
        try:
            with np.load(path) as stored:
                return cls({name: stored[name] for name in stored.files})
        except (OSError, ValueError, KeyError) as error:
            raise EncoderUnavailable(f"{path}: {error}") from error

    def judge(self, text: str, vector: Vectors, marks: Sequence[str] = ()) -> Judgement:
        """The judgement of ``text`` with its query ``vector``.

        ``marks``: what rules of wording found; unknown ones are passed over.
        """
        places, values = weighted(text, self._place, self._rarity)
        if len(vector) != self._length:
            vector = np.zeros(self._length, np.float32)  # another encoder than the one trained with has no say
        dense = np.concatenate([vector * self._scale, [float(mark in marks) for mark in self._marks]])
        cut = len(self._rarity)
        kind = values @ self._kind[places] + dense @ self._kind[cut:] + self._kind_bias
        exponent = np.exp(kind - kind.max())
        danger = float(values @ self._danger[places] + dense @ self._danger[cut:] + self._danger_bias)
        probability = 1 / (1 + math.exp(-max(-50.0, min(50.0, danger))))
        shares = exponent / exponent.sum()
        kinds = {name: float(share) for name, share in zip(self._kinds, shares, strict=True)}
        return Judgement(kinds, probability, probability >= self.threshold)


def weighted(
    text: str, place: dict[str, int], rarity: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Places and values of the known runs of ``text``: logarithm of the count times rarity, of length one together."""
    counts = Counter(run for run in runs(text) if run in place)
    places = np.array([place[run] for run in counts], np.intp)
    values = np.array([1 + math.log(count) for count in counts.values()], np.float32) * rarity[places]
    length = float(np.linalg.norm(values))
    return places, values / length if length else values
