"""A city's own table of rules: followed, refused where faulty, kept when it is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.complaints.categories import CATEGORIES, parse_categories
from bot.complaints.clocks import TABLE as LIMITS
from bot.errors import ConfigurationError, Conflict, InvalidInput
from bot.rule_file import RuleFile, digest
from bot.supervision.rules import TABLE as SUPERVISION

TABLES = (LIMITS, CATEGORIES, SUPERVISION)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_ships_can_be_used_and_written_back(tmp_path: Path, table: object) -> None:
    file = RuleFile(tmp_path, table)  # type: ignore[arg-type]
    assert not file.is_own
    shipped = file.current()
    file.write(file.text())
    assert file.is_own
    assert file.current() == shipped


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("text", ["", "x = [", "[1, 2", "null", "[]", "{}", "x" * 400_001])
def test_a_faulty_text_changes_nothing(tmp_path: Path, table: object, text: str) -> None:
    file = RuleFile(tmp_path, table)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as refused:
        file.write(text)
    assert refused.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_change_is_followed_and_the_text_before_is_kept(tmp_path: Path) -> None:
    file, other = RuleFile(tmp_path, LIMITS), RuleFile(tmp_path, LIMITS)
    first = file.text().replace("extension = 5", "extension = 6")
    file.write(first)
    assert other.current().extension == 6
    file.write(first.replace("extension = 6", "extension = 7"))
    assert other.current().extension == 7
    (kept,) = [path for path in tmp_path.iterdir() if path.suffix == ".kept"]
    assert kept.read_text("utf-8") == first
    file.restore()
    assert other.current().extension == 5


def test_two_who_change_the_same_text_do_not_overwrite_each_other(tmp_path: Path) -> None:
    file = RuleFile(tmp_path, LIMITS)
    seen = digest(file.text())
    file.write(file.text().replace("extension = 5", "extension = 6"), seen)
    with pytest.raises(Conflict):
        file.write(LIMITS.shipped(), seen)
    assert file.current().extension == 6


def test_a_file_broken_from_outside_is_refused_at_the_start_and_ignored_later(tmp_path: Path) -> None:
    file = RuleFile(tmp_path, LIMITS)
    before = file.current()
    file.path.write_text("x = [", "utf-8")
    assert file.current() == before
    with pytest.raises(ConfigurationError, match=LIMITS.file) as refused:
        RuleFile(tmp_path, LIMITS)
    assert "先移走" in refused.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "噪声", "children": [{"name": "施工"}, {"name": "施工"}]}]',
        '[{"name": "噪/声", "children": [{"name": "施工"}]}]',
        '[{"name": "", "children": [{"name": "施工"}]}]',
        '[{"name": "噪声"}]',
        '[{"name": "' + "噪" * 130 + '", "children": [{"name": "施工"}]}]',
    ],
)
def test_categories_that_cannot_be_published_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[一-龥]"):
        parse_categories(text)
