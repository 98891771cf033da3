"""Train which complaints tell of the same incident: labelled pairs, look-alikes, and the nearest others.

The nearest earlier complaints that are no pair are the negatives that matter, together with those written to mislead:
the same place but another incident. The threshold is chosen out of sample on choices as they are served, one for each
complaint, so that of what is taken for one incident :data:`PRECISE` is right.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from index.encoder import Encoder, open_encoder
from index.pairing import FEATURES, Corpus, Report, features, products, report
from index.training.choosing import choices, pairs
from index.training.files import read

AXES = 96
"""Directions of the vectors in which they are compared evenly."""
BLOCK = 60
"""Rows without a department are held out by runs of this many, as a pair and its look-alikes stand together."""
PRECISE = 0.9
"""Share of what is taken for one incident that should be, out of sample."""


def reports(complaints: list[dict[str, Any]], encoder: Encoder) -> list[Report]:
    """The reports of ``complaints``."""
    vectors = encoder.encode_queries([c["text"] for c in complaints])
    return [report(c["text"], c.get("location"), v) for c, v in zip(complaints, vectors, strict=True)]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=Path, nargs="+", required=True)
    parser.add_argument("--encoder", default=None)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    encoder = open_encoder(options.encoder, threads=1)
    files = [read(path) for path in options.complaints]
    made = [reports(complaints, encoder) for complaints in files]
    corpus = learned([each for some in made for each in some])
    looked = [(n, pair) for n, (rows, some) in enumerate(zip(files, made, strict=True)) for pair in pairs(rows, some)]
    matrix = products(np.array([features(made[n][p.earlier], made[n][p.later], corpus) for n, p in looked]))
    right = np.array([pair.same for _, pair in looked])
    groups = [files[n][p.later].get("department") or f"none {p.later // BLOCK}" for n, p in looked]
    mean, deviation = matrix.mean(0), matrix.std(0) + 1e-3
    scaled = (matrix - mean) / deviation
    outside = np.zeros(len(right))
    for inside, held in GroupKFold(5).split(scaled, right, groups):
        outside[held] = fitted(scaled[inside], right[inside]).predict_proba(scaled[held])[:, 1]
    # The further texts are half look-alikes; complaints as they come in are those of a department.
    own = np.array([files[n][p.later].get("department") is not None for n, p in looked])
    usual = choices([each for each, kept in zip(looked, own, strict=True) if kept], outside[own])
    further = choices([each for each, kept in zip(looked, own, strict=True) if not kept], outside[~own])
    threshold = usual.threshold(PRECISE)
    for name, some in (("of departments", usual), ("further texts", further)):
        recall, precision = some.at(threshold)
        print(f"{some.known} {name}, out of sample at {threshold:.3f}: recall {recall:.3f} precision {precision:.3f}")
    final = fitted(scaled, right)
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
        threshold=np.float32(threshold),
    )


def learned(made: Sequence[Report]) -> Corpus:
    """What the complaints tell without their labels."""
    seen = Counter(gram for each in made for gram in each.grams)
    rarity = {gram: math.log((1 + len(made)) / (1 + count)) for gram, count in seen.items() if count > 2}
    unknown = math.log((1 + len(made)) / 3)  # what only the two of a pair say counts as never heard before
    vectors = np.stack([each.vector for each in made])
    middle = vectors.mean(0)
    _, apart, axes = np.linalg.svd(vectors - middle, full_matrices=False)
    return Corpus(rarity, unknown, middle, (axes[:AXES].T / apart[:AXES] * math.sqrt(len(made))).astype(np.float32))


def fitted(matrix: NDArray[np.float64], right: NDArray[np.bool_]) -> LogisticRegression:
    """Strongly held back: many products, few pairs."""
    return LogisticRegression(C=0.001, max_iter=1000).fit(matrix, right)


if __name__ == "__main__":
    main()
