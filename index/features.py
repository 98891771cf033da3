"""What the decision looks at: numbers that say how well a matter fits a question, and how the best matters compare.

Nothing here knows a catalogue: features are similarities, coverages and positions, so that a decision learned on
one city holds for another. Two views of a question are scored: the text alone, and the text joined with the turn
before. Without an earlier turn the joined view equals the text alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.documents import TextKind

KINDS = tuple(TextKind)
_NAMED = {KINDS.index(k) for k in (TextKind.NAME, TextKind.ALIAS)}
_ASKED = {KINDS.index(k) for k in (TextKind.FAQ, TextKind.QUESTION)}
_BODY = {KINDS.index(k) for k in (TextKind.CONDITIONS, TextKind.MATERIALS)}

PER_CANDIDATE = (
    "alone_best", "alone_second", "alone_name", "alone_named", "alone_asked", "alone_body", "alone_gap",
    "joined_best", "joined_second", "joined_name", "joined_named", "joined_gap",
    "alone_bm25", "alone_bm25_gap", "joined_bm25", "joined_bm25_gap",
    "covered_text", "covered_name", "run_in_text", "distinct_for", "distinct_against",
    "joined_distinct_for", "is_focus", "is_sibling", "in_family_of_best",
)  # fmt: skip
"""Features of one candidate, in their order."""

OF_QUESTION = (
    "has_turn", "has_focus", "length", "top_alone", "top_joined", "second_alone", "third_alone", "tenth_alone",
    "top_coverage", "unknown_share", "rare_share", "salient", "top_bm25", "agreement", "family_of_best",
)  # fmt: skip
"""Features of the question and its whole candidate list, in their order."""

NOWHERE = 0.999
"""Rarity from which a token counts as unknown to the whole catalogue."""

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One matter under consideration with what was computed for it.

    ``names``: the vectors of its names; ``tokens``: those of the question that it has.
    """

    matter: int
    names: Matrix
    kinds: NDArray[np.int8]
    alone: Matrix
    joined: Matrix
    alone_bm25: float
    joined_bm25: float
    name_tokens: frozenset[str]
    tokens: frozenset[str]
    longest_run: int
    family: str
    is_focus: bool


@dataclass(frozen=True, slots=True)
class Question:
    """The question's side of the features."""

    tokens: Sequence[str]
    joined_tokens: Sequence[str]
    weight: dict[str, float]
    rarity: dict[str, float]
    length: int
    has_turn: bool
    focus_family: str | None


def _best(similarities: Sequence[float], kinds: Sequence[int], wanted: set[int]) -> float:
    return max((s for s, k in zip(similarities, kinds, strict=True) if k in wanted), default=min(similarities))


def _second(values: Sequence[float]) -> float:
    """The best but one, or the only one."""
    return sorted(values)[-2:][0]


def _share(of: Sequence[str], within: frozenset[str], weight: dict[str, float]) -> float:
    total = sum(weight.get(t, 1.0) for t in of)
    return sum(weight.get(t, 1.0) for t in of if t in within) / total if total else 0.0


def matrices(question: Question, candidates: Sequence[Candidate]) -> tuple[Matrix, Matrix]:
    """Features of every candidate (rows) and of the question (one row), as named above."""
    rows = np.zeros((len(candidates), len(PER_CANDIDATE)), np.float32)
    alone = np.array([c.alone.max() for c in candidates])
    joined = np.array([c.joined.max() for c in candidates])
    bm25 = np.array([c.alone_bm25 for c in candidates])
    joined_bm25 = np.array([c.joined_bm25 for c in candidates])
    best_family = candidates[int(joined.argmax())].family
    asked, asked_joined = set(question.tokens), set(question.joined_tokens)
    rivals = _rivals(candidates)
    words, joined_words = np.log1p(bm25), np.log1p(joined_bm25)
    ahead = [lead(values) for values in (alone, joined, words, joined_words)]
    for i, c in enumerate(candidates):
        # a matter has a handful of texts: plain numbers are quicker than arrays
        kinds, own_alone, own_joined = c.kinds.tolist(), c.alone.tolist(), c.joined.tolist()
        name = kinds.index(0) if 0 in kinds else 0
        own = c.name_tokens - rivals[i]
        others = rivals[i] - c.name_tokens
        rows[i] = (
            alone[i], _second(own_alone), own_alone[name], _best(own_alone, kinds, _NAMED),
            _best(own_alone, kinds, _ASKED), _best(own_alone, kinds, _BODY), ahead[0][i],
            joined[i], _second(own_joined), own_joined[name], _best(own_joined, kinds, _NAMED), ahead[1][i],
            words[i], ahead[2][i], joined_words[i], ahead[3][i],
            _share(question.tokens, c.tokens, question.weight),
            _share(sorted(c.name_tokens), frozenset(asked), question.weight),
            c.longest_run / max(4, question.length),
            min(3, len(own & asked)) / 3, min(3, len(others & asked)) / 3, min(3, len(own & asked_joined)) / 3,
            c.is_focus, bool(question.focus_family) and c.family == question.focus_family and not c.is_focus,
            c.family == best_family,
        )  # fmt: skip
    return rows, _of_question(question, rows, alone, joined, bm25)


def _of_question(question: Question, rows: Matrix, alone: Floats, joined: Floats, bm25: Floats) -> Matrix:
    """The features of the question itself, from its words and from how the candidates' scores are spread."""
    ordered = np.sort(alone)[::-1]
    second, third, tenth = (float(ordered[min(place, len(ordered) - 1)]) for place in (1, 2, 9))
    weights = [question.weight.get(t, 1.0) for t in question.tokens]
    total = sum(weights) or 1.0
    rarity = [question.rarity[t] for t in question.tokens]
    unknown = sum(w for r, w in zip(rarity, weights, strict=True) if r >= NOWHERE) / total
    rare = sum(w * r for r, w in zip(rarity, weights, strict=True)) / total
    return np.array(
        [
            question.has_turn, question.focus_family is not None, min(question.length, 80) / 40,
            alone.max(), joined.max(), second, third, tenth,
            rows[:, PER_CANDIDATE.index("covered_text")].max(), unknown, rare, sum(weights) / 10,
            np.log1p(bm25.max()), float(bm25.argmax() == joined.argmax()), float(rows[:, -1].mean()),
        ],
        np.float32,
    )  # fmt: skip


def lead(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """What each value is ahead of the best of the others; of none where it is alone."""
    if len(values) == 1:
        return values
    best = int(values.argmax())
    others = np.full(len(values), values[best])
    others[best] = np.delete(values, best).max()
    return np.asarray(values - others)


def _rivals(candidates: Sequence[Candidate]) -> list[set[str]]:
    """Per candidate the name tokens of the other candidates of its family."""
    return [
        {
            t
            for other in candidates
            if other is not c and c.family and other.family == c.family
            for t in other.name_tokens
        }
        for c in candidates
    ]
