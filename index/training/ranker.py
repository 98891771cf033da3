"""Train the decision on held-out families: which candidate is meant, or that nothing fits.

The rows are the development questions and those of whole cities, over catalogues the encoder was not trained on:
alone, with a part of the other matters hidden (so that the decision holds for catalogues of any size), with the right
matter hidden (so that it learns what an unanswerable question looks like when a sibling is near), the near misses,
the follow-ups with their earlier turns, and questions asked right after one about something else. Cross-validation by
family gives out-of-sample probabilities; the temperature and the two thresholds are chosen on those.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.encoder import open_encoder
from index.features import OF_QUESTION, PER_CANDIDATE
from index.ranking import Ranker, unmoved
from index.training.files import read
from index.training.rows import Row, gather, named, switched

Weights = dict[str, Any]
"""Arrays by name, as the ranker's file holds them."""

WRONG_AT_MOST = 0.045
"""Share of answerable questions that may at most be answered with a wrong matter."""

WORTH = {"within": 3.0, "unanswerable": 1.0, "follow_within": 0.5}
"""What choices are offered for: the right matter shown, and no guide offered for a question that none answers."""


class Network(torch.nn.Module):
    """The network :class:`index.ranking.Ranker` runs in numpy."""

    def __init__(self, width: int = 40) -> None:
        super().__init__()
        features = len(PER_CANDIDATE) + len(OF_QUESTION)
        self.c1, self.c2, self.c3 = torch.nn.Linear(features, width), torch.nn.Linear(width, 16), torch.nn.Linear(16, 1)
        self.n1, self.n2 = torch.nn.Linear(features + 3, 24), torch.nn.Linear(24, 1)
        self.drop = torch.nn.Dropout(0.15)

    def forward(self, both: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits of candidates (padded ones at -1e4) and of *none* last; ``both`` is batch x candidates x features."""
        hidden = self.drop(torch.relu(self.c1(both)))
        scores = self.c3(torch.relu(self.c2(hidden)))[..., 0].masked_fill(~mask, -1e4)
        top = both[torch.arange(len(both)), scores.argmax(1)]
        ordered = scores.sort(1, descending=True).values
        last = torch.where(mask, scores, torch.full_like(scores, 1e4)).min(1).values[:, None]
        ordered = torch.where(ordered < -5e3, last, ordered)
        spread = torch.stack([ordered[:, 0], ordered[:, 0] - ordered[:, 1], ordered[:, 0] - ordered[:, 2]], 1) / 10
        nothing = self.n2(self.drop(torch.relu(self.n1(torch.cat([top, spread.detach()], 1)))))
        return torch.cat([scores, nothing], 1)


def tensors(batch: Sequence[Row], mean: np.ndarray, deviation: np.ndarray) -> tuple[torch.Tensor, ...]:
    """Scaled features, candidate mask and target mask (none last) of ``batch``."""
    most = max(3, max(len(r.candidates) for r in batch))
    both = np.zeros((len(batch), most, len(mean)), np.float32)
    mask = np.zeros((len(batch), most), bool)
    target = np.zeros((len(batch), most + 1), bool)
    for i, row in enumerate(batch):
        count = len(row.candidates)
        both[i, :count] = (_both(row) - mean) / deviation
        mask[i, :count] = True
        target[i, list(row.right) or [most]] = True
    return torch.from_numpy(both), torch.from_numpy(mask), torch.from_numpy(target)


def _both(row: Row) -> np.ndarray:
    return np.concatenate([row.candidates, np.tile(row.question, (len(row.candidates), 1))], 1)


def fit(training: Sequence[Row], weight: Callable[[Row], float], seed: int, epochs: int) -> Weights:
    """Weights of a network trained on ``training``."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    stacked = np.concatenate([_both(r) for r in training])
    mean, deviation = stacked.mean(0), stacked.std(0)
    # a feature that never varies here must not speak when it does in service
    deviation = np.where(deviation < 1e-6, 1e6, deviation + 1e-3)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    order = list(training)
    for epoch in range(epochs):
        draw.shuffle(order)
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / epochs) + 1e-5
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            both, mask, target = tensors(batch, mean, deviation)
            likely = torch.log_softmax(network(both, mask), 1)
            loss = -torch.logsumexp(likely.masked_fill(~target, -1e4), 1)
            loss = (loss * torch.tensor([weight(r) for r in batch])).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network.eval()
    stored = {"mean": mean.astype(np.float32), "deviation": deviation.astype(np.float32)}
    for name in ("c1", "c2", "c3", "n1", "n2"):
        layer = getattr(network, name)
        stored[name] = layer.weight.detach().numpy().T.copy()
        stored[name + "_bias"] = layer.bias.detach().numpy().copy()
    return stored


