"""The rule tables: what ships is sound, what is written by hand is checked, what is faulty changes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import ConfigurationError, InvalidInput
from bot.supervision.model import Clock, Level, Recipient
from bot.supervision.rules import OWN_FILE, RulesFile, parse_text, shipped_text


def test_what_ships_is_in_use_until_the_city_writes_its_own(tmp_path: Path) -> None:
    file = RulesFile(tmp_path)
    assert file.text() == shipped_text()
    assert file.current().gather == timedelta(minutes=5)
    file.write(shipped_text().replace("gather_minutes = 5", "gather_minutes = 9"))
    assert file.current().gather == timedelta(minutes=9)
    assert RulesFile(tmp_path).current().gather == timedelta(minutes=9)
    assert [path.name for path in tmp_path.iterdir()] == [OWN_FILE]


def test_a_faulty_text_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    file = RulesFile(tmp_path)
    with pytest.raises(InvalidInput):
        file.write("gather_minutes = 5")
    assert not (tmp_path / OWN_FILE).exists()


def test_a_file_broken_while_we_run_keeps_the_rules_before_it(tmp_path: Path) -> None:
    file = RulesFile(tmp_path)
    (tmp_path / OWN_FILE).write_text("x = [", "utf-8")
    assert file.current().gather == timedelta(minutes=5)
    with pytest.raises(ConfigurationError) as refused:
        RulesFile(tmp_path)
    assert OWN_FILE in refused.value.message


def test_lights_and_recipients_are_data() -> None:
    rules = parse_text(shipped_text().replace("days = 3\nhours = 0.5", "days = 7\nhours = 2"))
    assert (rules.yellow[Clock.CLOSE].days, rules.yellow[Clock.SIGN].days) == (7, 0)
    overdue = rules.step(Clock.CLOSE, Level.OVERDUE)
    assert overdue is not None
    assert overdue.recipients == (Recipient.HANDLER, Recipient.HEAD, Recipient.SUPERVISOR)
    assert rules.step(Clock.CALLBACK, Level.RED_CARD) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("gather_minutes = 5", "gather_minutes = 0", "gather_minutes"),
        ("gather_minutes = 5", "gather_minutes = true", "gather_minutes"),
        ("gather_minutes = 5", "gather_minutes = 5\nextra = 1", "extra"),
        ('level = "urge"', 'level = "shout"', "level"),
        ('clocks = ["reply"]', 'clocks = ["reply", "tea"]', "clocks"),
        ('clocks = ["reply"]', 'clocks = ["reply", "reply"]', "重复"),
        ('clocks = ["reply"]', 'clocks = ["reply", "close"]', "两个 reminder"),
        ('clocks = ["reply"]', "clocks = []", "clocks"),
        ("days_left = 3", "days_left = -3", "days_left"),
        ("days_left = 3", "days_over = 3", "days_left"),
        ("days_left = 3", "days_left = 0", "晚于"),
        ("days_over = 3", "days_over = 1", "晚于"),
        ("days_over = 3", "days_over = 9", "晚于"),
        ("hours_over = 4\n", "hours_over = 0.1\n", "晚于"),
        ('to = ["handler"]', 'to = ["mayor"]', "to"),
        ("answer_days = 1\n\n[[step]]", "answer_days = 0\n\n[[step]]", "answer_days"),
        ('level = "overdue"', 'level = "overdue"\ndays_over = 1', "overdue"),
        ("[rectification]\ndays = 15", "[rectification]\ndays = 0", "[rectification]"),
        ("poor_days = 1", "poor_days = 0", "poor_days"),
        ("reviewed_days = 1", "", "reviewed_days"),
        ("[lights.clock.sign]", "[lights.clock.tea]", "tea"),
        ('"09:00-12:00", ', '"09:00-14:00", ', "[hours]"),
    ],
)  # fmt: skip
def test_every_slip_is_named(before: str, after: str, said: str) -> None:
    text = shipped_text()
    assert before in text
    with pytest.raises(InvalidInput) as refused:
        parse_text(text.replace(before, after, 1))
    assert said in refused.value.message
