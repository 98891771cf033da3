"""Encode the common matters: those of ``catalogue/common``, and the training families of the sample city.

Of a matter with many sayings the most unlike each other are kept. Vectors are stored in one byte a number: a quarter of
the size, and no answer changes. A saying that a test asks word for word is left out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index import vectors as vector_index
from index.common import Scale
from index.encoder import Encoder, OpenVinoEncoder, Vectors
from index.normal import bare
from index.training.files import read

FAR_SHARE, NEAR_SHARE = 0.175, 0.83
"""Shares of the questions that are less near to their nearest saying than ``far`` and ``near``."""

SAME_SHARE, BLUR_SHARE = 0.21, 0.37
"""Shares of the names that are less near to the nearest common name than ``same``, and than ``same`` and ``blur``."""

LEAST_BLUR = 0.005
SPREAD_SHARE = 0.21
"""``spread`` as a share of how far the eighth matter lies behind the nearest, in the mean."""

MOST_SAYINGS = 12
"""Sayings kept of one matter."""

NEIGHBOURS = 4
"""Matters that stand together in a file and count as one family."""

QUESTIONS = ("train.jsonl", "train-hard.jsonl")


@dataclass(frozen=True, slots=True)
class Matter:
    """``names``: the official name first. ``misses``: what sounds like it, but means something else."""

    names: tuple[str, ...]
    says: tuple[str, ...]
    misses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class City:
    """Matters as guides that only have names, what is asked about them, and what is asked near them in vain.

    Of ``misses`` the matter ``near`` is the one that must not answer; another may.
    """

    guides: list[dict[str, Any]]
    questions: list[dict[str, Any]]
    misses: list[dict[str, Any]]


def written(folder: Path) -> Iterator[Matter]:
    """The matters in the files of ``folder``."""
    for file in sorted(folder.glob("*.jsonl")):
        for row in read(file):
            yield Matter((row["name"], *row["aliases"]), tuple(row["says"]), tuple(row["misses"]))


def asked(guides: Path, questions: Path) -> Iterator[Matter]:
    """The training families of a city with the questions asked about them."""
    split = json.loads((questions / "families.json").read_text(encoding="utf-8"))
    says: dict[str, list[str]] = defaultdict(list)
    for name in QUESTIONS:
        for row in read(questions / name):
            if row["matter"] and not row.get("context"):
                says[row["matter"]].append(row["text"])
    for guide in read(guides):
        if split[guide["catalog_code"]] == "train" and says[guide["code"]]:
            yield Matter((guide["name"], *guide.get("aliases", ())), tuple(says[guide["code"]]))


def city(
    folder: Path, *, sayings: int, typical: int = 0, forbidden: frozenset[str] = frozenset(), seed: int = 0
) -> City:
    """The common matters in ``folder`` as a city.

    At most ``sayings`` of each matter are asked; ``typical`` others stand in its guide as typical questions. Files put
    what resembles each other together: four neighbours are one family. Texts in ``forbidden`` (bare) are left out.
    """
    draw, made = random.Random(seed), City([], [], [])
    for number, matter in enumerate(written(folder)):
        code, family = f"common-{number}", f"common-family-{number // NEIGHBOURS}"
        said = [text for text in matter.says if bare(text) not in forbidden]
        said = draw.sample(said, min(sayings + typical, len(said)))
        kept = said[sayings:] if len(said) > sayings else []
        guide = {"code": code, "catalog_code": family, "name": matter.names[0], "aliases": list(matter.names[1:])}
        made.guides.append({**guide, "questions": kept})
        made.questions.extend({"text": text, "matter": code, "family": family} for text in said[:sayings])
        missed = [text for text in matter.misses if bare(text) not in forbidden]
        made.misses.extend({"text": text, "matter": None, "near": [code]} for text in missed)
    return made


def held_out(guides: Path, questions: Path) -> tuple[list[str], list[str]]:
    """Questions and names of the development families."""
    split = json.loads((questions / "families.json").read_text(encoding="utf-8"))
    asked = [row["text"] for row in read(questions / "development.jsonl") if row["matter"] and not row.get("context")]
    return asked, [g["name"] for g in read(guides) if split[g["catalog_code"]] == "development"]


def unlike(vectors: Vectors, most: int) -> list[int]:
    """Places of at most ``most`` vectors, each the furthest from those before it."""
    chosen, far = [0], 1 - vectors @ vectors[0]
    while len(chosen) < min(most, len(vectors)):
        place = int(far.argmax())
        chosen.append(place)
        far = np.minimum(far, 1 - vectors @ vectors[place])
    return chosen


def scale(
    questions: Vectors, titles: Vectors, says: Vectors, names: Vectors, owners: np.ndarray
) -> dict[str, np.float32]:
    """What the encoder's cosines mean (:class:`index.common.Scale`), by where they lie for questions never learnt.

    ``questions`` and ``titles``: of matters that no training question is about. A more even encoder has lower cosines
    all over; these shares of them were found with one for which the best numbers were known.
    """
    found = questions @ np.concatenate([says, names]).T
    nearest = found.max(1)
    behind = []
    for row in found:
        best = np.full(owners.max() + 1, -1.0, np.float32)
        np.maximum.at(best, owners, row)
        best.sort()
        behind.append(best[-1] - best[-min(8, len(best))])
    named = (titles @ names.T).max(1)
    same = np.quantile(named, SAME_SHARE)
    made = {
        "far": np.quantile(nearest, FAR_SHARE),
        "near": np.quantile(nearest, NEAR_SHARE),
        "spread": SPREAD_SHARE * np.mean(behind),
        "same": same,
        "blur": max(np.quantile(named, BLUR_SHARE) - same, LEAST_BLUR),
    }
    return {name: np.float32(value) for name, value in made.items()}


def encoded(
    matters: Sequence[Matter], encoder: Encoder, forbidden: frozenset[str], unseen: tuple[Sequence[str], Sequence[str]]
) -> dict[str, Any]:
    """The arrays that :class:`index.common.CommonMatters` reads: sayings first, then names, each matter's together.

    ``unseen``: questions and names by which cosines are scaled.
    """
    says = [(place, text) for place, m in enumerate(matters) for text in m.says if bare(text) not in forbidden]
    owners = np.array([place for place, _ in says], np.int32)
    vectors = encoder.encode_queries([text for _, text in says])
    kept = np.concatenate(
        [(rows := np.flatnonzero(owners == place))[unlike(vectors[rows], MOST_SAYINGS)] for place in np.unique(owners)]
    )
    named = [(place, text) for place, m in enumerate(matters) for text in dict.fromkeys(m.names)]
    names = encoder.encode_passages([text for _, text in named])
    step = np.float32(np.abs(names).max() / 127)
    every = np.concatenate([owners[kept], np.array([place for place, _ in named], np.int32)])
    asked, titles = encoder.encode_queries(unseen[0]), encoder.encode_passages(unseen[1])
    return {
        "encoder": encoder.identity,
        "index": faiss.serialize_index(vector_index.train(np.concatenate([vectors[kept], names]))),
        "names": np.round(names / step).astype(np.int8),
        "step": step,
        "owners": every,
        "titles": np.array([matter.names[0] for matter in matters]),
        **scale(asked, titles, vectors[kept], names, every),
    }


def main() -> None:
    """Command line: encode and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--common", type=Path, required=True, help="folder of common matters")
    parser.add_argument("--guides", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True, help="folder with families.json and question files")
    parser.add_argument("--tests", type=Path, nargs="*", default=(), help="question files no text of which may be kept")
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    forbidden = frozenset(bare(row["text"]) for file in options.tests for row in read(file))
    matters = [*written(options.common), *asked(options.guides, options.questions)]
    arrays = encoded(matters, OpenVinoEncoder(options.encoder), forbidden, held_out(options.guides, options.questions))
    np.savez_compressed(options.out, **arrays)
    said, named = len(arrays["owners"]) - len(arrays["names"]), len(arrays["names"])
    print(f"{len(matters)} matters, {said} sayings, {named} names", {n: float(arrays[n]) for n in Scale.__slots__})


if __name__ == "__main__":
    main()
