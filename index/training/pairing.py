"""Train which complaints tell of the same incident: labelled pairs, look-alikes, and the nearest others.

The nearest earlier complaints that are no pair are the negatives that matter, together with those written to mislead:
the same place but another incident. The second look is trained on what the first one, out of sample, finds alike; how
much both count together is fitted out of sample again. The thresholds are chosen on choices as they are served, one
for each complaint: as high as finding :data:`FOUND` allows.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from index.encoder import Encoder, OpenVinoEncoder, States
from index.incident import READ
from index.pairing import FEATURES, Corpus, Report, features, products, report
from index.training import pair_reading, reading
from index.training.choosing import Pair, choices, pairs
from index.training.files import read
from index.training.reranking import TOLERANCE, Alignment, export, half_states

AXES = 96
"""Directions of the vectors in which they are compared evenly."""
BLOCK = 60
"""Rows without a department are held out by runs of this many, as a pair and its look-alikes stand together."""
FOUND = 0.85
"""Share of the reports of an incident told before that are to be found, out of sample. No more than that: who is shown
another's complaint by mistake and joins it has not been heard, one that is missed is merged by an operator."""
FOLDS = 4
EPOCHS = 4.0
FURTHER = 0.03
"""Weight of a pair of texts that were written to be hard, beside one of complaints as they come in. With as much weight
they make the first look and the last weighing timid where things are plain."""
SECOND = 1 / 6
"""How much a second report counts where the threshold is chosen: in a town every incident got one or a look-alike, so
that there is much to learn; this makes it one complaint in ten that tells of an incident told before."""


def reports(complaints: list[dict[str, Any]], encoder: Encoder) -> list[Report]:
    """The reports of ``complaints``."""
    vectors = encoder.encode_queries([c["text"] for c in complaints])
    return [report(c["text"], c.get("location"), v) for c, v in zip(complaints, vectors, strict=True)]


