"""Why a question got its answer: every matter considered, what matched, its features, and what each look said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from index.common import Resemblance
from index.documents import TextKind
from index.features import KINDS, OF_QUESTION, PER_CANDIDATE, Candidate, matrices
from index.ranking import Thresholds
from index.searched import Found
from index.searcher import Searcher

MATCHES = 3
"""Texts of a matter, and common matters, that are shown, the nearest first."""


@dataclass(frozen=True, slots=True)
class Match:
    """One text of a matter and its cosine with the question."""

    kind: TextKind
    text: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """One matter considered. ``first`` and ``score``: probability by the first look, and in the end.

    ``share``: how much of the common matters the question resembles falls to it, where they were asked;
    ``logit``: what the reranker said, where it read the matter; ``features`` as :mod:`index.features` names them.
    """

    code: str
    name: str
    score: float
    first: float
    share: float | None
    logit: float | None
    matches: Sequence[Match]
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Refused:
    """A matter that dropped out because of a negative example."""

    code: str
    name: str
    text: str
    similarity: float
    own: float


@dataclass(frozen=True, slots=True)
class Resembled:
    """A matter that halls everywhere have, and its weight among those the question resembles (they sum to one)."""

    title: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """``nothing``: the probability that none is meant; ``question``: the features of the question itself.

    ``common``: the common matters it resembles, the nearest first; ``missing``: how much of them the catalogue lacks.
    """

    found: Found
    thresholds: Thresholds
    weighed: Sequence[Weighed]
    refused: Sequence[Refused]
    nothing: float | None
    question: Mapping[str, float]
    common: Sequence[Resembled] = ()
    missing: float | None = None


def explain(searcher: Searcher, text: str, today: date | None = None) -> Explanation:
    """The search for ``text``, asked alone, with all that led to it. Costs what a search costs."""
    searched = searcher.search(text, today=today)
    refused = [
        Refused(*searcher.named(each.matter), each.text, each.similarity, each.own) for each in searched.refusals
    ]
    if searched.question is None or not searched.considered:
        return Explanation(searched.found, searcher.thresholds, (), refused, None, {})
    rows, of_question = matrices(searched.question, searched.considered)
    logits = {int(place): float(logit) for place, logit in zip(searched.seen, searched.logits, strict=True)}
    weighed = [
        Weighed(
            *searcher.named(searched.considered[place].matter),
            score=float(searched.last[place]),
            first=float(searched.first[place]),
            share=float(searched.shares[place]) if searched.resemblance else None,
            logit=logits.get(place),
            matches=_matches(searcher, searched.considered[place]),
            features=dict(zip(PER_CANDIDATE, rows[place].tolist(), strict=True)),
        )
        for place in map(int, np.argsort(-searched.last[:-1], kind="stable"))
    ]
    told = dict(zip(OF_QUESTION, of_question.tolist(), strict=True))
    nothing, missing = float(searched.last[-1]), float(searched.shares[-1]) if searched.resemblance else None
    common = _resembled(searched.resemblance)
    return Explanation(searched.found, searcher.thresholds, weighed, refused, nothing, told, common, missing)


def _resembled(resemblance: Resemblance | None) -> list[Resembled]:
    if resemblance is None:
        return []
    pairs = zip(resemblance.titles, resemblance.weight.tolist(), strict=True)
    return [Resembled(title, weight) for title, weight in pairs][:MATCHES]


def _matches(searcher: Searcher, candidate: Candidate) -> list[Match]:
    best = np.argsort(-candidate.alone, kind="stable")[:MATCHES]
    return [
        Match(KINDS[candidate.kinds[row]], searcher.text_of(candidate.matter, int(row)), float(candidate.alone[row]))
        for row in best
    ]
