"""Train the kind and the danger of a complaint on labelled texts.

Danger also learns from texts written for it alone, the harmless ones that only sound so among them. Its threshold is
chosen out of sample on the complaints of departments: as low as :data:`FALSE_ALARMS` allows, since a danger that is
missed costs more than an alarm.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from index.encoder import open_encoder
from index.judging import runs, weighted
from index.training.files import read

FOUND, FALSE_ALARMS = 0.95, 0.05
"""Share of the dangers that are to be found at least, and of the harmless complaints that may be taken for some."""
BLOCK = 60
"""Texts without a department are held out by runs of this many, as those about one incident stand together."""
SCALE = 0.5
RARE = 2
"""Texts in which a run must occur to be looked at."""


def vocabulary(texts: Sequence[str]) -> tuple[dict[str, int], np.ndarray]:
    """Runs of at least :data:`RARE` texts with their places, and how rare each is."""
    seen = Counter(run for text in texts for run in set(runs(text)))
    terms = sorted(term for term, count in seen.items() if count >= RARE)
    rarity = np.array([np.log((1 + len(texts)) / (1 + seen[term])) + 1 for term in terms], np.float32)
    return {term: i for i, term in enumerate(terms)}, rarity


def matrix(
    texts: Sequence[str], vectors: np.ndarray, place: dict[str, int], rarity: np.ndarray, marks: np.ndarray
) -> csr_matrix:
    """Features of every text as the judge computes them."""
    data, columns, starts = [], [], [0]
    for text in texts:
        places, values = weighted(text, place, rarity)
        columns += places.tolist()
        data += values.tolist()
        starts.append(len(columns))
    words = csr_matrix((data, columns, starts), shape=(len(texts), len(place)), dtype=np.float32)
    return hstack([words, csr_matrix(vectors * SCALE), csr_matrix(marks)]).tocsr()


def furthest(likely: np.ndarray, danger: np.ndarray) -> float:
    """The threshold at which the share nearer to its floor is furthest from it, in standard errors."""
    missed = np.sqrt(FOUND * (1 - FOUND) / danger.sum())
    harmless = np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / (~danger).sum())

    def margin(threshold: float) -> float:
        alarm = likely >= threshold
        found, alarms = alarm[danger].mean(), alarm[~danger].mean()
        return float(min((found - FOUND) / missed, (FALSE_ALARMS - alarms) / harmless))

    return max(sorted(set(likely[danger])), key=margin)


def danger_model(features: csr_matrix, danger: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=20, max_iter=4000, class_weight="balanced").fit(features, danger)


def main() -> None:
    """Command line. The rules that set marks belong to others: ``--marks`` holds what they say of every text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=Path, nargs="+", required=True, help="text, kind, urgent, department")
    parser.add_argument(
        "--towns", type=Path, nargs="*", default=(), help="as they come in, of no department: text, urgent"
    )
    parser.add_argument("--dangers", type=Path, nargs="+", required=True, help="text, urgent")
    parser.add_argument("--marks", type=Path, required=True, help="first line: all marks; then text, marks")
    parser.add_argument("--encoder", default=None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--report", type=Path, default=None, help="complaints to report on")
    options = parser.parse_args()
    listed, *marked = read(options.marks)
    names: list[str] = listed["names"]
    marks: dict[str, list[str]] = {row["text"]: row["marks"] for row in marked}
    encoder = open_encoder(options.encoder, threads=1)
    complaints: list[dict[str, Any]] = [row for path in options.complaints for row in read(path)]
    towns = [(path.stem, row) for path in options.towns for row in read(path) if row["urgent"] is not None]
    dangers = [(path.stem, row) for path in options.dangers for row in read(path)]
    rows = [*complaints, *(row for _, row in towns), *(row for _, row in dangers)]
    texts = [row["text"] for row in rows]
    place, rarity = vocabulary(texts)

    def features(some: Sequence[str]) -> csr_matrix:
        flags = np.array([[name in marks[t] for name in names] for t in some], np.float32)
        return matrix(some, encoder.encode_queries(list(some)), place, rarity, flags.reshape(len(some), len(names)))

    everything = features(texts)
    danger = np.array([row["urgent"] for row in rows])
    groups = [row["department"] for row in complaints]
    groups += [name for name, _ in towns]
    groups += [f"{name} {i // BLOCK}" for i, (name, _) in enumerate(dangers)]
    outside = np.zeros(len(rows))
    for inside, held in GroupKFold(5).split(everything, danger, groups):
        outside[held] = danger_model(everything[inside], danger[inside]).predict_proba(everything[held])[:, 1]
    place_of = np.arange(len(rows))
    alone = place_of >= len(complaints) + len(towns)  # written to mislead; the others are as they come in
    in_towns = ~alone & (place_of >= len(complaints))
    threshold = furthest(outside[~alone], danger[~alone])
    print(f"danger out of sample, threshold {threshold:.3f}")
    for name, some in (("of departments", ~alone & ~in_towns), ("in towns", in_towns), ("for danger alone", alone)):
        found, alarms = (outside >= threshold)[some & danger].mean(), (outside >= threshold)[some & ~danger].mean()
        print(f"{name}: {(some & danger).sum()} of {some.sum()}, found {found:.3f}, false alarms {alarms:.3f}")
    kind = np.array([row["kind"] for row in complaints])
    kinds = LogisticRegression(C=20, max_iter=4000).fit(everything[: len(complaints)], kind)
    urgent = danger_model(everything, danger)
    np.savez_compressed(
        options.out,
        terms=np.array(list(place)),
        rarity=rarity,
        vector_scale=np.float32(SCALE),
        marks=np.array(list(names), dtype=np.str_),
        kinds=kinds.classes_.astype(np.str_),
        kind=kinds.coef_.T.astype(np.float32),
        kind_bias=kinds.intercept_.astype(np.float32),
        danger=urgent.coef_[0].astype(np.float32),
        danger_bias=np.float32(urgent.intercept_[0]),
        threshold=np.float32(threshold),
    )
    if options.report:
        held_rows = read(options.report)
        seen = features([row["text"] for row in held_rows])
        truth = np.array([row["urgent"] for row in held_rows])
        alarm = urgent.predict_proba(seen)[:, 1] >= threshold
        right = kinds.predict(seen) == np.array([row["kind"] for row in held_rows])
        print(
            f"held out: danger found {alarm[truth].mean():.3f}, false alarms {alarm[~truth].mean():.3f}, "
            f"kind right {right.mean():.3f}"
        )


if __name__ == "__main__":
    main()
