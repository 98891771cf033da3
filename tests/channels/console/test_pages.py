import pytest

from bot.errors import Unavailable
from bot.settings import Settings
from channels.console.pages import DOCS, figures, filled, markdown_table, settings_page, write_evaluation
from channels.console.reporting import report_tables
from index.evaluation.questions import Question
from index.evaluation.scoring import Answer, Record, report

MADE = report(
    [
        Record(
            Question(1, "多少钱", frozenset({"1"}), ("fees",)), Answer("answered", "1", ("1",), ("fees",), 0.9, 0.02)
        ),
        Record(Question(2, "火星落户", frozenset(), ()), Answer("unknown", None, (), (), None, 0.01)),
    ],
    {"1": 2},
)


def test_every_setting_is_on_the_page_with_a_meaning() -> None:
    rows = {line.split("`")[1]: line for line in settings_page().splitlines() if line.startswith("| `")}
    assert set(rows) == {f"WENBAN_{name.upper()}" for name in Settings.model_fields}
    assert all(not row.endswith("|  |") for row in rows.values())


def test_bars_in_a_cell_do_not_end_it() -> None:
    assert "a\\|b" in markdown_table(["x"], [["a|b"]])


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = "before\n<!-- test -->\nold\n<!-- /test -->\nafter"
    assert filled(page, "test", "new\n") == "before\n<!-- test -->\nnew\n<!-- /test -->\nafter"
    with pytest.raises(ValueError, match="no place"):
        filled(page, "development", "new")


def test_figures_name_the_size_and_every_figure_that_was_measured() -> None:
    text = figures(MADE, 127)
    assert "127 个" in text
    assert "一次答对事项" in text
    assert "无答案的问题" in text
    assert "追问" not in text


def test_a_run_in_which_questions_failed_is_not_written_down() -> None:
    failed = report([Record(Question(1, "多少钱", frozenset({"1"}), ()), Answer("error", None, (), (), None, 0.1))], {})
    before = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    with pytest.raises(Unavailable, match="1 个问题"):
        write_evaluation("check", failed, 1)
    assert (DOCS / "evaluation.md").read_text(encoding="utf-8") == before


def test_the_report_is_shown_as_tables() -> None:
    titles = [table.title for table in report_tables(MADE)]
    assert "准确" in titles
    assert "按相近事项" in titles
