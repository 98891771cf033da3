"""The calendar: known years, loaded tables, provisional years, and what holds for every day."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ConfigurationError
from bot.workdays import Deadline, WorkCalendar, YearTable, keep_table, load_calendar

CALENDAR = WorkCalendar()
DAYS = st.dates(date(2020, 1, 1), date(2031, 12, 31))
TABLE_2027 = YearTable.parse(
    {"year": 2027, "days_off": [date(2027, 1, 1), date(2027, 2, 8)], "make_up_days": ["2027-02-14"]}
)


def test_the_example_of_the_service_a_sunday_ten_working_days() -> None:
    assert CALENDAR.after(date(2026, 11, 22), 10) == Deadline(date(2026, 12, 4), provisional=False)


def test_make_up_days_count_and_holidays_do_not() -> None:
    assert CALENDAR.is_working_day(date(2026, 2, 14))  # a Saturday worked for the Spring Festival
    assert not CALENDAR.is_working_day(date(2026, 2, 17))
    assert CALENDAR.after(date(2026, 2, 13), 2).date == date(2026, 2, 24)


def test_a_limit_that_runs_into_an_unarranged_year_is_provisional() -> None:
    assert CALENDAR.after(date(2026, 12, 30), 1) == Deadline(date(2026, 12, 31), provisional=False)
    assert CALENDAR.after(date(2026, 12, 31), 1) == Deadline(date(2027, 1, 4), provisional=True)
    assert CALENDAR.after(date(2027, 3, 1), 0) == Deadline(date(2027, 3, 1), provisional=True)


def test_unarranged_years_know_the_statutory_holidays() -> None:
    for day in [(2, 5), (2, 8), (4, 5), (6, 9), (9, 15), (10, 1)]:
        assert not CALENDAR.is_working_day(date(2027, *day)), day
    assert CALENDAR.is_working_day(date(2027, 2, 10))
    assert not CALENDAR.is_working_day(date(2070, 10, 1))  # beyond every table only the fixed ones are known


def test_a_loaded_table_wins_and_is_not_provisional() -> None:
    calendar = WorkCalendar({2027: TABLE_2027})
    assert calendar.is_working_day(date(2027, 2, 14))
    assert not calendar.is_working_day(date(2027, 2, 8))
    assert calendar.after(date(2026, 12, 31), 1) == Deadline(date(2027, 1, 4), provisional=False)


@pytest.mark.parametrize("days", [-1, 10_000])
def test_limits_that_are_none_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match="working days"):
        CALENDAR.after(date(2026, 1, 1), days)


@settings(max_examples=60, deadline=None)
@given(start=DAYS, days=st.integers(0, 60))
def test_a_deadline_is_a_working_day_with_just_so_many_on_the_way(start: date, days: int) -> None:
    deadline = CALENDAR.after(start, days)
    assert CALENDAR.working_days_between(start, deadline.date) == days
    assert deadline.date == start if days == 0 else CALENDAR.is_working_day(deadline.date)


@settings(max_examples=60, deadline=None)
@given(start=DAYS, days=st.integers(0, 40), later=st.integers(0, 10))
def test_starting_later_or_taking_longer_never_ends_earlier(start: date, days: int, later: int) -> None:
    end = CALENDAR.after(start, days).date
    assert CALENDAR.after(start, days + later).date >= end
    assert CALENDAR.after(start + timedelta(days=later), days).date >= end


@settings(max_examples=60, deadline=None)
@given(first=DAYS, last=DAYS, middle=DAYS)
def test_counting_adds_up(first: date, last: date, middle: date) -> None:
    between = CALENDAR.working_days_between
    assert between(first, last) == between(first, middle) + between(middle, last)


def test_tables_are_loaded_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "2027.toml").write_text("year = 2027\ndays_off = [2027-01-01]\nmake_up_days = [2027-01-09]\n")
    calendar = load_calendar(tmp_path)
    assert calendar.is_working_day(date(2027, 1, 9))
    assert not calendar.is_provisional(date(2027, 1, 9))
    assert load_calendar(tmp_path / "missing").is_provisional(date(2027, 1, 9))


@pytest.mark.parametrize(
    "content",
    [
        "year = 2027",
        "days_off = [2027-01-01]",
        "year = 2027\ndays_off = [2026-01-01]",
        "year = 2027\ndays_off = ['new year']",
        "year = 2027\ndays_off = [2027-01-02]\nmake_up_days = [2027-01-02]",
        "year = ",
    ],
)
def test_a_faulty_table_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "2027.toml").write_text(content)
    with pytest.raises(ConfigurationError, match=r"2027\.toml") as raised:
        load_calendar(tmp_path)
    assert raised.value.remedy


def test_a_table_that_arrives_later_counts_at_once_and_a_faulty_one_changes_nothing(tmp_path: Path) -> None:
    folder, given = tmp_path / "calendar", tmp_path / "given.toml"
    calendar = load_calendar(folder)
    assert calendar.after(date(2026, 12, 31), 1).provisional
    given.write_text("year = 2027\ndays_off = [2027-01-01]\nmake_up_days = [2027-01-09]\n")
    assert keep_table(given, folder).year == 2027
    assert calendar.is_working_day(date(2027, 1, 9))
    assert not calendar.after(date(2026, 12, 31), 1).provisional
    given.write_text("year = 2027\ndays_off = []\n")
    with pytest.raises(ConfigurationError):
        keep_table(given, folder)
    (folder / "2028.toml").write_text("year = ")  # put there by hand
    assert calendar.is_working_day(date(2027, 1, 9))
    with pytest.raises(ConfigurationError):
        load_calendar(folder)
