"""Train the decision which unit a complaint goes to, on lists of powers it will not be used with.

Each labelled complaint is laid before several lists: its city's own, random shorter ones, and the same without topics,
since another city's list may be shorter or barer. Whole units of the sample city are kept apart, and whole cities of
the others: what the bridge (:mod:`index.training.bridging`) says of a complaint was learnt from the other folds, and
cross-validation gives the out-of-sample probabilities on which temperature and threshold are chosen.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from index.bridge import Bridge
from index.dispatching import DispatchModel, together
from index.encoder import Encoder, Vectors, open_encoder
from index.powers import OF_TEXT, PER_POWER, Evidence, PowerDocument, PowerIndex, power_document
from index.training import bridging
from index.training.bridging import rights
from index.training.files import read

Weights = dict[str, Any]
WRONG_AT_MOST = 0.08
"""Share of the complaints sent without asking that may at most go to a wrong unit."""


@dataclass(frozen=True)
class Row:
    """A complaint against one list: evidence, unit of each power, right units, the right power's place or -1."""

    evidence: Evidence
    units: tuple[str, ...]
    right: frozenset[str]
    power: int
    city: str
    group: str
    weight: float


@dataclass(frozen=True)
class City:
    """A responsibility list and complaints about it; the sample city, whose units are held out singly, has no name."""

    name: str
    powers: Sequence[PowerDocument]
    complaints: Sequence[dict[str, Any]]
    vectors: Vectors
    """Those of the complaints."""

    def among(self, kept: NDArray[np.bool_]) -> City:
        """The same list with the complaints that are ``kept``."""
        return replace(self, complaints=list(compress(self.complaints, kept)), vectors=self.vectors[kept])


def rows(
    complaints: Sequence[dict[str, Any]], vectors: Vectors, index: PowerIndex, weight: float, city: str = ""
) -> list[Row]:
    """A row for each of ``complaints`` that some unit of ``index`` is right for. ``city``: held out as one, or ''."""
    units = {p.department for p in index.powers}
    made = []
    for complaint, vector in zip(complaints, vectors, strict=True):
        if not rights(complaint) & units:
            continue
        evidence = index.evidence_for(complaint["text"], vector)
        codes = [index.powers[n].code for n in evidence.powers]
        place = codes.index(complaint["power"]) if complaint["power"] in codes else -1
        departments = tuple(index.powers[n].department for n in evidence.powers)
        made.append(Row(evidence, departments, rights(complaint), place, city, city or complaint["department"], weight))
    return made


def variants(city: City, encoder: Encoder, cache: Path, bridge: Bridge | None, seed: int) -> list[Row]:
    """Rows against the whole list, against shorter ones and against barer ones; and once without the bridge."""
    draw = random.Random(seed)

    def laid(powers: Sequence[PowerDocument], weight: float, bridge: Bridge | None = bridge) -> list[Row]:
        index = PowerIndex.build(powers, encoder, cache, bridge)
        return rows(city.complaints, city.vectors, index, weight, city.name)

    made = laid(city.powers, 1.0)
    departments = sorted({p.department for p in city.powers})
    for share in (0.35, 0.6):
        kept = set(draw.sample(departments, max(2, round(share * len(departments)))))
        made += laid([p for p in city.powers if p.department in kept], 0.5)
    made += laid([replace(p, topics=tuple(t for t in p.topics if draw.random() < 0.5)) for p in city.powers], 0.4)
    made += laid([replace(p, topics=()) for p in city.powers], 0.2)
    return made + laid(city.powers, 0.1, None)


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
    draw = random.Random(seed)
    stacked = np.concatenate([together(r.evidence) for r in training])
    mean, deviation = stacked.mean(0), stacked.std(0)
    # a feature that never varies here must not speak when it does in service
    deviation = np.where(deviation < 1e-6, 1e6, deviation + 1e-3)
    network = Network(width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    usable = [r for r in training if r.right & set(r.units)]
    for epoch in range(epochs):
        draw.shuffle(usable)
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - epoch / epochs) + 1e-5
        for start in range(0, len(usable), 64):
            batch = usable[start : start + 64]
            most = max(len(r.units) for r in batch)
            both = np.zeros((len(batch), most, len(mean)), np.float32)
            mask, right = np.zeros((2, len(batch), most), bool)
            exact = np.full(len(batch), -1)
            for i, row in enumerate(batch):
                both[i, : len(row.units)] = (together(row.evidence) - mean) / deviation
                mask[i, : len(row.units)] = True
                right[i, : len(row.units)] = [unit in row.right for unit in row.units]
                exact[i] = row.power
            scores = network(torch.from_numpy(both)).masked_fill(~torch.from_numpy(mask), -1e4)
            likely = torch.log_softmax(scores, 1)
            unit = -torch.logsumexp(likely.masked_fill(~torch.from_numpy(right), -1e4), 1)
            place = torch.from_numpy(exact)
            power = -likely.gather(1, place.clamp(min=0)[:, None])[:, 0] * (place >= 0)
            weight = torch.tensor([r.weight for r in batch])
            loss = ((unit + 0.3 * power) * weight).mean()
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


