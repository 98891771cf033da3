"""Train the decision which unit a complaint goes to, on lists of powers it will not be used with.

Each labelled complaint is laid before several lists: its city's own, random shorter ones, and the same without topics,
since another city's list may be shorter or barer. Whole units of the sample city are kept apart, and whole cities of
the others: what the bridge (:mod:`index.training.bridging`) says of a complaint was learnt from the other folds, so was
the first look at it, and what is read of it (:mod:`index.training.power_reading`). On these out-of-sample values both
looks are weighed, and the confidence is chosen from which a complaint is sent.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from index.bridge import Bridge
from index.dispatching import Dispatching, DispatchModel, PowerReader, to_read, together
from index.encoder import SHIPPED, OpenVinoEncoder
from index.powers import OF_TEXT, PER_POWER, PowerIndex, power_document, summary
from index.training import bridging, reading
from index.training.bridging import rights
from index.training.files import read
from index.training.lists import WHOLE, Row, city_of, crossed, folds_of
from index.training.power_reading import Reading, groups
from index.training.reranking import TOLERANCE, Alignment, export, half_states

Weights = dict[str, Any]
RATE = 3e-3
READ_EPOCHS = 2.0
WRONG_AT_MOST = 0.08
"""Share of the complaints sent without asking that may at most go to a wrong unit."""


class Network(torch.nn.Module):
    """The network :class:`index.dispatching.DispatchModel` runs in numpy."""

    def __init__(self, width: int) -> None:
        super().__init__()
        features = len(PER_POWER) + len(OF_TEXT)
        self.d1, self.d2 = torch.nn.Linear(features, width), torch.nn.Linear(width, 1)
        self.direct = torch.nn.Linear(features, 1, bias=False)
        self.drop = torch.nn.Dropout(0.1)

    def forward(self, both: torch.Tensor) -> torch.Tensor:
        """Scores, batch x powers."""
        return (self.d2(self.drop(torch.relu(self.d1(both)))) + self.direct(both))[..., 0]


def fit(training: Sequence[Row], seed: int, epochs: int, width: int) -> Weights:
    """Weights of a network trained on ``training``."""
    torch.manual_seed(seed)
    usable = [r for r in training if r.right & set(r.units)]
    stacked = np.concatenate([together(r.evidence) for r in usable])
    mean, deviation = stacked.mean(0), stacked.std(0)
    # a feature that never varies here must not speak when it does in service
    deviation = np.where(deviation < 1e-6, 1e6, deviation + 1e-3)
    most = max(len(r.units) for r in usable)
    both = np.zeros((len(usable), most, len(mean)), np.float32)
    mask, right = np.zeros((2, len(usable), most), bool)
    for i, row in enumerate(usable):
        both[i, : len(row.units)] = (together(row.evidence) - mean) / deviation
        mask[i, : len(row.units)] = True
        right[i, : len(row.units)] = [unit in row.right for unit in row.units]
    values, known, good = torch.from_numpy(both), torch.from_numpy(mask), torch.from_numpy(right)
    exact, weight = torch.tensor([r.power for r in usable]), torch.tensor([r.weight for r in usable])
    network = Network(width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - epoch / epochs) + 1e-5
        for batch in torch.randperm(len(usable)).split(64):
            likely = torch.log_softmax(network(values[batch]).masked_fill(~known[batch], -1e4), 1)
            unit = -torch.logsumexp(likely.masked_fill(~good[batch], -1e4), 1)
            place = exact[batch]
            power = -likely.gather(1, place.clamp(min=0)[:, None])[:, 0] * (place >= 0)
            loss = ((unit + 0.3 * power) * weight[batch]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network.eval()
    stored = {"mean": mean.astype(np.float32), "deviation": deviation.astype(np.float32)}
    for name in ("d1", "d2"):
        layer = getattr(network, name)
        stored[name] = layer.weight.detach().numpy().T.copy()
        stored[name + "_bias"] = layer.bias.detach().numpy().copy()
    stored["direct"] = network.direct.weight.detach().numpy().T.copy()
    return stored


def by_unit(row: Row, shares: Sequence[float] | NDArray[np.float32]) -> list[tuple[str, float]]:
    """Units with their probabilities, best first, from those of the powers."""
    units: dict[str, float] = {}
    for unit, share in zip(row.units, shares, strict=True):
        units[unit] = units.get(unit, 0.0) + float(share)
    return sorted(units.items(), key=lambda item: -item[1])


@dataclass(frozen=True)
class Outside:
    """A complaint with what was said of it by models that never saw it: of each power, and of those that were read."""

    row: Row
    scores: NDArray[np.float32]
    said: NDArray[np.float32] | None = None

    def guess(self, model: DispatchModel) -> list[tuple[str, float]]:
        """Units with their probabilities, best first, through the code that serves."""
        if self.said is None:
            return by_unit(self.row, model.unread(self.scores))
        return by_unit(self.row, model.read(self.scores, to_read(self.scores), self.said))


def first_looks(training: Sequence[Row], fold: Mapping[str, int], epochs: int, width: int) -> list[Outside]:
    """What a first look says of every complaint over its whole list, learnt without the complaint's fold."""
    outside = []
    for k in sorted(set(fold.values())):
        model = bare_model(fit([r for r in training if fold[r.group] != k], k, epochs, width))
        held = (r for r in training if fold[r.group] == k and r.weight == WHOLE)
        outside += [Outside(row, model.scores(row.evidence)) for row in held]
    return outside


