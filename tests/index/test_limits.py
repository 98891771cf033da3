"""How the thresholds are chosen: every figure keeps its distance from its floor."""

from __future__ import annotations

import numpy as np
import pytest

from index.searched import Looks
from index.training.limits import Asked, Outcomes, choose, measure


def asked(right: str | None, *, follows: bool = False) -> Asked:
    nothing = np.empty(0, np.float32)
    looks = Looks("", ["A", "B", "C"], nothing, nothing, 0.0, nothing)
    return Asked(looks, frozenset([right] if right else []), follows, family=right or "")


def likely(a: float, b: float, none: float) -> np.ndarray:
    return np.array([a, b, 1 - a - b - none, none], np.float32)


def test_an_outcome_is_scored_as_the_evaluation_scores_it() -> None:
    rows = [asked("A"), asked("B"), asked("B"), asked("A"), asked(None), asked(None), asked(None)]
    probability = [
        likely(0.9, 0.05, 0.05),  # answered, right
        likely(0.8, 0.1, 0.1),  # answered, wrong
        likely(0.5, 0.2, 0.3),  # choices with the right one
        likely(0.1, 0.05, 0.85),  # refused
        likely(0.9, 0.05, 0.05),  # answered where nothing answers
        likely(0.5, 0.1, 0.4),  # choices: half
        likely(0.05, 0.05, 0.9),
    ]
    got = Outcomes(rows, probability, follows=False).under(answer=0.7, clarify=0.4)
    assert got == pytest.approx({"at_once": 0.25, "within": 0.5, "right": 0.75, "refused": 0.5})


def test_follow_ups_are_counted_apart() -> None:
    rows = [asked("A"), asked("A", follows=True)]
    got = measure(rows, [likely(0.9, 0, 0.1), likely(0.1, 0.8, 0.1)], answer=0.7, clarify=0.4)
    assert (got["right"], got["follow_right"]) == (1, 0)
    assert "refused" not in got, "no such question, no figure"


def test_thresholds_part_what_can_be_parted() -> None:
    rows = [asked("A")] * 20 + [asked("B")] * 4 + [asked(None)] * 10
    probability = [likely(0.9, 0.05, 0.05)] * 20 + [likely(0.5, 0.3, 0.2)] * 4 + [likely(0.2, 0.1, 0.7)] * 10
    limits = choose([(rows, probability)])
    assert 0.5 < limits["answer"] <= 0.9
    assert 0.3 < limits["clarify"] <= 0.8
    got = measure(rows, probability, limits["answer"], limits["clarify"])
    assert (got["within"], got["right"], got["refused"]) == (1, 1, 1)


def test_every_city_counts() -> None:
    easy = [asked("A")] * 20 + [asked(None)] * 10, [likely(0.9, 0, 0.1)] * 20 + [likely(0.1, 0, 0.9)] * 10
    hard = [asked("A")] * 20 + [asked(None)] * 10, [likely(0.7, 0, 0.3)] * 20 + [likely(0.6, 0, 0.4)] * 10
    limits = choose([easy, hard])
    assert 0.6 < limits["clarify"] < limits["answer"] <= 0.7


def test_a_follow_up_needs_more_where_it_would_be_answered_wrongly() -> None:
    rows = [asked("A")] * 20 + [asked(None)] * 5 + [asked("A", follows=True)] * 5 + [asked("B", follows=True)] * 5
    single, none = [likely(0.7, 0.1, 0.2)] * 20, [likely(0.1, 0.1, 0.8)] * 5
    follow = [likely(0.88, 0.1, 0.02)] * 5 + [likely(0.75, 0.2, 0.05)] * 5
    limits = choose([(rows, [*single, *none, *follow])])
    assert limits["answer_follow"] > 0.75 > limits["answer"]


def test_a_follow_up_may_be_answered_earlier_where_it_is_seldom_wrong() -> None:
    rows = [asked("A")] * 20 + [asked(None)] * 10 + [asked("A", follows=True)] * 20
    single = [likely(0.9, 0.05, 0.05)] * 20 + [likely(0.05, 0.02, 0.93)] * 7 + [likely(0.7, 0.1, 0.2)] * 3
    limits = choose([(rows, [*single, *[likely(0.5, 0.1, 0.4)] * 20])])
    assert limits["clarify"] < limits["answer_follow"] <= 0.5 < 0.7 < limits["answer"]
