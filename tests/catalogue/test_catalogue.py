"""The sample city's own files: well-formed, in agreement with each other, and honestly split."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.matters.model import Facet, Guide, Power
from bot.text import normalise

CATALOGUE = Path(__file__).parents[2] / "catalogue"
QUESTIONS = CATALOGUE / "questions"
SPLITS = ("train", "development", "test")
FACETS = {facet.value for facet in Facet}
UNKNOWN = {"about", "near", "why", "unanswerable"}
KEYS = {"text", "matter", "matter_any", "facet", "facets", "family", "context", "change", "resolved"} | UNKNOWN
CHANGES = {"keep", "facet", "sibling", "situation", "new_matter", "correction"}

Row = dict[str, Any]


def _split_of(path: Path) -> str:
    return path.stem if path.stem in SPLITS else "train"


def _question_files() -> list[Path]:
    return sorted(QUESTIONS.glob("*.jsonl"))


@cache
def _rows(path: Path) -> tuple[Row, ...]:
    return tuple(json.loads(line) for line in path.read_text("utf-8").splitlines())


@cache
def _guides() -> dict[str, Guide]:
    rows = [Guide.model_validate(row) for row in _rows(CATALOGUE / "guides.jsonl")]
    return {guide.code: guide for guide in rows}


@cache
def _families() -> dict[str, str]:
    families: dict[str, str] = json.loads((QUESTIONS / "families.json").read_text("utf-8"))
    return families


def _all_questions() -> Iterator[tuple[str, Row]]:
    for path in _question_files():
        for number, row in enumerate(_rows(path), start=1):
            yield f"{path.name}:{number}", row


def _bare(row: Row) -> tuple[str, ...]:
    """A question as it is told apart from others: what was said before it and it, without punctuation."""
    return tuple(re.sub(r"[\W_]", "", normalise(text)).lower() for text in (*row.get("context", ()), row["text"]))


def test_guides_are_valid_and_codes_unique() -> None:
    assert len(_guides()) == len(_rows(CATALOGUE / "guides.jsonl"))
    assert len({guide.name for guide in _guides().values()}) == len(_guides())


def test_conditional_materials_name_an_option() -> None:
    stray = [
        (guide.code, material.applies_when)
        for guide in _guides().values()
        for material in guide.materials
        if material.applies_when is not None and material.applies_when not in guide.options
    ]
    assert stray == []


def test_an_alias_belongs_to_one_matter() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for guide in _guides().values():
        for alias in (guide.name, *guide.aliases):
            owners[normalise(alias)].add(guide.code)
    assert {alias: codes for alias, codes in owners.items() if len(codes) > 1} == {}


def test_promised_limits_keep_within_the_law() -> None:
    days = {"工作日": 1.0, "自然日": 5 / 7, "小时": 1 / 8, "月": 21.0}
    slower = [
        guide.code
        for guide in _guides().values()
        if (law := guide.statutory_limit) is not None
        and (promise := guide.promised_limit) is not None
        and promise.value * days[promise.unit] > law.value * days[law.unit] + 0.01
    ]
    assert slower == []


def test_powers_are_valid_and_codes_unique() -> None:
    powers = [Power.model_validate(row) for row in _rows(CATALOGUE / "powers.jsonl")]
    assert len({power.code for power in powers}) == len(powers)
    assert all(power.topics and power.responsibilities for power in powers)


def test_every_family_is_in_one_split() -> None:
    assert {guide.catalog_code for guide in _guides().values()} == set(_families())
    assert set(_families().values()) == set(SPLITS)


@pytest.mark.parametrize("path", _question_files(), ids=lambda path: path.name)
def test_question_rows_are_well_formed(path: Path) -> None:
    for number, row in enumerate(_rows(path), start=1):
        where = f"{path.name}:{number} {row}"
        assert set(row) <= KEYS, where
        assert row["text"].strip(), where
        assert row["text"] == row["text"].strip(), where
        assert all(text.strip() for text in row.get("context", ["x"])), where
        assert row.get("change", "keep") in CHANGES, where
        assert set(row["facets"]) <= FACETS, where
        assert len(row["facets"]) == len(set(row["facets"])), where
        assert row["facet"] == (row["facets"][0] if row["facets"] else None), where


@pytest.mark.parametrize("path", _question_files(), ids=lambda path: path.name)
def test_questions_point_to_matters_of_their_own_split(path: Path) -> None:
    split = _split_of(path)
    for number, row in enumerate(_rows(path), start=1):
        where = f"{path.name}:{number} {row}"
        code = row["matter"]
        if code is None:
            assert not row["facets"], where
            assert "matter_any" not in row, where
            assert _families().get(row.get("family", ""), split) == split, where
            continue
        assert row["facets"], where
        assert row["family"] == _guides()[code].catalog_code, where
        assert _families()[row["family"]] == split, where
        several = row.get("matter_any", [code, code])
        assert several[0] == code, where
        assert len(several) > 1, where
        assert set(several) <= set(_guides()), where


def test_no_question_is_asked_twice_or_in_two_splits() -> None:
    seen: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for where, row in _all_questions():
        seen[_bare(row)].append(where)
    assert [places for places in seen.values() if len(places) > 1] == []


def test_every_matter_of_a_split_is_asked_about() -> None:
    asked = {code for _, row in _all_questions() for code in (row["matter"], *row.get("matter_any", ()))}
    assert set(_guides()) - asked == set()


def test_each_split_has_unanswerable_questions_and_follow_ups() -> None:
    for split in SPLITS:
        rows = [row for path in _question_files() if _split_of(path) == split for row in _rows(path)]
        assert sum(row["matter"] is None for row in rows) >= 100, split
        assert sum(bool(row.get("context")) for row in rows) >= 100, split
