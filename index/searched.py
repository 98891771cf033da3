"""What a search finds, and what led to it: values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index.common import Resemblance
from index.encoder import States, Vectors
from index.features import Candidate as Considered
from index.features import Question
from index.negatives import Refusal

Decision = Literal["answered", "clarify", "unknown"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One matter found: ``score`` is the probability that it is the one meant, ``text`` the text that matched best."""

    code: str
    name: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search; ``confidence`` is the first candidate's probability of being right."""

    decision: Decision
    confidence: float
    candidates: tuple[Candidate, ...]
    exact: bool
    kept_focus: bool
    query: str


@dataclass(frozen=True, slots=True)
class Looks:
    """What a question was searched as, the matters found, best first, and what the two looks say of them."""

    query: str
    codes: list[str]
    probability: NDArray[np.float32]
    """Of each matter by the first look, and of none last."""
    shares: NDArray[np.float32]
    """Of what the question resembles among the common matters, what falls to each matter, and to none last."""
    nearness: float
    logits: NDArray[np.float32]
    """Of the best by the reranker; empty, like the shares, without a second look."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A search with what led to it. The arrays are empty where nothing was weighed: an exact hit, pinyin, no words."""

    found: Found
    question: Question | None = None
    considered: Sequence[Considered] = ()
    first: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """Probability of each matter considered by the first look, and of none last."""
    last: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """The same after the second look."""
    resemblance: Resemblance | None = None
    shares: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """Of what the question resembles among the common matters, what falls to each matter, and to none last."""
    seen: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    """Places of the matters that the reranker read."""
    logits: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    refusals: Sequence[Refusal] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """The question, its vector (joined with the turn before), the matters considered for it, its token states (none
    without a second look), who dropped out.
    """

    question: Question
    vector: Vectors
    considered: list[Considered]
    states: States
    refusals: list[Refusal]