def bare_model(stored: Weights, **scalars: Any) -> DispatchModel:
    """The model of ``stored`` that serves; what is not told of weights and thresholds yet is as good as nothing."""
    nothing: Weights = {"temperature": 1.0, "threshold": 0.0, "threshold_unread": 0.0, "both": (1.0, 0.0, 0.0)}
    return DispatchModel({**stored, **{n: np.asarray(v, np.float32) for n, v in {**nothing, **scalars}.items()}})


def weighed(outside: Sequence[Outside]) -> NDArray[np.float32]:
    """How much the first look counts, how much what is read, and what stands for a power that is not read."""
    most = max(len(each.scores) for each in outside)
    scores, said = np.full((2, len(outside), most), -1e4, np.float32)
    unread, right = np.zeros((2, len(outside), most), bool)
    for i, each in enumerate(outside):
        count = len(each.scores)
        scores[i, :count], unread[i, :count] = each.scores, True
        said[i, :count] = 0.0
        places = to_read(each.scores)
        said[i, places], unread[i, places] = each.said, False
        right[i, :count] = [unit in each.row.right for unit in each.row.units]
    known = torch.from_numpy(right.any(1))
    first, heard, open_, good = (torch.from_numpy(each)[known] for each in (scores, said, unread, right))
    weights = torch.tensor([1.0, 0.3, -2.0], requires_grad=True)
    descent = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        descent.zero_grad()
        both = weights[0] * first + weights[1] * (heard + open_ * weights[2])
        likely = torch.log_softmax(both, 1)
        value = -torch.logsumexp(likely.masked_fill(~good, -1e4), 1).mean()
        value.backward()
        return value

    descent.step(loss)
    return weights.detach().numpy()


def calibrated(outside: Sequence[Outside]) -> float:
    """The temperature of the first look alone."""

    def loss(temperature: float) -> float:
        model = bare_model({}, temperature=temperature)
        likely = [dict(each.guess(model)) for each in outside]
        shares = (sum(p.get(u, 0.0) for u in o.row.right) for p, o in zip(likely, outside, strict=True))
        return float(np.mean([-np.log(max(1e-6, share)) for share in shares]))

    return min((float(t) for t in np.arange(0.6, 2.6, 0.1)), key=loss)


def threshold(outside: Sequence[Outside], model: DispatchModel, name: str) -> float:
    """From which confidence at most :data:`WRONG_AT_MOST` of what is sent is wrong. Prints how good the guesses are."""
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    tops = list[tuple[float, bool]]()
    for each in outside:
        guesses = each.guess(model)
        hits = [unit in each.row.right for unit, _ in guesses]
        tops.append((guesses[0][1], hits[0]))
        found[each.row.city].append((hits[0], any(hits[:3])))
    for city, some in sorted(found.items()):
        first, three = np.mean(some, 0)
        print(f"{name}: {city or 'sample city'}: {len(some)} complaints, first {first:.3f}, among three {three:.3f}")
    sure, right = np.array([top for top, _ in tops]), np.array([hit for _, hit in tops])
    steps = (float(t) for t in np.arange(0.3, 0.95, 0.01))
    chosen = next((t for t in steps if (~right[sure >= t]).mean() <= WRONG_AT_MOST), 0.95)
    sent = sure >= chosen
    every = np.mean([hit for some in found.values() for hit in some], 0)
    print(
        f"{name}: first {every[0]:.3f}, among three {every[1]:.3f}; from {chosen:.2f}: sent {np.mean(sent):.3f}, "
        f"of these right {right[sent].mean():.3f}",
        flush=True,
    )
    return chosen