def weight(row: Row) -> float:
    """How much a row counts: made-up unanswerable rows less than real ones."""
    return {"single": 1.0, "follow": 1.0, "switched": 0.5, "fewer": 0.5, "named": 0.5, "removed": 0.35}[row.kind] * (
        2.0 if row.kind == "single" and not row.right else 1.0
    )


def measure(rows: Sequence[Row], probability: Sequence[np.ndarray], answer: float, clarify: float) -> dict[str, float]:
    """The figures of the acceptance table over single questions and follow-ups."""
    counts: dict[str, list[float]] = defaultdict(list)
    for row, p in zip(rows, probability, strict=True):
        if row.kind not in ("single", "follow"):
            continue
        order = np.argsort(-p[:-1])
        decision = 2 if p[order[0]] >= answer else 1 if p[order[:3]].sum() >= clarify else 0
        if not row.right and not row.missed:
            counts["unanswerable"].append((1.0, 0.5, 0.0)[decision])
            continue
        first, three = order[0] in row.right, bool(set(order[:3]) & set(row.right))
        name = "" if row.kind == "single" else "follow_"
        counts[name + "at_once"].append(decision == 2 and first)
        counts[name + "within"].append((decision == 2 and first) or (decision == 1 and three))
        counts[name + "wrong"].append(decision == 2 and not first)
        counts[name + "first"].append(first)
        counts[name + "three"].append(three)
    return {name: float(np.mean(values)) for name, values in sorted(counts.items())}


def choose(rows: Sequence[Row], probability: Sequence[np.ndarray]) -> tuple[float, float]:
    """Thresholds: answer as early as :data:`WRONG_AT_MOST` allows, offer choices where :data:`WORTH` is highest."""
    real = [(r, p) for r, p in zip(rows, probability, strict=True) if r.kind in ("single", "follow")]
    rows, probability = [r for r, _ in real], [p for _, p in real]
    steps = [float(step) for step in np.arange(0.06, 0.81, 0.02)]
    early = (t for t in steps if t >= 0.4 and measure(rows, probability, t, t)["wrong"] <= WRONG_AT_MOST)
    answer = next(early, steps[-1])

    def worth(clarify: float) -> float:
        got = measure(rows, probability, answer, clarify)
        return sum(share * got.get(name, 0.0) for name, share in WORTH.items())

    return answer, max((step for step in steps if step < answer), key=worth)


def predict(stored: Weights, rows: Sequence[Row], temperature: float) -> list[np.ndarray]:
    """Probabilities of ``rows`` under the weights ``stored``, through the code that serves."""
    neutral: Weights = {
        name: np.float32(value)
        for name, value in (("temperature", temperature), ("answer", 0), ("clarify", 0), ("answer_follow", 0))
    }
    ranker = Ranker({**stored, **neutral})
    return [ranker.probabilities(r.candidates, r.question) for r in rows]


def _folds(rows: Sequence[Row], count: int) -> list[list[int]]:
    groups = sorted({r.group for r in rows})
    random.Random(3).shuffle(groups)
    fold = {g: i % count for i, g in enumerate(groups)}
    return [[i for i, r in enumerate(rows) if fold[r.group] == k] for k in range(count)]


