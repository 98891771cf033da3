"""Complaints held against each other for training, and how choices count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from index.pairing import report
from index.training.choosing import NEAREST, Choices, Pair, choices, pairs


def rows(count: int) -> list[dict[str, Any]]:
    return [{"text": f"第{n}件", "duplicate_of": None} for n in range(count)]


def test_all_of_one_incident_and_the_told_apart_are_pairs_however_far() -> None:
    listed = rows(NEAREST + 4)
    last = len(listed) - 1
    listed[1]["duplicate_of"] = 0
    listed[last]["duplicate_of"] = 1
    listed[last]["distinct_from"] = [2]
    angles = [0.0, 0.01, 0.02, *np.linspace(1.2, 1.5, NEAREST), 1.51]
    made = [report(r["text"], None, np.array([np.cos(a), np.sin(a)])) for r, a in zip(listed, angles, strict=True)]
    found = {(p.earlier, p.later): p for p in pairs(listed, made)}
    assert all(earlier < later for earlier, later in found)
    assert found[0, 1].same
    assert found[0, last] == Pair(0, last, same=True, near=False)
    assert found[2, last] == Pair(2, last, same=False, near=False)
    assert sum(p.near for p in found.values() if p.later == last) == NEAREST


LOOKED = [
    (0, Pair(0, 2, same=False, near=True)),
    (0, Pair(1, 2, same=True, near=True)),
    (0, Pair(0, 3, same=True, near=False)),  # would never be looked at
    (1, Pair(0, 2, same=False, near=True)),
]
LIKELY = np.array([0.4, 0.8, 0.99, 0.6])


def test_one_choice_for_each_complaint_counts() -> None:
    made = choices(LOOKED, LIKELY, np.ones(4))
    assert made.known == 2
    assert made.at(0.7) == (0.5, 1.0)
    assert made.at(0.5) == (0.5, 0.5)
    assert made.at(0.9) == (0, 0)


def test_a_complaint_counts_as_much_as_it_is_told_to() -> None:
    made = choices(LOOKED, LIKELY, np.array([0.25, 0.25, 0.75, 1.0]))
    assert made.known == 1
    assert made.at(0.7) == (0.25, 1.0)
    assert made.at(0.5) == (0.25, 0.2)


def test_the_threshold_is_the_highest_that_finds_enough() -> None:
    right, likely = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.6])
    made = Choices(likely, right, np.ones(4), known=3)
    assert made.threshold(0.3) == pytest.approx(0.9)
    assert made.threshold(0.6) == pytest.approx(0.7)
    assert made.threshold(0.7) == 0.99  # the third would never be chosen
    assert Choices(likely, right, np.array([1, 1, 0.2, 1]), known=1.2).threshold(0.8) == pytest.approx(0.9)