def read_all(
    outside: Sequence[Outside], fold: Mapping[str, int], encoder: OpenVinoEncoder
) -> tuple[list[Outside], Alignment]:
    """``outside`` with what is read of each, learnt without its fold; and a reader that learnt from all."""
    passages = {text for each in outside for power in each.row.documents for text in (summary(power), power.name)}
    told, asked = (
        half_states(encoder.read_passages, passages),
        half_states(encoder.read_queries, {each.row.text for each in outside}),
    )
    states = [*told.values(), *asked.values()]
    passage = {text: number for number, text in enumerate(told)}
    report = {text: number for number, text in enumerate(asked, start=len(told))}
    readings = [
        Reading(
            report[each.row.text],
            tuple(passage[summary(power)] for power in each.row.documents),
            tuple(passage[power.name] for power in each.row.documents),
            each.scores,
            np.array([unit in each.row.right for unit in each.row.units]),
            each.row.power,
        )
        for each in outside
    ]
    folds, width = [fold[each.row.group] for each in outside], encoder.states_width

    def train(left_out: int | None) -> Alignment:
        kept = [each for each, k in zip(readings, folds, strict=True) if k != left_out]
        return reading.trained(lambda draw: groups(kept, draw), states, width, READ_EPOCHS, left_out or 0)

    held = {k: [place for place, own in enumerate(folds) if own == k] for k in sorted(set(folds))}
    pairs = {
        k: [(each.own, each.powers[n]) for each in (readings[p] for p in some) for n in each.read]
        for k, some in held.items()
    }
    model, heard = reading.crossed(train, pairs, states)
    made = list(outside)
    for k, some in held.items():
        said = iter(heard[k])
        for p in some:
            made[p] = replace(outside[p], said=np.array([next(said) for _ in readings[p].read], np.float32))
    return made, model


def main() -> None:
    """Command line: train on train and development units and on other cities, report on test units, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--powers", type=Path, required=True)
    parser.add_argument("--complaints", type=Path, required=True, help="folder with departments.json and the splits")
    parser.add_argument("--cities", type=Path, nargs="*", default=(), help="folders of powers.jsonl, complaints.jsonl")
    parser.add_argument("--cache", type=Path, required=True, help="file of vectors, kept between runs")
    parser.add_argument("--encoder", type=Path, default=SHIPPED)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bridge", type=Path, required=True, help="file to write the bridge to")
    parser.add_argument("--reader", type=Path, required=True, help="folder to write the second look to")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--report-test", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoder = OpenVinoEncoder(options.encoder)
    split = json.loads((options.complaints / "departments.json").read_text(encoding="utf-8"))
    powers = [power_document(p) for p in read(options.powers)]
    known = [p for p in powers if split[p.department] != "test"]
    sample = [c for name in ("train", "development") for c in read(options.complaints / f"{name}.jsonl")]
    cities = [city_of("", known, sample, encoder)]
    for folder in options.cities:
        listed = [power_document(power) for power in read(folder / "powers.jsonl")]
        cities.append(city_of(folder.name, listed, read(folder / "complaints.jsonl"), encoder))
    fold = folds_of(cities)
    training = crossed(cities, fold, encoder, options.cache)
    looked = first_looks(training, fold, options.epochs, options.width)
    temperature = calibrated(looked)
    unread = threshold(looked, bare_model({}, temperature=temperature), "first look")
    looked, reader = read_all(looked, fold, encoder)
    both = weighed(looked)
    scalars: Weights = {"temperature": temperature, "threshold_unread": unread, "both": both}
    scalars["threshold"] = threshold(looked, bare_model({}, **scalars), f"both looks {both.round(2)}")
    stored = fit(training, 0, options.epochs, options.width)
    stored |= {name: np.asarray(value, np.float32) for name, value in scalars.items()}
    np.savez_compressed(options.out, features=np.array(",".join((*PER_POWER, *OF_TEXT))), **stored)
    drift = export(reader, encoder, options.reader, "wenban-power-reader")
    if drift > TOLERANCE:
        raise SystemExit(f"the export drifted: a logit moved by {drift:.3f}")
    indexes = [PowerIndex.build(city.powers, encoder, options.cache) for city in cities]
    learnt = [bridging.listed(index, c.complaints, c.vectors) for index, c in zip(indexes, cities, strict=True)]
    bridging.save(bridging.fit(learnt), encoder, options.bridge)
    if options.report_test:
        model, told = DispatchModel.load(options.out), PowerReader.beside(encoder, options.reader)
        dispatching = Dispatching(encoder, options.cache, model, Bridge.beside(encoder, options.bridge), told)
        test = [(dispatching.hear(c["text"]), rights(c)) for c in read(options.complaints / "test.jsonl")]
        for name, some in (("its own list", [p for p in powers if p not in known]), ("the whole list", powers)):
            dispatcher = dispatching.over(some)
            hits = [[each.department in right for each in dispatcher.choices(heard)] for heard, right in test]
            first, three = np.mean([(hit[0], any(hit)) for hit in hits], 0)
            print(f"test over {name} ({len(some)} powers): first {first:.3f}, among three {three:.3f}")


if __name__ == "__main__":
    main()
