"""Fit the decision after the second look, and the thresholds, on cities that no model has seen.

What the first look, the common matters and the reranker say (:data:`index.ranking.SIGNS`) is weighed into new
probabilities by a few numbers, found by maximum likelihood: once without the reranker, whose word is not always asked,
and once with it. The thresholds are then set on out-of-sample probabilities (cross-validation by family) where the
figure nearest to its floor, in any of the cities, is furthest from it, in standard errors: no figure is bought with
another.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.builder import build_index
from index.common import CommonMatters
from index.documents import document
from index.encoder import OpenVinoEncoder
from index.ranking import NEUTRAL, SIGNS, Ranker, signs
from index.reranker import Reranker
from index.searcher import Searcher
from index.second import SecondLook
from index.training.files import read
from index.training.limits import Asked, choose, measure

OF_READING = [SIGNS.index(name) for name in ("read", "was_read", "best_read")]
"""Signs that are there only after the reranker."""

RIDGE = 0.003
FOLLOW_WEIGHT = 0.5
"""A follow-up comes twice, with and without the matter answered before."""

DOUBT = 0.98
"""Probability from which nothing is read any more; measured to cost nothing and to save a quarter of the reading."""


def gather(searcher: Searcher, questions: Sequence[dict[str, Any]]) -> list[Asked]:
    """What both looks of ``searcher`` say of ``questions``; follow-ups also after the matter found before."""
    asked = []
    for row in questions:
        turns = row.get("context") or []
        before = searcher.looks(turns[-1], turns=turns[:-1][-2:]) if turns else None
        right = frozenset(row.get("matter_any") or ([row["matter"]] if row["matter"] else []))
        for focus in [None, before.codes[0]] if before else [None]:
            if looks := searcher.looks(row["text"], turns=turns[-3:], focus=focus):
                family = row.get("family") or row.get("about") or row["text"]
                asked.append(Asked(looks, right, bool(turns), family))
    return asked


def signs_of(asked: Asked) -> np.ndarray:
    """Everything that may be weighed of a question, the matters in the order of the first look."""
    looks = asked.looks
    places = np.arange(len(looks.logits))
    return signs(looks.probability, looks.shares, looks.nearness, places, looks.logits)


def fit(asked: Sequence[Asked], *, reading: bool) -> np.ndarray:
    """The numbers of greatest likelihood over ``asked``, with or without what the reranker says."""
    known = [a for a in asked if a.labels().any()]
    most = max(len(a.looks.codes) for a in known) + 1
    made = torch.zeros((len(known), most, len(SIGNS)), dtype=torch.float64)
    right, there = torch.zeros((len(known), most), dtype=torch.bool), torch.zeros((len(known), most), dtype=torch.bool)
    for i, a in enumerate(known):
        own, labels = signs_of(a), a.labels()
        if not reading:
            own[:, OF_READING] = 0
        made[i, : len(own)], right[i, : len(own)], there[i, : len(own)] = (
            torch.from_numpy(own.astype(float)),
            torch.from_numpy(labels),
            True,
        )
    weight = torch.tensor([FOLLOW_WEIGHT if a.follows else 1.0 for a in known], dtype=torch.float64)
    neutral = torch.tensor(NEUTRAL, dtype=torch.float64)
    numbers = neutral.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([numbers], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        likely = torch.log_softmax((made @ numbers).masked_fill(~there, -1e4), 1).masked_fill(~right, -1e4)
        value = -(torch.logsumexp(likely, 1) * weight).sum() / weight.sum()
        value = value + RIDGE * ((numbers - neutral) ** 2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    return numbers.detach().numpy().astype(np.float32)


def fitted(asked: Sequence[Asked]) -> dict[str, Any]:
    """Both sets of numbers under their names."""
    return {"recalled": fit(asked, reading=False), "again": fit(asked, reading=True)}


def probabilities(asked: Asked, ranker: Ranker) -> np.ndarray:
    """Through the code that serves."""
    looks = asked.looks
    recalled = ranker.recalled(looks.probability, looks.shares, looks.nearness)
    if not ranker.doubts(recalled):
        return recalled
    places = np.arange(len(looks.logits))
    return ranker.again(looks.probability, looks.shares, looks.nearness, places, looks.logits)


def outside(
    asked: Sequence[Asked], others: Sequence[Asked], weights: dict[str, Any], folds: int = 5
) -> list[np.ndarray]:
    """Out-of-sample probabilities of ``asked``, families kept together; ``others`` are learnt from in every fold."""
    families = sorted({a.family for a in asked})
    random.Random(3).shuffle(families)
    fold = {family: i % folds for i, family in enumerate(families)}
    made: list[np.ndarray] = [np.empty(0)] * len(asked)
    for k in range(folds):
        ranker = Ranker({**weights, **fitted([*(a for a in asked if fold[a.family] != k), *others])})
        for i, a in enumerate(asked):
            if fold[a.family] == k:
                made[i] = probabilities(a, ranker)
    return made


def main() -> None:
    """Command line: fit on every ``--city`` and write the ranker with its numbers to ``--ranker``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, nargs="+", required=True, help="folders of guides.jsonl, questions.jsonl")
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--common", type=Path, required=True)
    parser.add_argument("--reranker", type=Path, required=True)
    parser.add_argument("--ranker", type=Path, required=True, help="file to fit and to write again")
    options = parser.parse_args()
    with np.load(options.ranker) as stored:
        weights: dict[str, Any] = {name: stored[name] for name in stored.files if not name.startswith("again_")}
    neutral = np.array(NEUTRAL, np.float32)
    before = {"answer": 0.5, "clarify": 0.2, "answer_follow": 0.5, "doubt": DOUBT}
    weights |= {name: np.float32(value) for name, value in before.items()} | {"recalled": neutral, "again": neutral}
    plain = {name: value for name, value in weights.items() if name != "features"}
    encoder = OpenVinoEncoder(options.encoder)
    second = SecondLook(CommonMatters(options.common), Reranker(options.reranker, encoder))
    cities = [_asked(city, encoder, Ranker(plain), second) for city in options.city]
    judged = []
    for own in cities:
        others = [a for city in cities if city is not own for a in city]
        judged.append((own, outside(own, others, plain)))
    limits = choose(judged)
    for city, (own, out_of_sample) in zip(options.city, judged, strict=True):
        figures = measure(own, out_of_sample, limits["answer"], limits["clarify"])
        print(city, {name: round(share, 3) for name, share in figures.items()})
    weights |= fitted([a for city in cities for a in city])
    weights |= {name: np.float32(value) for name, value in limits.items()}
    print(limits, weights["recalled"], weights["again"])
    np.savez_compressed(options.ranker, **weights)


def _asked(city: Path, encoder: OpenVinoEncoder, ranker: Ranker, second: SecondLook) -> list[Asked]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        guides = [document(guide) for guide in read(city / "guides.jsonl")]
        build_index(guides, folder, encoder, cache=Path(scratch) / "cache.db")
        return gather(Searcher.open(folder, encoder, ranker, second), read(city / "questions.jsonl"))


if __name__ == "__main__":
    main()
