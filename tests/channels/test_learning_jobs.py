"""The worker's part of learning: evaluations run beside the other jobs, and none is lost when a worker ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import FixedClock
from bot.learning.drafting import Asked
from bot.learning.model import Act
from bot.settings import load_settings
from bot.store import Store
from channels.learning import Evaluations, labelled_file
from tests.bot.learning.conftest import World


@pytest.fixture
def world(store: Store, clock: FixedClock, tmp_path: Path) -> World:
    return World(store, clock, tmp_path)


def test_an_evaluation_interrupted_by_the_workers_end_is_finished_by_the_next(world: World) -> None:
    world.drafting.add(Asked(Act.QUESTION, "YS000001", "熊猫那个本本哪儿弄"), world.editor)
    world.drafting.evaluate(world.editor)
    ending = Evaluations(world.evaluator()).job()
    ending.run(world.clock.now())
    ending.close()  # waits for what runs; it is either done by then or given back
    world.evaluator().run_next()
    assert world.drafting.current().may_be_published
    assert not world.evaluator().run_next()


def test_a_job_that_finds_nothing_to_do_is_no_fault(world: World) -> None:
    job = Evaluations(world.evaluator()).job()
    job.run(world.clock.now())
    job.run(world.clock.now())
    job.close()
    assert world.drafting.current().evaluation is None


def test_the_labelled_questions_may_lie_elsewhere(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    assert labelled_file(settings) == tmp_path / "questions.jsonl"
    assert labelled_file(load_settings(home=tmp_path, evaluation_file=tmp_path / "own.jsonl")).name == "own.jsonl"