def _loss(rows: Sequence[Row], probability: Sequence[np.ndarray]) -> float:
    real = [(r, p) for r, p in zip(rows, probability, strict=True) if r.kind in ("single", "follow") and not r.missed]
    return float(np.mean([-np.log(max(1e-6, sum(p[i] for i in r.right) if r.right else p[-1])) for r, p in real]))


def train(training: list[Row], extra: list[Row], epochs: int) -> tuple[Weights, list[np.ndarray]]:
    """Final weights with temperature and thresholds, and the out-of-sample probabilities they were chosen on."""
    training = [r for r in training if not r.missed] + [r for r in training if r.missed and r.kind == "single"]
    outside: list[np.ndarray | None] = [None] * len(training)
    usable = lambda picked: [r for r in picked if not r.missed]  # noqa: E731
    for fold in _folds(training, 5):
        inside = set(fold)
        stored = fit(usable([r for i, r in enumerate(training) if i not in inside]) + extra, weight, 0, epochs)
        for i, p in zip(fold, predict(stored, [training[i] for i in fold], 1.0), strict=True):
            outside[i] = p
    logits = [np.log(np.maximum(p, 1e-9)) for p in outside if p is not None]
    soften = lambda t: [np.exp(x / t) / np.exp(x / t).sum() for x in logits]  # noqa: E731
    temperature = min(np.arange(0.6, 2.6, 0.1), key=lambda t: _loss(training, soften(t)))
    probability = soften(temperature)
    answer, clarify = choose(training, probability)
    print(f"temperature {temperature:.1f} answer {answer:.2f} clarify {clarify:.2f}")
    print("out of sample", {k: round(v, 3) for k, v in measure(training, probability, answer, clarify).items()})
    stored = fit(usable(training) + extra, weight, 1, epochs)
    for name, value in (("temperature", temperature), ("answer", answer), ("clarify", clarify)):
        stored[name] = np.float32(value)
    return stored, probability


def main() -> None:
    """Command line: train on development rows, report on test rows when asked, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guides", type=Path, required=True)
    parser.add_argument(
        "--questions", type=Path, required=True, help="folder with families.json and the question files"
    )
    parser.add_argument("--city", type=Path, nargs="*", default=(), help="folders of guides.jsonl, questions.jsonl")
    parser.add_argument("--encoder", default=None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--report-test", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    split = json.loads((options.questions / "families.json").read_text(encoding="utf-8"))
    guides = read(options.guides)
    unseen = [g for g in guides if split[g["catalog_code"]] != "train"]
    encoder = open_encoder(options.encoder, threads=1)
    training = gather(unseen, encoder, [*read(options.questions / "development.jsonl"), *named(unseen, seed=0)])
    for folder in options.city:
        theirs = read(folder / "guides.jsonl")
        questions = read(folder / "questions.jsonl")
        training += gather(theirs, encoder, [*questions, *switched(questions, seed=0), *named(theirs, seed=0)])
    seen = [g for g in guides if split[g["catalog_code"]] == "train"]
    extra = [
        r
        for r in gather(seen, encoder, [*read(options.questions / "followups-train.jsonl"), *named(seen, seed=0)])
        if not r.missed
    ]
    print(f"{len(training)} rows of development and cities, {len(extra)} follow-up rows of training families")
    stored, _ = train(training, extra, options.epochs)
    features = ",".join((*PER_CANDIDATE, *OF_QUESTION))
    # fitted by deciding, which comes last; until then follow-ups are decided as the others
    stored |= unmoved() | {"answer_follow": stored["answer"], "doubt": np.float32(1)}
    np.savez_compressed(options.out, features=np.array(features), **stored)
    if options.report_test:
        held = gather(unseen, encoder, read(options.questions / "test.jsonl"))
        figures = measure(
            held, predict(stored, held, float(stored["temperature"])), float(stored["answer"]), float(stored["clarify"])
        )
        print("test", {k: round(v, 3) for k, v in figures.items()})


if __name__ == "__main__":
    main()
