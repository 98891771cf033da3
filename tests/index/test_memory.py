"""What is remembered of earlier decisions: how it moves probabilities, and that nothing is learned from itself."""

from __future__ import annotations

import numpy as np
import pytest

from index.encoder import Vectors
from index.memory import NONE, Lesson, Memory, Tuning, cross_validated, first, folds, tuned

SURE = Tuning(6.0, 0.12)


def towards(*parts: float) -> Vectors:
    made = np.array(parts, np.float32)
    return np.asarray(made / np.linalg.norm(made), np.float32)


def test_a_unit_that_was_sent_the_like_is_likelier_and_one_that_returned_it_less() -> None:
    memory = Memory([Lesson(towards(1, 0), "water", frozenset({"power"}))], SURE)
    near = memory.adjusted({"water": 0.3, "power": 0.6, "roads": 0.1}, towards(1, 0.05))
    assert first(near) == "water"
    assert near["power"] < 0.05
    assert sum(near.values()) == pytest.approx(1)
    far = memory.adjusted({"water": 0.3, "power": 0.6}, towards(0, 1))
    assert far["power"] == pytest.approx(0.6, abs=0.02)


def test_a_unit_that_does_not_come_into_question_is_not_brought_in() -> None:
    memory = Memory([Lesson(towards(1, 0), "gone")], SURE)
    assert memory.adjusted({"water": 1.0}, towards(1, 0)) == pytest.approx({"water": 1.0})


@pytest.mark.parametrize("memory", [Memory([], SURE), Memory([Lesson(towards(1, 0), "water")], NONE)])
def test_without_lessons_or_weight_nothing_moves(memory: Memory) -> None:
    assert memory.adjusted({"water": 0.3, "power": 0.7}, towards(1, 0)) == {"water": 0.3, "power": 0.7}


def test_vectors_of_another_encoder_are_not_compared() -> None:
    memory = Memory([Lesson(towards(1, 0), "water")], SURE)
    assert memory.adjusted({"water": 0.3, "power": 0.7}, towards(1, 0, 0)) == {"water": 0.3, "power": 0.7}


def test_what_may_tell_of_one_incident_is_held_out_together() -> None:
    lessons = [Lesson(towards(1, 0.02 * n), "water") for n in range(4)] + [Lesson(towards(0, 1), "power")]
    assert len(set(folds(lessons)[:4])) == 1
    assert folds(lessons)[4] != folds(lessons)[0]


def scattered(count: int, draw: np.random.Generator) -> list[Vectors]:
    """Directions that are as near to one another as complaints about one matter, and no nearer."""
    middle = draw.normal(size=64)
    return [towards(*(middle + 0.6 * draw.normal(size=64))) for _ in range(count)]


def test_a_custom_of_the_city_is_learned_and_chance_is_not() -> None:
    draw = np.random.default_rng(7)
    given = {"water": 0.6, "power": 0.4}
    custom = [Lesson(vector, "power") for vector in scattered(40, draw)]
    custom += [Lesson(vector, "water") for vector in scattered(40, draw)]
    after = cross_validated(custom, [given] * 80)
    assert sum(first(each) == lesson.right for each, lesson in zip(after, custom, strict=True)) > 72

    chance = [Lesson(vector, ("water", "power")[n % 5 > 2]) for n, vector in enumerate(scattered(80, draw))]
    fold = folds(chance)
    assert tuned(chance, [given] * 80, fold).weight <= tuned(custom, [given] * 80, folds(custom)).weight
    right = [
        first(each) == each_lesson.right
        for each, each_lesson in zip(cross_validated(chance, [given] * 80), chance, strict=True)
    ]
    assert sum(right) <= 56
