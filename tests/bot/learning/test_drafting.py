"""A draft is collected, evaluated exactly as it is, and published once; its cases hold from then on."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from bot.errors import Conflict, InvalidInput, NotFound, WenbanError
from bot.learning.drafting import Asked
from bot.learning.model import Act, Expected, Given, Stage, judged
from bot.matters.additions import AdditionKind
from bot.store.audit import Wanted
from bot.store.trail import Trail
from tests.bot.learning.conftest import World
from tests.bot.matters.examples import guide, write_lines

TODAY = date(2026, 11, 22)
FIRST, SECOND = "YS000001", "YS000002"
TEXT = "熊猫那个本本哪儿弄"
PHRASED = "熊猫那个本本哪儿弄呀"


def with_question(world: World, text: str = TEXT, act: Act = Act.QUESTION, code: str = FIRST, **more: object) -> None:
    world.drafting.add(Asked(act, code, text, **more), world.editor)  # type: ignore[arg-type]


def evaluated(world: World) -> str:
    """The digest of the draft once it is evaluated."""
    world.drafting.evaluate(world.editor)
    assert world.evaluator().run_next()
    draft = world.drafting.current()
    assert draft.may_be_published, draft.evaluation
    return draft.digest


def questions(world: World, code: str = FIRST) -> tuple[str, ...]:
    found = world.matters.get(code, TODAY)
    assert found is not None
    return found.guide.questions


def test_nothing_goes_live_before_it_is_evaluated_and_published(world: World) -> None:
    with_question(world)
    draft = world.drafting.current()
    assert questions(world) == ()
    with pytest.raises(Conflict, match="还没有评测过"):
        world.drafting.publish(draft.digest, world.editor)
    world.drafting.evaluate(world.editor)
    with pytest.raises(Conflict, match="还没有评测过"):
        world.drafting.publish(draft.digest, world.editor)
    assert questions(world) == ()


def test_a_question_of_the_list_becomes_part_of_a_guide(world: World) -> None:
    world.asks(TEXT)
    world.asks(PHRASED)
    group = world.only_group()
    with_question(world, examples=(PHRASED,), group=(group.id, group.version))
    assert [each.id for each in world.groups(Stage.DRAFTED)] == [group.id]
    digest = evaluated(world)
    evaluation = world.drafting.current().evaluation
    assert evaluation is not None
    assert (evaluation.state, evaluation.better >= 1, evaluation.worse) == ("done", True, 0)
    better = {each["text"]: each for each in evaluation.result["better"]}
    assert better[TEXT]["after"]["matter"] == FIRST
    assert better[TEXT]["before"]["matter"] != FIRST
    label = world.drafting.publish(digest, world.editor)
    assert label == world.matters.current_version()
    assert questions(world) == (TEXT,)
    assert [each.id for each in world.groups(Stage.DONE)] == [group.id]
    assert [(case.text, case.expected, case.since) for case in world.cases.all()] == [
        (PHRASED, Expected(frozenset({FIRST})), label),
        (TEXT, Expected(frozenset({FIRST})), label),
    ]
    assert world.drafting.current().changes == []
    acts = [act.action for act in Trail(world.store).page(Wanted(actor="lin")).entries]
    assert sorted(acts[:2]) == ["catalogue.publish", "learn.publish"]
    assert acts[2:] == ["learn.evaluate", "learn.change"]


def test_a_negative_example_and_what_it_does(world: World) -> None:
    with_question(world, TEXT)
    world.drafting.publish(evaluated(world), world.editor)
    with_question(world, "一号许可证改名字", act=Act.NOT)
    world.drafting.publish(evaluated(world), world.editor)
    found = world.matters.get(FIRST, TODAY)
    assert found is not None
    assert found.guide.not_questions == ("一号许可证改名字",)
    assert [case.expected.never for case in world.cases.all()] == [FIRST, None]


def test_a_draft_that_breaks_an_earlier_decision_shows_it_as_worse(world: World) -> None:
    with_question(world, TEXT)
    world.drafting.publish(evaluated(world), world.editor)
    with_question(world, TEXT, code=SECOND, act=Act.ALIAS)  # now two matters hold it: it is exact no more
    world.drafting.evaluate(world.editor)
    world.evaluator().run_next()
    evaluation = world.drafting.current().evaluation
    assert evaluation is not None
    assert evaluation.worse == 1
    [worse] = evaluation.result["worse"]
    assert (worse["text"], worse["source"], worse["expected"]) == (TEXT, "case", [FIRST])


def test_a_withdrawal_takes_the_addition_and_its_case_back(world: World) -> None:
    with_question(world)
    world.drafting.publish(evaluated(world), world.editor)
    with_question(world, act=Act.WITHDRAW, kind=AdditionKind.QUESTION)
    world.drafting.publish(evaluated(world), world.editor)
    assert questions(world) == ()
    assert world.cases.count() == 0
    with pytest.raises(NotFound):
        with_question(world, act=Act.WITHDRAW, kind=AdditionKind.QUESTION)


def test_a_change_after_the_evaluation_makes_it_stale(world: World) -> None:
    with_question(world)
    seen = evaluated(world)
    with_question(world, "另一种问法怎么办")
    draft = world.drafting.current()
    assert draft.evaluation is not None
    assert not draft.evaluation.fresh
    with pytest.raises(Conflict, match="变了"):
        world.drafting.publish(seen, world.editor)
    with pytest.raises(Conflict, match="还没有评测过"):
        world.drafting.publish(draft.digest, world.editor)
    assert questions(world) == ()


def test_the_same_content_again_needs_no_new_evaluation(world: World) -> None:
    with_question(world)
    seen = evaluated(world)
    with_question(world, "另一种问法怎么办")
    last = world.drafting.current().changes[-1]
    world.drafting.remove(last.id, world.editor)
    assert world.drafting.current().digest == seen
    world.drafting.publish(seen, world.editor)
    assert questions(world) == (TEXT,)


def test_a_new_version_of_the_catalogue_makes_it_stale(world: World) -> None:
    with_question(world)
    seen = evaluated(world)
    world.city([guide(1, conditions="改过。"), guide(2)])
    with pytest.raises(Conflict):
        world.drafting.publish(seen, world.editor)
    world.drafting.publish(evaluated(world), world.editor)
    assert questions(world) == (TEXT,)


def test_two_editors_publish_at_once_and_one_does(world: World) -> None:
    with_question(world)
    seen = evaluated(world)
    done: list[str] = []
    refused: list[WenbanError] = []

    def publish(editor: object) -> None:
        try:
            done.append(world.drafting.publish(seen, editor))  # type: ignore[arg-type]
        except WenbanError as error:
            refused.append(error)

    threads = [threading.Thread(target=publish, args=(each,)) for each in (world.editor, world.other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 1)
    assert isinstance(refused[0], Conflict)
    assert done == [world.matters.current_version()]
    assert world.cases.count() == 1


def test_a_change_taken_out_opens_its_group_again(world: World) -> None:
    world.asks(TEXT)
    group = world.only_group()
    with_question(world, group=(group.id, group.version))
    [change] = world.drafting.current().changes
    world.drafting.remove(change.id, world.editor)
    assert [each.id for each in world.groups()] == [group.id]
    with pytest.raises(NotFound):
        world.drafting.remove(change.id, world.editor)
    with pytest.raises(InvalidInput, match="空的"):
        world.drafting.evaluate(world.editor)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(Act.QUESTION, "YS404", TEXT), "guide_not_found"),
        (Asked(Act.QUESTION, FIRST, "  "), "blank_text"),
        (Asked(Act.QUESTION, FIRST, "长" * 121), "text_too_long"),
        (Asked(Act.QUESTION, FIRST, "我的电话13812345678怎么办"), "personal_data"),
        (Asked(Act.ALIAS, FIRST, "办1号证"), "already_there"),
        (Asked(Act.NOT, FIRST, "办 1 号证？"), "contradictory"),
        (Asked(Act.FAQ, FIRST, "周末办吗", ""), "blank_text"),
        (Asked(Act.QUESTION, FIRST, TEXT, group=(999, 0)), "group_not_found"),
        (Asked(Act.WITHDRAW, FIRST, TEXT, kind=AdditionKind.FAQ), "addition_not_found"),
        (Asked(Act.QUESTION, FIRST, "有\x07铃"), "control_characters"),
    ],
)
def test_what_cannot_go_into_the_draft(world: World, asked: Asked, code: str) -> None:
    with pytest.raises(WenbanError) as refused:
        world.drafting.add(asked, world.editor)
    assert refused.value.code == code
    assert world.drafting.current().changes == []


def test_the_draft_holds_a_text_once_for_a_matter(world: World) -> None:
    with_question(world)
    with pytest.raises(InvalidInput, match="已经有这一句"):
        with_question(world, f"{TEXT}？", act=Act.NOT)


def test_an_evaluation_that_is_overtaken_stops(world: World) -> None:
    with_question(world)
    world.drafting.evaluate(world.editor)
    world.drafting.evaluate(world.other)  # the same: nothing new is queued
    with_question(world, "另一种问法怎么办")
    world.drafting.evaluate(world.editor)
    evaluator = world.evaluator()
    assert evaluator.run_next()
    assert not evaluator.run_next()
    assert world.drafting.current().may_be_published


def test_a_worker_that_ends_leaves_the_evaluation_to_the_next(world: World) -> None:
    with_question(world)
    world.drafting.evaluate(world.editor)
    assert world.evaluator().run_next(stopping=lambda: True)
    evaluation = world.drafting.current().evaluation
    assert evaluation is not None
    assert evaluation.state == "queued"
    assert world.evaluator().run_next()
    assert world.drafting.current().may_be_published


def test_a_worker_that_dies_is_replaced_once_its_lease_is_over(world: World) -> None:
    from bot.learning import repository

    with_question(world)
    world.drafting.evaluate(world.editor)
    now = world.clock.now()
    with world.store.write() as work:
        assert repository.claim_evaluation(work.session, now, now + timedelta(minutes=10)) is not None
    assert not world.evaluator().run_next()
    world.clock.advance(timedelta(minutes=11))
    assert world.evaluator().run_next()
    assert world.drafting.current().may_be_published


def test_labelled_questions_of_the_installation_are_asked(world: World) -> None:
    rows = [
        {"text": "办1号证", "matter": FIRST},
        {"text": "办3号证", "matter": "YS000003"},
        {"text": "今天天气怎么样", "matter": None},
    ]
    write_lines(world.home / "questions.jsonl", rows)
    world.city([guide(1, faq=[{"q": "周末办不办", "a": "不办。"}]), guide(2)])
    with_question(world)
    evaluated(world)
    evaluation = world.drafting.current().evaluation
    assert evaluation is not None
    assert evaluation.result["asked"] == {"draft": 1, "labelled": 2, "catalogue": 1}
    assert evaluation.better + evaluation.worse + evaluation.unchanged == evaluation.total == 4


def test_faulty_labelled_questions_are_said(world: World) -> None:
    write_lines(world.home / "questions.jsonl", ["{}"])
    with_question(world)
    world.drafting.evaluate(world.editor)
    world.evaluator().run_next()
    evaluation = world.drafting.current().evaluation
    assert evaluation is not None
    assert evaluation.state == "failed"
    assert "第 1 行" in (evaluation.trouble or "")
    (world.home / "questions.jsonl").unlink()
    evaluated(world)


def test_retired_cases_hold_no_longer(world: World) -> None:
    with_question(world)
    world.drafting.publish(evaluated(world), world.editor)
    [case] = world.cases.all()
    world.cases.retire(case.id, world.editor)
    assert world.cases.all() == []
    with pytest.raises(NotFound):
        world.cases.retire(case.id, world.editor)


@pytest.mark.parametrize(
    ("expected", "given", "score"),
    [
        (Expected(frozenset({"A"})), Given("answered", "A"), 1),
        (Expected(frozenset({"A"})), Given("answered", "B"), 0),
        (Expected(frozenset({"A"})), Given("clarify", None, ("B", "A")), 0.5),
        (Expected(frozenset({"A"})), Given("clarify", None, ("B",)), 0),
        (Expected(frozenset({"A"})), Given("unknown", None, ("A",)), 0),
        (Expected(), Given("unknown", None), 1),
        (Expected(), Given("clarify", None, ("B",)), 0.5),
        (Expected(), Given("answered", "B"), 0),
        (Expected(never="A"), Given("answered", "A"), 0),
        (Expected(never="A"), Given("clarify", None, ("A",)), 0.5),
        (Expected(never="A"), Given("answered", "B"), 1),
        (Expected(never="A"), Given("unknown", None), 1),
    ],
)
def test_what_is_right(expected: Expected, given: Given, score: float) -> None:
    assert judged(expected, given) == score
