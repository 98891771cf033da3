"""Rates of the understanding over labelled rows."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from channels.rasa_client import RasaClient

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT / "catalogue" / "questions"
HELD_OUT = Path(__file__).parent / "data"

Row = dict[str, Any]


def rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def understand(url: str, texts: Sequence[str]) -> list[Row]:
    """What Rasa understands of each text, in order."""

    async def all_of_them() -> list[Row]:
        async with RasaClient(url, 60) as client:
            return [await client.parse(text) for text in texts]

    return asyncio.run(all_of_them())


def first_facet_right(labelled: Sequence[Row], understood: Sequence[Row]) -> float:
    """Share whose most probable facet is one of those labelled."""
    right = [u["facets"][0]["name"] in r["facets"] for r, u in zip(labelled, understood, strict=True)]
    return sum(right) / len(right)


def a_facet_right(labelled: Sequence[Row], understood: Sequence[Row]) -> float:
    """Share where one of the facets named is one of those labelled."""
    right = [any(f["name"] in r["facets"] for f in u["facets"]) for r, u in zip(labelled, understood, strict=True)]
    return sum(right) / len(right)


def by_facet(labelled: Sequence[Row], understood: Sequence[Row]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 of each facet over all facets named."""
    named: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for row, understanding in zip(labelled, understood, strict=True):
        found = {facet["name"] for facet in understanding["facets"]}
        named.update(found)
        wanted.update(row["facets"])
        both.update(found & set(row["facets"]))
    rates = {}
    for facet in wanted:
        precision, recall = both[facet] / max(1, named[facet]), both[facet] / wanted[facet]
        rates[facet] = (precision, recall, 2 * precision * recall / max(1e-9, precision + recall))
    return rates
