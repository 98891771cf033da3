"""Fit the decision after the second look, and the thresholds, on cities that no model has seen.

What the first look, the common matters and the reranker say (:class:`index.ranking.Evidence`) is weighed into new
probabilities by a few numbers, found by maximum likelihood: once without the reranker, whose word is not always asked,
and once with it. There a small network adds what depends on how several signs stand together: on the matters that
stand beside, on whether it is a follow-up. The thresholds are then set on out-of-sample probabilities (cross-validation
by family) where the figure nearest to its floor, in any of the cities, is furthest from it, in standard errors: no
figure is bought with another.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.builder import build_index
from index.common import CommonMatters
from index.documents import document
from index.encoder import OpenVinoEncoder
from index.ranking import SIGNS, VIEWED, Evidence, Ranker, unmoved
from index.reranker import Reranker
from index.searcher import Searcher
from index.second import SecondLook
from index.training.files import read
from index.training.limits import Asked, choose, measure
from index.training.pairs import focuses
from index.training.rows import switched

OF_READING = [SIGNS.index(name) for name in ("read", "was_read", "best_read")]
"""Signs that are there only after the reranker."""

RIDGE = 0.003
"""Keeps the numbers near those that leave the first look as it is."""

UNITS, SEEDS, EPOCHS, AT_ONCE, RATE, DECAY = 16, 4, 60, 128, 3e-3, 0.1
"""The network: units of one, how many are averaged, and how each is trained."""

FOLLOW_WEIGHT = 0.5
"""A follow-up comes twice, with and without the matter answered before."""

DOUBT = 0.98
"""Probability from which nothing is read any more; measured to cost nothing and to save a quarter of the reading."""


def gather(searcher: Searcher, questions: Sequence[dict[str, Any]]) -> list[Asked]:
    """What both looks of ``searcher`` say of ``questions``; follow-ups also after the matter found before.

    What only stands after a turn (:func:`index.training.rows.switched`) comes after that turn's matter alone.
    """
    asked = []
    for row in questions:
        turns = row.get("context") or []
        right = frozenset(row.get("matter_any") or ([row["matter"]] if row["matter"] else []))
        for focus in focuses(searcher, turns)[-1 if row.get("kind") == "switched" else 0 :]:
            if looks := searcher.looks(row["text"], turns=turns[-3:], focus=focus):
                family = row.get("family") or row.get("about") or row["text"]
                asked.append(Asked(looks, right, bool(turns), family))
    return asked


def evidence(asked: Asked) -> Evidence:
    """Everything that may be weighed of a question, the matters in the order of the first look."""
    looks = asked.looks
    places = np.arange(len(looks.logits))
    return Evidence(looks.probability, looks.shares, looks.nearness, asked.follows, places, looks.logits)


class Rows:
    """What is known of the questions whose matter was found, padded to the most matters that any has."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        known = [(evidence(a).views(), a.labels(), a.follows) for a in asked if a.labels().any()]
        shape = len(known), max(len(views) for views, _, _ in known)
        self.views = torch.zeros((*shape, len(VIEWED)))
        self.right, self.there = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)
        for row, (views, right, _) in enumerate(known):
            self.views[row, : len(views)] = torch.from_numpy(views)
            self.right[row, : len(right)], self.there[row, : len(right)] = torch.from_numpy(right), True
        self.weight = torch.tensor([FOLLOW_WEIGHT if follows else 1.0 for _, _, follows in known])

    def unlikely(self, scores: torch.Tensor, rows: torch.Tensor | slice) -> torch.Tensor:
        """Mean negative logarithm of the share that ``scores`` leave to what is right, over ``rows``."""
        likely = torch.log_softmax(scores.masked_fill(~self.there[rows], -1e4), 1)
        likely = torch.logsumexp(likely.masked_fill(~self.right[rows], -1e4), 1)
        return -(likely * self.weight[rows]).sum() / self.weight[rows].sum()


def weigh(rows: Rows, *, reading: bool) -> np.ndarray:
    """The numbers of greatest likelihood over ``rows``, with or without what the reranker says."""
    signs = rows.views[..., : len(SIGNS)].clone()
    if not reading:
        signs[..., OF_READING] = 0
    neutral = torch.from_numpy(unmoved()["again"])
    numbers = neutral.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([numbers], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = rows.unlikely(signs @ numbers, slice(None)) + RIDGE * ((numbers - neutral) ** 2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    return numbers.detach().numpy()


class Beside(torch.nn.Module):
    """The network that adds to the numbers, which it starts from and may move."""

    def __init__(self, numbers: np.ndarray, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        self.numbers = torch.nn.Parameter(torch.from_numpy(numbers.copy()))
        self.inner, self.out = torch.nn.Linear(len(VIEWED), UNITS), torch.nn.Linear(UNITS, 1, bias=False)
        torch.nn.init.zeros_(self.out.weight)
        self._mean, self._deviation = mean, deviation

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """A score for each row of ``views``, as :meth:`index.ranking.Ranker.again` makes it."""
        hidden = torch.tanh(self.inner((views - self._mean) / self._deviation))
        return views[..., : len(SIGNS)] @ self.numbers + self.out(hidden)[..., 0]


def learn(rows: Rows, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """Several networks beside ``numbers``, each from another start, put side by side as the one that is their mean."""
    seen = rows.views[rows.there]
    mean, deviation = seen.mean(0), seen.std(0) + 1e-3
    made = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        network = Beside(numbers, mean, deviation)
        optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
        for epoch in range(EPOCHS):
            for group in optimiser.param_groups:
                group["lr"] = RATE * (1 - epoch / EPOCHS)
            for part in torch.randperm(len(rows.views)).split(AT_ONCE):
                optimiser.zero_grad()
                rows.unlikely(network(rows.views[part]), part).backward()
                optimiser.step()
        made.append({name: value.detach().numpy() for name, value in network.named_parameters()})
    return {
        "again": np.mean([one["numbers"] for one in made], 0),
        "again_mean": mean.numpy(),
        "again_deviation": deviation.numpy(),
        "again_in": np.concatenate([one["inner.weight"].T for one in made], 1),
        "again_in_bias": np.concatenate([one["inner.bias"] for one in made]),
        "again_out": np.concatenate([one["out.weight"][0] for one in made]) / SEEDS,
    }


def fitted(asked: Sequence[Asked]) -> dict[str, Any]:
    """All that the second decision weighs by, under the names of its arrays."""
    rows = Rows(asked)
    return {"recalled": weigh(rows, reading=False), **learn(rows, weigh(rows, reading=True))}


def probabilities(asked: Asked, ranker: Ranker) -> np.ndarray:
    """Through the code that serves."""
    seen = evidence(asked)
    recalled = ranker.recalled(replace(seen, places=np.empty(0, np.intp), logits=np.empty(0, np.float32)))
    return ranker.again(seen) if ranker.doubts(recalled) else recalled


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
        weights: dict[str, Any] = {name: stored[name] for name in stored.files}
    before = {"answer": 0.5, "clarify": 0.2, "answer_follow": 0.5, "doubt": DOUBT}
    weights |= {name: np.float32(value) for name, value in before.items()} | unmoved()
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
        questions = read(city / "questions.jsonl")
        return gather(Searcher.open(folder, encoder, ranker, second), [*questions, *switched(questions, seed=0)])


if __name__ == "__main__":
    main()
