"""Carry a decision over to a later encoder of the same line.

The decision is trained on what the first encoder says of the development questions, which that encoder never saw. The
encoder that ships has also been trained on them, so its similarities are a little higher all over: a decision trained
on its view of them would trust it too much. What shifts is measured on the development near misses, which no encoder
is trained on, and the decision's centre of every similarity feature is moved by it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from index.encoder import open_encoder
from index.training.files import read
from index.training.ranker import Weights
from index.training.rows import gather

SIMILARITIES = tuple(
    f"{view}_{part}" for view in ("alone", "joined") for part in ("best", "second", "name", "named", "asked", "body")
)
"""Features that are cosines; differences of cosines keep their centre."""

OF_QUESTION_TOO = ("top_alone", "top_joined", "second_alone", "third_alone", "tenth_alone")


def shifts(first: list[Any], later: list[Any], names: tuple[str, ...]) -> dict[str, float]:
    """How much the mean of each similarity feature moved between two gatherings of the same questions."""
    columns = [name for name in (*SIMILARITIES, *OF_QUESTION_TOO) if name in names]
    places = [names.index(name) for name in columns]

    def means(rows: list[Any]) -> np.ndarray:
        best = [np.concatenate([r.candidates[int(r.candidates[:, 0].argmax())], r.question]) for r in rows]
        return np.stack(best)[:, places].mean(0)

    return dict(zip(columns, (means(later) - means(first)).tolist(), strict=True))


def recentre(weights: Weights, moved: dict[str, float], names: tuple[str, ...]) -> Weights:
    """``weights`` with the centre of each feature in ``moved`` shifted."""
    mean = weights["mean"].copy()
    for name, shift in moved.items():
        mean[names.index(name)] += shift
    return {**weights, "mean": mean}


def main() -> None:
    """Command line: move ``--ranker`` from ``--first`` to ``--later`` and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guides", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True, help="folder with families.json and development.jsonl")
    parser.add_argument("--first", required=True, help="the encoder the decision was trained on")
    parser.add_argument("--later", required=True, help="the encoder it will serve")
    parser.add_argument("--ranker", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    split = json.loads((options.questions / "families.json").read_text(encoding="utf-8"))
    guides = [g for g in read(options.guides) if split[g["catalog_code"]] != "train"]
    misses = [q for q in read(options.questions / "development.jsonl") if not q["matter"] and not q.get("context")]
    with np.load(options.ranker) as stored:
        weights: Weights = {name: stored[name] for name in stored.files}
    names = tuple(str(weights["features"]).split(","))
    first, later = (gather(guides, open_encoder(encoder), misses) for encoder in (options.first, options.later))
    moved = shifts(first, later, names)
    np.savez_compressed(options.out, **recentre(weights, moved, names))
    print(f"{len(misses)} near misses, similarities moved by {np.mean(list(moved.values())):+.3f} on average")


if __name__ == "__main__":
    main()
