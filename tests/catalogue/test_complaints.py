"""The sample city's complaints are well formed and split by whole units; those of another city only report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.complaints.categories import CATEGORIES, parse_categories
from bot.complaints.model import Kind
from bot.matters.model import Power
from bot.text import normalise

CATALOGUE = Path(__file__).parents[2] / "catalogue"
FOLDER = CATALOGUE / "complaints"
CITIES = sorted((FOLDER / "cities").iterdir())
ELSEWHERE = CATALOGUE / "elsewhere" / "complaints"
COUNTIES = sorted(path.parent for path in (CATALOGUE / "elsewhere" / "counties").glob("*/complaints.jsonl"))
REPORTING = (ELSEWHERE, *COUNTIES)
TOWNS = sorted(file for folder in (FOLDER, CATALOGUE / "elsewhere") for file in (folder / "towns").glob("*.jsonl"))
SPLITS = ("train", "development", "test")
KEYS = {
    "text", "department", "department_any", "power", "category", "kind", "urgent", "dramatic", "location", "target",
    "duplicate_of", "distinct_from",
}  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


POWERS = {row["code"]: row for row in rows(CATALOGUE / "powers.jsonl")}
SPLIT = json.loads((FOLDER / "departments.json").read_text("utf-8"))


def test_every_unit_is_in_one_split() -> None:
    assert set(SPLIT) == {power["department"] for power in POWERS.values()}
    assert set(SPLIT.values()) == set(SPLITS)
    assert sum(SPLIT[power["department"]] == "test" for power in POWERS.values()) >= 80


@pytest.mark.parametrize("split", SPLITS)
def test_rows_are_well_formed_and_of_their_split(split: str) -> None:
    listed = rows(FOLDER / f"{split}.jsonl")
    categories = {(each.parent, each.child) for each in parse_categories(CATEGORIES.shipped())}
    for number, row in enumerate(listed):
        where = f"{split}:{number} {row['text']}"
        assert set(row) <= KEYS, where
        assert row["text"] == row["text"].strip(), where
        assert SPLIT[row["department"]] == split, where
        assert row["power"] is None or POWERS[row["power"]]["department"] == row["department"], where
        assert tuple(row["category"]) in categories, where
        assert row["kind"] in set(Kind), where
        assert not (row.get("dramatic") and row["urgent"]), where
        others = [row["duplicate_of"]] if row["duplicate_of"] is not None else []
        for other in (*others, *row.get("distinct_from", ())):
            assert 0 <= other < len(listed), where
            assert other != number, where


@pytest.mark.parametrize(
    "file", [FOLDER / "more-train.jsonl", FOLDER / "pairs-train.jsonl", *TOWNS], ids=lambda file: file.stem
)
def test_further_training_texts_tell_pairs_from_look_alikes(file: Path) -> None:
    listed = rows(file)
    for number, row in enumerate(listed):
        where = f"{file.stem}:{number} {row['text']}"
        assert set(row) <= KEYS, where
        assert row["text"] == row["text"].strip(), where
        assert not (row.get("dramatic") and row["urgent"]), where
        assert row["duplicate_of"] not in row.get("distinct_from", ()), where
        for other in (row["duplicate_of"], *row.get("distinct_from", ())):
            assert other is None or 0 <= other < number, where
    assert len({normalise(row["text"]) for row in listed}) == len(listed)


@pytest.mark.parametrize("file", TOWNS, ids=lambda file: file.stem)
def test_every_incident_of_a_town_is_told_by_one_and_told_again_or_resembled(file: Path) -> None:
    listed = rows(file)
    again = [row["duplicate_of"] for row in listed if row["duplicate_of"] is not None]
    resembled = [other for row in listed for other in row.get("distinct_from", ())]
    assert len({*again, *resembled}) == len(again) + len(resembled) == len(listed) / 2
    assert all((row["urgent"] is None) == bool(row.get("distinct_from")) for row in listed)
    assert all(
        row["urgent"] == listed[row["duplicate_of"]]["urgent"] for row in listed if row["duplicate_of"] is not None
    )


def _powers(folder: Path) -> list[dict[str, Any]]:
    return rows(folder / "powers.jsonl")


def test_no_text_is_in_two_files() -> None:
    seen: dict[str, str] = {}
    files = [FOLDER / f"{name}.jsonl" for name in (*SPLITS, "urgency-train", "more-train", "pairs-train")]
    files += [*TOWNS, *(folder / "complaints.jsonl" for folder in (*CITIES, *REPORTING))]
    for file in files:
        for row in rows(file):
            key = normalise(row["text"])
            assert seen.setdefault(key, str(file)) == str(file), row["text"]


@pytest.mark.parametrize("folder", [*CITIES, *REPORTING], ids=lambda folder: folder.name)
def test_the_other_cities_are_whole_and_share_no_unit(folder: Path) -> None:
    powers = {power.code: power for power in map(Power.model_validate, rows(folder / "powers.jsonl"))}
    units = {power.department for power in powers.values()}
    others = {row["department"] for other in (*CITIES, *REPORTING) if other != folder for row in _powers(other)}
    assert len(powers) == 80
    assert not units & {*SPLIT, *others}
    for number, row in enumerate(rows(folder / "complaints.jsonl")):
        where = f"{number} {row['text']}"
        assert set(row) <= KEYS, where
        assert row["text"] == row["text"].strip(), where
        if row["power"]:
            assert powers[row["power"]].department in {row["department"], *row.get("department_any", ())}, where
        assert {row["department"], *row.get("department_any", ())} <= units, where
        assert row["kind"] in set(Kind), where


def test_what_only_reports_names_categories() -> None:
    categories = {(each.parent, each.child) for each in parse_categories(CATEGORIES.shipped())}
    for number, row in enumerate(rows(ELSEWHERE / "complaints.jsonl")):
        assert tuple(row["category"]) in categories, f"{number} {row['text']}"


@pytest.mark.parametrize("folder", [*CITIES, *REPORTING], ids=lambda folder: folder.name)
def test_reports_of_the_same_incident_name_the_first(folder: Path) -> None:
    listed = rows(folder / "complaints.jsonl")
    for number, row in enumerate(listed):
        where = f"{number} {row['text']}"
        first = row.get("duplicate_of")
        assert first is None or (first < number and listed[first].get("duplicate_of") is None), where
        assert first is None or first not in row.get("distinct_from", ()), where
        assert all(other < number for other in row.get("distinct_from", ())), where


def test_examples_of_categories_are_never_test_texts() -> None:
    held = {row["text"] for row in rows(FOLDER / "test.jsonl")}
    assert not held & {text for each in parse_categories(CATEGORIES.shipped()) for text in each.examples}
