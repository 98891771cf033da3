"""The cities that the sample city knows nothing of: well-formed, whole, and none repeats another's questions."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.matters.model import Facet, Guide
from bot.text import normalise

CATALOGUE = Path(__file__).parents[2] / "catalogue"
ASKING = CATALOGUE / "asking.jsonl"
CITIES = (
    "blind", "calibration", "centre", "check", "east", "more", "north", "northeast", "northwest", "plain", "south",
    "southeast", "southwest", "unseen", "west",
)  # fmt: skip
FACETS = {facet.value for facet in Facet}
KEYS = {"text", "matter", "matter_any", "facet", "facets", "family", "context", "change"}
CHANGES = {"keep", "facet", "sibling", "situation", "new_matter", "correction"}
DAYS = {"工作日": 1.0, "自然日": 5 / 7, "小时": 1 / 8, "月": 21.0}

Row = dict[str, Any]


@cache
def rows(path: Path) -> tuple[Row, ...]:
    return tuple(json.loads(line) for line in path.read_text("utf-8").splitlines())


def questions(city: str) -> tuple[Row, ...]:
    return rows(CATALOGUE / "elsewhere" / city / "questions.jsonl")


@cache
def guides(city: str) -> dict[str, Guide]:
    listed = [Guide.model_validate(row) for row in rows(CATALOGUE / "elsewhere" / city / "guides.jsonl")]
    assert len({guide.code for guide in listed}) == len(listed)
    return {guide.code: guide for guide in listed}


def bare(row: Row) -> tuple[str, ...]:
    """A question as it is told apart from others: what was said before it and it, without punctuation."""
    return tuple(re.sub(r"[\W_]", "", normalise(text)).lower() for text in (*row.get("context", ()), row["text"]))


@pytest.mark.parametrize("city", CITIES)
def test_guides_name_their_own_options_and_keep_within_the_law(city: str) -> None:
    for guide in guides(city).values():
        for material in guide.materials:
            assert material.applies_when is None or material.applies_when in guide.options, guide.code
        law, promise = guide.statutory_limit, guide.promised_limit
        if law is not None and promise is not None:
            assert promise.value * DAYS[promise.unit] <= law.value * DAYS[law.unit] + 0.01, guide.code


@pytest.mark.parametrize("city", CITIES)
def test_an_alias_belongs_to_one_matter(city: str) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for guide in guides(city).values():
        for alias in (guide.name, *guide.aliases):
            owners[normalise(alias)].add(guide.code)
    assert {alias: codes for alias, codes in owners.items() if len(codes) > 1} == {}


@pytest.mark.parametrize("city", CITIES)
def test_questions_are_well_formed_and_point_to_guides_of_their_city(city: str) -> None:
    known = guides(city)
    for number, row in enumerate(questions(city), start=1):
        where = f"{city}:{number} {row}"
        assert set(row) <= KEYS, where
        assert row["text"].strip(), where
        assert row["text"] == row["text"].strip(), where
        assert all(text.strip() for text in row.get("context", ["x"])), where
        assert row.get("change", "keep") in CHANGES, where
        assert set(row["facets"]) <= FACETS, where
        assert len(row["facets"]) == len(set(row["facets"])), where
        assert row["facet"] == (row["facets"][0] if row["facets"] else None), where
        if row["matter"] is None:
            assert not row["facets"], where
            assert "matter_any" not in row, where
            continue
        assert row["facets"], where
        assert row["family"] == known[row["matter"]].catalog_code, where
        several = row.get("matter_any", [row["matter"], row["matter"]])
        assert several[0] == row["matter"], where
        assert len(several) > 1, where
        assert set(several) <= set(known), where


@pytest.mark.parametrize("city", CITIES)
def test_every_matter_is_asked_about(city: str) -> None:
    asked = {code for row in questions(city) for code in (row["matter"], *row.get("matter_any", ()))}
    assert set(guides(city)) - asked == set()


def test_what_teaches_only_what_is_asked_for_says_so() -> None:
    for number, row in enumerate(rows(ASKING), start=1):
        where = f"asking.jsonl:{number} {row}"
        assert set(row) == {"text", "facets"}, where
        assert row["text"] == row["text"].strip() != "", where
        assert row["facets"], where
        assert set(row["facets"]) <= FACETS, where
        assert len(row["facets"]) == len(set(row["facets"])), where
        assert "overview" not in row["facets"] or row["facets"] == ["overview"], where


def test_no_question_is_asked_in_two_places() -> None:
    """What a city is trained or tuned on is never asked of the one that is reported on."""
    seen: dict[tuple[str, ...], list[str]] = defaultdict(list)
    places = [CATALOGUE / "elsewhere" / city / "questions.jsonl" for city in CITIES]
    places += [CATALOGUE / "questions" / f"{split}.jsonl" for split in ("train", "development", "test")]
    for path in [*places, ASKING]:
        for row in rows(path):
            seen[bare(row)].append(f"{path.parent.name}/{path.name}: {row['text']}")
    assert [found for found in seen.values() if len(found) > 1] == []
