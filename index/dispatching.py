"""From evidence to a decision: which unit is responsible, which power says so, and how sure that is.

A small network scores every power that comes into question. The best are read together with the complaint, word by
word, as questions and guides are. A softmax over both, weighed on units that were not trained on, gives probabilities;
a unit's is the sum over its powers. Trained by :mod:`index.training.dispatching`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.bridge import Bridge
from index.encoder import Encoder, States, Vectors
from index.errors import EncoderUnavailable
from index.powers import OF_TEXT, PER_POWER, Evidence, PowerDocument, PowerIndex, summary
from index.reranker import Reranker

SHIPPED = Path(__file__).parent / "models" / "dispatching.npz"
READER = Path(__file__).parent / "models" / "power_reader"
READ = 12
"""Powers that are read together with the complaint, the likeliest."""
HELD = 512
"""Powers whose token states are kept at hand: 20 MB."""
OFFERED = 3
"""Units that are offered to whoever decides where the decision is not sure."""


Recalled = Callable[[dict[str, float]], dict[str, float]]
"""Units with their probabilities, before and after what is remembered of earlier decisions."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The text of a complaint, its vector as a query, and its token states; no states where nothing is read."""

    text: str
    vector: Vectors
    states: States | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A unit with its calibrated probability and the power that speaks for it most."""

    department: str
    score: float
    power: int
    """Number of the power in the index."""


class DispatchModel:
    """The learned weights."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._w = weights
        self.threshold = float(weights["threshold"])
        """The confidence from which a complaint is sent without asking."""
        self.threshold_unread = float(weights["threshold_unread"])
        """The same where nothing was read."""

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

    def scores(self, evidence: Evidence) -> NDArray[np.float32]:
        """What the first look says of each power of ``evidence``."""
        w = self._w
        scaled = (together(evidence) - w["mean"]) / w["deviation"]
        hidden = np.maximum(scaled @ w["d1"] + w["d1_bias"], 0)
        return np.asarray((hidden @ w["d2"] + w["d2_bias"] + scaled @ w["direct"])[:, 0], np.float32)

    def unread(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probability of each power by the first look alone; they sum to one."""
        return _shares(scores / self._w["temperature"])

    def read(
        self, scores: NDArray[np.float32], places: NDArray[np.intp], said: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The probability of each power after ``said``, the logits of reading those at ``places``."""
        first, second, others = self._w["both"]
        heard = np.full(len(scores), others, np.float32)
        heard[places] = said
        return _shares(first * scores + second * heard)


def to_read(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Places of the powers that are read, the likeliest first."""
    return np.argsort(-scores, kind="stable")[:READ]


def _shares(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    exponent = np.exp(logits - logits.max())
    return np.asarray(exponent / exponent.sum(), np.float32)


def together(evidence: Evidence) -> NDArray[np.float32]:
    """Features of each power with those of the text beside them."""
    count = len(evidence.powers)
    return np.concatenate([evidence.features, np.broadcast_to(evidence.of_text, (count, len(OF_TEXT)))], axis=1)


class PowerReader:
    """Reads complaints together with powers, whose token states it keeps at hand. Threads may share it."""

    def __init__(self, reranker: Reranker) -> None:
        encoder = self._encoder = reranker.encoder
        self._reranker = reranker
        self._states = lru_cache(maxsize=HELD)(lambda passage: encoder.read_passages([passage])[1][0])

    @classmethod
    def beside(cls, encoder: Encoder, folder: Path = READER) -> PowerReader | None:
        """What ships, where it reads ``encoder``; None for every other encoder. Raises EncoderUnavailable."""
        reranker = Reranker.beside(encoder, folder, threads=1)
        return cls(reranker) if reranker else None

    def hear(self, text: str) -> Heard:
        """``text`` with its vector and states, encoded once."""
        vectors, states = self._encoder.read_queries([text])
        return Heard(text, vectors[0], states[0])

    def said(self, states: States, passages: Sequence[str]) -> NDArray[np.float32]:
        """How much each of ``passages`` (see :func:`index.powers.summary`) is what ``states`` tell of: logits."""
        return self._reranker.logits(states, [*map(self._states, passages)])


@dataclass(frozen=True)
class Dispatching:
    """Makes dispatchers over any list, with what there is for one encoder.

    ``cache`` is the file of vectors encoded before; without ``reader`` the first look decides alone.
    """

    encoder: Encoder
    cache: Path
    model: DispatchModel
    bridge: Bridge | None
    reader: PowerReader | None

    @classmethod
    def beside(cls, encoder: Encoder, cache: Path) -> Dispatching:
        """With the bridge and the reader where they were made for ``encoder``. Raises EncoderUnavailable."""
        return cls(encoder, cache, DispatchModel.load(), Bridge.beside(encoder), PowerReader.beside(encoder))

    def hear(self, text: str) -> Heard:
        """``text`` with what is needed to decide on it."""
        if self.reader is not None:
            return self.reader.hear(text)
        return Heard(text, self.encoder.encode_queries([text])[0])

    def over(self, powers: Sequence[PowerDocument], *, read: bool = True) -> Dispatcher:
        """The dispatcher over ``powers``; without ``read`` by the first look alone. OSError when the disk is full."""
        index = PowerIndex.build(powers, self.encoder, self.cache, self.bridge)
        return Dispatcher(index, self.model, self.reader if read else None)


class Dispatcher:
    """Finds the responsible units in one responsibility list."""

    def __init__(self, index: PowerIndex, model: DispatchModel, reader: PowerReader | None) -> None:
        """``reader`` None: the first look decides alone."""
        self.index = index
        self.model = model
        self._reader = reader

    @property
    def threshold(self) -> float:
        """The confidence from which a complaint is sent without asking."""
        return self.model.threshold if self._reader else self.model.threshold_unread

    def choices(self, said: Heard, most: int = OFFERED, recalled: Recalled | None = None) -> list[Choice]:
        """The likeliest units for what was ``said``, best first, at most ``most``; none of an empty list.

        ``recalled`` moves the probabilities of the units by what was decided before.
        """
        if not len(self.index):
            return []
        evidence = self.index.evidence(said.text, said.vector)
        probability = self._probabilities(said, evidence)
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

    def _probabilities(self, said: Heard, evidence: Evidence) -> NDArray[np.float32]:
        scores = self.model.scores(evidence)
        if self._reader is None or said.states is None:
            return self.model.unread(scores)
        places = to_read(scores)
        passages = [summary(self.index.powers[number]) for number in evidence.powers[places]]
        return self.model.read(scores, places, self._reader.said(said.states, passages))