def predict(stored: Weights, row: Row, temperature: float = 1.0) -> list[tuple[str, float]]:
    """Units with their probabilities, best first, through the code that serves."""
    scalars: Weights = {"temperature": np.float32(temperature), "threshold": np.float32(0)}
    model = DispatchModel({**stored, **scalars})
    units: dict[str, float] = {}
    for unit, share in zip(row.units, model.probabilities(row.evidence), strict=True):
        units[unit] = units.get(unit, 0.0) + float(share)
    return sorted(units.items(), key=lambda item: -item[1])


def measure(stored: Weights, held: Sequence[Row], temperature: float = 1.0) -> dict[str, float]:
    """Right unit first, among three, and the mean loss."""
    guesses = [predict(stored, r, temperature) for r in held]
    first = [g[0][0] in r.right for g, r in zip(guesses, held, strict=True)]
    three = [any(u in r.right for u, _ in g[:3]) for g, r in zip(guesses, held, strict=True)]
    loss = [-np.log(max(1e-6, sum(p for u, p in g if u in r.right))) for g, r in zip(guesses, held, strict=True)]
    return {"first": float(np.mean(first)), "three": float(np.mean(three)), "loss": float(np.mean(loss))}


def calibrated(training: Sequence[Row], epochs: int, width: int, folds: int = 5) -> tuple[float, float]:
    """Temperature and threshold by cross-validation over units."""
    groups = sorted({r.group for r in training})
    random.Random(3).shuffle(groups)
    fold = {g: i % folds for i, g in enumerate(groups)}
    outside: list[tuple[Weights, Row]] = []
    for k in range(folds):
        stored = fit([r for r in training if fold[r.group] != k], k, epochs, width)
        outside += [(stored, r) for r in training if fold[r.group] == k and r.weight == 1.0]

    def loss(temperature: float) -> float:
        likely = [dict(predict(s, r, temperature)) for s, r in outside]
        shares = (sum(p.get(u, 0.0) for u in r.right) for p, (_, r) in zip(likely, outside, strict=True))
        return float(np.mean([-np.log(max(1e-6, share)) for share in shares]))

    temperature = min((float(t) for t in np.arange(0.6, 2.6, 0.1)), key=loss)
    tops = [predict(s, r, temperature)[0] for s, r in outside]
    right = np.array([unit in r.right for (unit, _), (_, r) in zip(tops, outside, strict=True)])
    sure = np.array([share for _, share in tops])
    steps = (float(t) for t in np.arange(0.3, 0.95, 0.01))
    threshold = next((t for t in steps if (~right[sure >= t]).mean() <= WRONG_AT_MOST), 0.95)
    _by_city(outside, temperature)
    print(
        f"out of sample first {right.mean():.3f}; temperature {temperature:.1f} threshold {threshold:.2f}: "
        f"sent {np.mean(sure >= threshold):.3f}, of these right {right[sure >= threshold].mean():.3f}"
    )
    return temperature, threshold