@dataclass(frozen=True)
class Looked:
    """Pairs by the numbers of their texts among all files; ``files`` and ``groups`` of each pair.

    ``counts``: how much the later complaint of each counts where the threshold is chosen.
    """

    pairs: list[Pair]
    files: list[int]
    groups: list[str]
    right: NDArray[np.bool_]
    counts: NDArray[np.float64]

    def folds(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Places of the pairs that are learnt from, and of those held out."""
        return list(GroupKFold(FOLDS).split(self.groups, self.right, self.groups))

    def choices(self, likely: NDArray[np.float64], kept: NDArray[np.bool_]) -> Any:
        """What is chosen by ``likely`` among the pairs ``kept``, as it is served."""
        held = [(file, pair) for file, pair, one in zip(self.files, self.pairs, kept, strict=True) if one]
        return choices(held, likely[kept], self.counts[kept])

    def read(self, first: NDArray[np.float64], among: Sequence[int]) -> list[int]:
        """Of the pairs ``among``, those that a second look is taken at: of each complaint the likeliest."""
        of: dict[int, list[int]] = defaultdict(list)
        for place in among:
            if self.pairs[place].near:
                of[self.pairs[place].later].append(int(place))
        return [place for held in of.values() for place in sorted(held, key=lambda each: -first[each])[:READ]]


def looked(files: list[list[dict[str, Any]]], made: list[list[Report]], towns: range) -> Looked:
    """Every complaint with those it is held against, file by file; ``towns``: which files are held out as a whole."""
    found, numbers, groups, counts, start = list[Pair](), list[int](), list[str](), list[float](), 0
    for number, (rows, some) in enumerate(zip(files, made, strict=True)):
        for pair in pairs(rows, some):
            found.append(Pair(pair.earlier + start, pair.later + start, pair.same, pair.near))
            numbers.append(number)
            alone = rows[pair.later].get("department") or f"none {pair.later // BLOCK}"
            groups.append(f"town {number}" if number in towns else alone)
            counts.append(SECOND if number in towns and compared(rows[pair.later]) else 1.0)
        start += len(rows)
    return Looked(found, numbers, groups, np.array([pair.same for pair in found]), np.array(counts))


def compared(row: dict[str, Any]) -> bool:
    """Whether a report was written to be compared with another."""
    return bool(row.get("distinct_from")) or row.get("duplicate_of") is not None


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=Path, nargs="+", required=True, help="as they come in")
    parser.add_argument("--towns", type=Path, nargs="*", default=(), help="with a second report beside each")
    parser.add_argument("--further", type=Path, nargs="*", default=(), help="written to be hard to tell apart")
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reader", type=Path, required=True, help="folder to write the second look to")
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoder = OpenVinoEncoder(options.encoder, threads=1)
    files = [read(path) for path in (*options.complaints, *options.towns, *options.further)]
    towns = range(len(options.complaints), len(options.complaints) + len(options.towns))
    made = [reports(complaints, encoder) for complaints in files]
    told = [each for some in made for each in some]
    corpus, held = learned(told), looked(files, made, towns)
    matrix = products(np.array([features(told[p.earlier], told[p.later], corpus) for p in held.pairs]))
    mean, deviation = matrix.mean(0), matrix.std(0) + 1e-3
    scaled = (matrix - mean) / deviation
    number = np.array(held.files)
    own = number < towns.stop
    kinds = {"as they come in": own, "of departments": number < towns.start, "in towns": own & (number >= towns.start)}
    kinds["further texts"] = ~own
    weight = np.where(own, 1.0, FURTHER)
    first = np.zeros(len(held.pairs))
    for inside, outside in held.folds():
        first[outside] = fitted(scaled[inside], held.right[inside], weight[inside]).decision_function(scaled[outside])
    unread = _threshold("first look", first, held, kinds)
    known = half_states(encoder.read_queries, {each.reading for each in told})
    states = [known[each.reading] for each in told]
    written = [compared(row) for rows in files for row in rows]
    learnt = [bool(plain) or written[pair.later] for plain, pair in zip(own, held.pairs, strict=True)]
    said, was_read, reader = _read(held, first, learnt, states, encoder.states_width)
    both = np.stack([first, said], 1)
    together = np.full(len(first), -np.inf)
    places = np.flatnonzero(was_read)
    for inside, outside in GroupKFold(FOLDS).split(places, groups=[held.groups[place] for place in places]):
        within = places[inside]
        weighed = LogisticRegression().fit(both[within], held.right[within], weight[within])
        together[places[outside]] = weighed.decision_function(both[places[outside]])
    threshold = _threshold("both looks", together, held, kinds)
    weighed = LogisticRegression().fit(both[places], held.right[places], weight[places])
    final = fitted(scaled, held.right, weight)
    drift = export(reader, encoder, options.reader, "wenban-pair-reader")
    if drift > TOLERANCE:
        raise SystemExit(f"the export drifted: a logit moved by {drift:.3f}")
    np.savez_compressed(
        options.out,
        features=np.array(",".join(FEATURES)),
        grams=np.array(list(corpus.rarity)),
        rarity=np.array(list(corpus.rarity.values()), np.float32),
        unknown=np.float32(corpus.unknown),
        middle=corpus.middle,
        axes=corpus.axes.astype(np.float16),
        mean=mean.astype(np.float32),
        deviation=deviation.astype(np.float32),
        weight=final.coef_[0].astype(np.float32),
        bias=np.float32(final.intercept_[0]),
        both=np.array([*weighed.coef_[0], weighed.intercept_[0]], np.float32),
        threshold_unread=np.float32(unread),
        threshold=np.float32(threshold),
    )


def _threshold(name: str, logits: NDArray[np.float64], held: Looked, kinds: dict[str, NDArray[np.bool_]]) -> float:
    """The highest likelihood that finds :data:`FOUND` of ``kinds``' first; prints what it means to each."""
    likely = 1 / (1 + np.exp(-logits))
    made = {kind: held.choices(likely, some) for kind, some in kinds.items()}
    threshold = float(next(iter(made.values())).threshold(FOUND))
    for kind, some in made.items():
        recall, precision = some.at(threshold)
        print(
            f"{name}, from {threshold:.3f}: {some.known:.0f} {kind}: recall {recall:.3f} precision {precision:.3f}",
            flush=True,
        )
    return threshold


def _read(
    held: Looked, first: NDArray[np.float64], learnt: Sequence[bool], states: Sequence[States], width: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], Alignment]:
    """What the second look says of the pairs it is taken at, out of sample; which these are; and one trained on all.

    ``learnt``: which pairs are learnt from; of the further texts those of a report that was written to be compared.
    """
    folds = held.folds()
    places = {fold: held.read(first, out.tolist()) for fold, (_, out) in enumerate(folds)}

    def train(left_out: int | None) -> Alignment:
        inside = range(len(held.pairs)) if left_out is None else folds[left_out][0].tolist()
        kept = [i for i in inside if learnt[i]]
        seed = left_out or 0
        drawn = pair_reading.groups([held.pairs[i] for i in kept], first[kept], random.Random(seed))
        return reading.trained(lambda _: drawn, states, width, EPOCHS, seed, pair_reading.TURNED)

    asked = {fold: [(held.pairs[i].later, held.pairs[i].earlier) for i in some] for fold, some in places.items()}
    model, heard = reading.crossed(train, asked, states)
    said, was_read = np.zeros(len(first)), np.zeros(len(first), bool)
    for fold, some in places.items():
        said[some], was_read[some] = heard[fold], True
    return said, was_read, model


def learned(made: Sequence[Report]) -> Corpus:
    """What the complaints tell without their labels."""
    seen = Counter(gram for each in made for gram in each.grams)
    rarity = {gram: math.log((1 + len(made)) / (1 + count)) for gram, count in seen.items() if count > 2}
    unknown = math.log((1 + len(made)) / 3)  # what only the two of a pair say counts as never heard before
    vectors = np.stack([each.vector for each in made])
    middle = vectors.mean(0)
    _, apart, axes = np.linalg.svd(vectors - middle, full_matrices=False)
    return Corpus(rarity, unknown, middle, (axes[:AXES].T / apart[:AXES] * math.sqrt(len(made))).astype(np.float32))


def fitted(matrix: NDArray[np.float64], right: NDArray[np.bool_], weight: NDArray[np.float64]) -> LogisticRegression:
    """Strongly held back: many products, few pairs."""
    return LogisticRegression(C=0.003, max_iter=1000).fit(matrix, right, weight)


if __name__ == "__main__":
    main()
