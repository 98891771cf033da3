"""The common matters as written: well-formed, each once, and no saying is a question of a test or another city."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from index.normal import bare

CATALOGUE = Path(__file__).parents[2] / "catalogue"
FILES = sorted((CATALOGUE / "common").glob("*.jsonl"))
ROWS = [json.loads(line) for file in FILES for line in file.read_text("utf-8").splitlines()]
LONGEST = 100
HELD_OUT = [
    "questions/test.jsonl",
    *(f"elsewhere/{city}/questions.jsonl" for city in ("blind", "check", "unseen", "calibration", "northeast", "west")),
]


def told(row: dict[str, Any]) -> list[str]:
    """Every text of a matter."""
    return [row["name"], *row["aliases"], *row["says"], *row["misses"]]


def test_every_matter_has_a_name_of_its_own_and_sayings() -> None:
    assert len(ROWS) > 2000
    for row in ROWS:
        assert set(row) == {"name", "aliases", "says", "misses"}, row["name"]
        assert len(row["says"]) >= 5, row["name"]
        assert all(0 < len(text) <= LONGEST for text in told(row)), row["name"]
    twice = [name for name, count in Counter(row["name"] for row in ROWS).items() if count > 1]
    assert twice == []
    said = Counter(text for row in ROWS for text in [*row["says"], *row["misses"]])
    assert [text for text, count in said.items() if count > 1] == []


def test_none_names_the_sample_city() -> None:
    assert [row["name"] for row in ROWS if "云山" in json.dumps(row, ensure_ascii=False)] == []


def test_no_question_that_only_reports_is_among_the_sayings() -> None:
    lines = [line for name in HELD_OUT for line in (CATALOGUE / name).read_text("utf-8").splitlines()]
    held = {bare(json.loads(line)["text"]) for line in lines}
    asked = [text for row in ROWS for text in [*row["says"], *row["misses"]]]
    assert [text for text in asked if bare(text) in held] == []
