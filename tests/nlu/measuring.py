"""Rates of the understanding over labelled rows."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.conversations.facets import asked_facets
from bot.conversations.model import FacetGuess, Focus, Understanding
from bot.conversations.routing import route
from bot.conversations.searching import NOTHING
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


def heard(row: Row) -> Understanding:
    """What Rasa understood, as the gateway reads it."""
    facets = tuple(FacetGuess(facet["name"], facet["confidence"]) for facet in row["facets"])
    entities = tuple(row["entities"])
    return Understanding(row["text"], row["intent"]["name"], row["intent"]["confidence"], facets, entities)


def facets_answered(understood: Row) -> tuple[str, ...]:
    """The facets that a text without earlier turns is answered by."""
    return asked_facets(heard(understood), Focus(), follows_up=False)


def way(understood: Row) -> str:
    """Where a text goes of which the index knows nothing: the social act, the service, or `unknown`."""
    taken = route(heard(understood), NOTHING)
    return taken.act or taken.way


def by_facet(labelled: Sequence[Row], understood: Sequence[Row]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 of each facet over all facets answered."""
    named: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for row, understanding in zip(labelled, understood, strict=True):
        found = set(facets_answered(understanding))
        named.update(found)
        wanted.update(row["facets"])
        both.update(found & set(row["facets"]))
    rates = {}
    for facet in wanted:
        precision, recall = both[facet] / max(1, named[facet]), both[facet] / wanted[facet]
        rates[facet] = (precision, recall, 2 * precision * recall / max(1e-9, precision + recall))
    return rates
