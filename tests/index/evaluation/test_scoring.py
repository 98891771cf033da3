import json
from collections.abc import Sequence

import pytest

from index.evaluation.questions import Question
from index.evaluation.scoring import Answer, Record, report, score


def record(  # one factory, every part of it defaulted to an ordinary right answer
    *,
    matters: Sequence[str] = ("1",),
    asked: Sequence[str] = ("fees",),
    context: Sequence[str] = (),
    outcome: str = "answered",
    matter: str | None = "1",
    candidates: Sequence[str] = ("1", "2"),
    facets: Sequence[str] = ("fees",),
    confidence: float | None = 0.9,
    seconds: float = 0.02,
) -> Record:
    question = Question(1, "多少钱", frozenset(matters), tuple(asked), tuple(context))
    return Record(question, Answer(outcome, matter, tuple(candidates), tuple(facets), confidence, seconds))


def test_a_right_answer_counts_as_right_and_within_three() -> None:
    scores = score([record()])
    assert scores.answered_right.share == 1
    assert scores.within_three.share == 1
    assert scores.answered_wrong.share == 0


def test_another_matter_is_wrong_even_when_the_right_one_is_a_candidate() -> None:
    scores = score([record(matter="2", candidates=("2", "1"))])
    assert scores.answered_right.share == 0
    assert scores.within_three.share == 0
    assert scores.answered_wrong.share == 1


@pytest.mark.parametrize(("candidates", "within"), [(("2", "3", "1"), 1), (("2", "3", "4", "1"), 0), ((), 0)])
def test_a_clarification_counts_where_the_right_matter_is_among_three(candidates: Sequence[str], within: int) -> None:
    scores = score([record(outcome="clarify", matter=None, candidates=candidates)])
    assert scores.within_three.share == within
    assert scores.answered_right.share == 0
    assert scores.answered_wrong.share == 0


def test_any_of_several_fitting_matters_is_right() -> None:
    assert score([record(matters=("1", "2"), matter="2")]).answered_right.share == 1


@pytest.mark.parametrize(
    ("outcome", "credit"),
    [("unknown", 1), ("handoff", 1), ("smalltalk", 1), ("clarify", 0.5), ("answered", 0), ("error", 0)],
)
def test_what_an_unanswerable_question_may_get(outcome: str, credit: float) -> None:
    scores = score([record(matters=(), outcome=outcome)])
    assert scores.unanswerable.share == credit
    assert scores.answered_right.of == 0


def test_facets_are_scored_only_where_the_right_matter_was_answered() -> None:
    scores = score(
        [
            record(asked=("fees", "materials"), facets=("materials", "fees")),
            record(asked=("fees", "materials"), facets=("fees",)),
            record(asked=("fees",), facets=("fees", "where")),
            record(matter="2", facets=("where",)),
            record(asked=()),
        ]
    )
    assert (scores.facet.hits, scores.facet.of) == (2, 3)
    assert (scores.facet_exact.hits, scores.facet_exact.of) == (1, 3)


def test_follow_ups_stand_apart_from_single_questions() -> None:
    follow_up = record(context=("换驾照要带啥",), outcome="clarify", matter=None, candidates=("1",))
    scores = score([record(), follow_up])
    assert scores.answered_right.of == 1
    assert scores.follow_up_right.share == 0
    assert scores.follow_up_within_three.share == 1


def test_the_report_groups_and_lists_wrong_answers() -> None:
    records = [
        record(),
        record(matters=("3",), matter="4", asked=("where",), confidence=0.4, seconds=0.1),
        record(matters=(), outcome="answered", matter="1", confidence=0.3),
        record(matters=(), outcome="unknown", matter=None, confidence=None),
    ]
    made = report(records, {"1": 1, "3": 2, "4": 2})
    assert made.by_facet["where"].answered_wrong.share == 1
    assert made.by_facet["fees"].answered_right.share == 1
    assert made.by_siblings["siblings"].questions == 1
    assert made.by_siblings["single"].questions == 1
    assert made.outcomes == {"answered": 3, "unknown": 1}
    assert [r.answer.matter for r in made.wrong] == ["4", "1"]
    assert sum(b.count for b in made.calibration.bins) == 3
    assert made.latency["p99"] == pytest.approx(100)


def test_the_report_is_plain_json_with_stable_keys() -> None:
    made = json.loads(json.dumps(report([record(matter="2")]).to_dict(), ensure_ascii=False))
    assert sorted(made) == [
        "by_facet",
        "by_siblings",
        "calibration",
        "format",
        "latency_ms",
        "outcomes",
        "scores",
        "wrong",
    ]
    assert made["scores"]["answered_wrong"]["share"] == 1
    assert made["wrong"][0]["answered"] == "2"


def test_a_report_of_nothing_has_no_shares() -> None:
    made = report([])
    assert made.scores.answered_right.share is None
    assert made.latency["p50"] is None