def _by_city(outside: Sequence[tuple[Weights, Row]], temperature: float) -> None:
    """Prints for each city how often the right unit is first, and among three."""
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for stored, row in outside:
        guesses = [unit in row.right for unit, _ in predict(stored, row, temperature)]
        found[row.city].append((guesses[0], any(guesses[:3])))
    for city, hits in sorted(found.items()):
        first, three = np.mean(hits, 0)
        print(f"{city or 'sample city'}: {len(hits)} complaints, unit first {first:.3f}, among three {three:.3f}")


def crossed(cities: Sequence[City], encoder: Encoder, cache: Path, folds: int = 5) -> list[Row]:
    """Rows of all ``cities``, each with a bridge that was learnt from other folds."""
    groups = sorted({city.name or c["department"] for city in cities for c in city.complaints})
    random.Random(5).shuffle(groups)
    fold = {group: i % folds for i, group in enumerate(groups)}
    indexes = [PowerIndex.build(city.powers, encoder, cache) for city in cities]
    made: list[Row] = []
    for k in range(folds):
        held = [np.array([fold[city.name or c["department"]] == k for c in city.complaints]) for city in cities]
        inside = [city.among(~out) for city, out in zip(cities, held, strict=True)]
        learnt = [bridging.listed(index, c.complaints, c.vectors) for index, c in zip(indexes, inside, strict=True)]
        bridge = Bridge(bridging.fit(learnt, seed=k))
        for city, out in zip(cities, held, strict=True):
            if out.any():
                made += variants(city.among(out), encoder, cache, bridge, seed=k)
        print(f"bridge {k + 1} of {folds}", flush=True)
    return made


def main() -> None:
    """Command line: train on train and development units and on other cities, report on test units, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--powers", type=Path, required=True)
    parser.add_argument("--complaints", type=Path, required=True, help="folder with departments.json and the splits")
    parser.add_argument("--cities", type=Path, nargs="*", default=(), help="folders of powers.jsonl, complaints.jsonl")
    parser.add_argument("--cache", type=Path, required=True, help="file of vectors, kept between runs")
    parser.add_argument("--encoder", default=None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bridge", type=Path, required=True, help="file to write the bridge to")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--report-test", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoder = open_encoder(options.encoder, threads=1)
    split = json.loads((options.complaints / "departments.json").read_text(encoding="utf-8"))
    powers = [power_document(p) for p in read(options.powers)]
    known = [p for p in powers if split[p.department] != "test"]
    sample = [c for name in ("train", "development") for c in read(options.complaints / f"{name}.jsonl")]
    cities = [_city("", known, sample, encoder)]
    for folder in options.cities:
        listed = [power_document(power) for power in read(folder / "powers.jsonl")]
        cities.append(_city(folder.name, listed, read(folder / "complaints.jsonl"), encoder))
    training = crossed(cities, encoder, options.cache)
    temperature, threshold = calibrated(training, options.epochs, options.width)
    stored = fit(training, 0, options.epochs, options.width)
    stored |= {"temperature": np.float32(temperature), "threshold": np.float32(threshold)}
    np.savez_compressed(options.out, features=np.array(",".join((*PER_POWER, *OF_TEXT))), **stored)
    indexes = [PowerIndex.build(city.powers, encoder, options.cache) for city in cities]
    learnt = [bridging.listed(index, c.complaints, c.vectors) for index, c in zip(indexes, cities, strict=True)]
    bridging.save(bridging.fit(learnt), encoder, options.bridge)
    if options.report_test:
        bridge, test = Bridge.beside(encoder, options.bridge), read(options.complaints / "test.jsonl")
        vectors = encoder.encode_queries([c["text"] for c in test])
        for name, listed in (("its own list", [p for p in powers if p not in known]), ("the whole list", powers)):
            held = rows(test, vectors, PowerIndex.build(listed, encoder, options.cache, bridge), 1.0)
            print(f"test over {name} ({len(listed)} powers)", measure(stored, held, temperature))


def _city(name: str, powers: Sequence[PowerDocument], complaints: Sequence[dict[str, Any]], encoder: Encoder) -> City:
    return City(name, powers, complaints, encoder.encode_queries([c["text"] for c in complaints]))


if __name__ == "__main__":
    main()
