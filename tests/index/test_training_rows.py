"""The rows the decision learns from: labels, hidden matters, and short questions made of names."""

from __future__ import annotations

from index.encoder import Encoder
from index.features import OF_QUESTION, PER_CANDIDATE
from index.training.rows import gather, named, switched
from tests.index.conftest import GUIDES


def test_names_make_short_questions_labelled_by_matter_or_family() -> None:
    made = list(named(GUIDES, seed=0))
    assert any("养蜂场登记" in q["text"] and q["matter"] == "T01" for q in made)
    common = [q for q in made if set(q["matter_any"]) == {"T01", "T02"}]
    assert common, "what both names of a family begin with fits both"
    assert {q["family"] for q in common} == {"F1"}
    assert made == list(named(GUIDES, seed=0)), "the same every time"


def test_rows_carry_features_and_the_place_of_the_right_matter(encoder: Encoder) -> None:
    questions = [
        {"text": "河里挖沙要办啥证", "matter": "T03"},
        {"text": "火箭发射许可", "matter": None},
        {"text": "那多少钱", "matter": "T03", "context": ["河里挖沙要办啥证"]},
    ]
    rows = gather(GUIDES, encoder, questions)
    assert all(row.candidates.shape[1] == len(PER_CANDIDATE) for row in rows)
    assert all(row.question.shape == (len(OF_QUESTION),) for row in rows)
    kinds = [row.kind for row in rows]
    assert kinds.count("removed") == 1, "the right matter's family hidden: nothing is right"
    assert all(not row.right for row in rows if row.kind == "removed")
    assert all(row.right for row in rows if row.kind in ("follow", "fewer"))
    assert [bool(row.right) for row in rows if row.kind == "single"] == [True, False]


def test_a_question_is_asked_right_after_another_that_is_not_its_own() -> None:
    alone = [{"text": f"甲{i}", "matter": "T01", "family": "F1"} for i in range(40)]
    alone += [{"text": f"乙{i}", "matter": "T03", "family": "F3"} for i in range(40)]
    alone += [{"text": f"丙{i}", "matter": None, "family": None} for i in range(40)]
    made = list(switched([*alone, {"text": "那多少钱", "matter": "T03", "context": ["乙1"]}], seed=0))
    assert {q["matter"] for q in made} == {"T01", "T03", None}
    assert all(q["context"][0][0] in "甲乙" for q in made), "only what is answered is talked about before"
    assert all(q["context"][0][0] != q["text"][0] for q in made)
    assert len({q["text"] for q in made}) == len(made)


def test_what_follows_something_else_is_told_apart_from_a_follow_up(encoder: Encoder) -> None:
    questions = [{"text": "河里挖沙要办啥证", "matter": "T03", "context": ["养蜂要登记吗"], "kind": "switched"}]
    kinds = {row.kind for row in gather(GUIDES, encoder, questions)}
    assert kinds == {"switched", "fewer"}
