from pathlib import Path

import pytest

from index.evaluation.questions import QuestionsFaulty, parse_questions, read_questions


def test_a_row_of_each_kind_is_read() -> None:
    rows = [
        '{"text": "换驾照要带啥", "matter": "1", "facet": "materials", "family": "f"}',
        "",
        '{"text": "那多少钱", "matter": "1", "facets": ["fees", "time_limit"], "context": ["换驾照要带啥"]}',
        '{"text": "领证要带什么", "matter_any": ["2", "3"], "facet": null}',
        '{"text": "火星上怎么落户", "matter": null}',
    ]
    first, follow_up, ambiguous, unanswerable = parse_questions(rows)
    assert first.matters == {"1"}
    assert first.facets == ("materials",)
    assert first.family == "f"
    assert (follow_up.line, follow_up.context, follow_up.facets) == (3, ("换驾照要带啥",), ("fees", "time_limit"))
    assert ambiguous.matters == {"2", "3"}
    assert ambiguous.answerable
    assert not unanswerable.answerable


def test_every_faulty_line_is_named_with_its_field() -> None:
    rows = [
        '{"text": "好", "matter": null}',
        "{",
        "[]",
        '{"text": " ", "matter": "1"}',
        '{"text": "问"}',
        '{"text": "问", "matter": 3}',
        '{"text": "问", "matter": "1", "context": "前一句"}',
    ]
    with pytest.raises(QuestionsFaulty) as caught:
        parse_questions(rows)
    faults = [(fault.line, fault.field) for fault in caught.value.faults]
    assert faults == [(2, ""), (3, ""), (4, "text"), (5, "matter"), (6, "matter"), (7, "context")]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('\ufeff{"text": "问", "matter": "1"}\n', encoding="utf-8")
    assert read_questions(file)[0].text == "问"


@pytest.mark.parametrize("part", ["train", "development", "test"])
def test_the_repository_s_own_questions_are_well_formed(part: str) -> None:
    path = Path(__file__).parents[3] / "catalogue" / "questions" / f"{part}.jsonl"
    assert len(read_questions(path)) > 100
