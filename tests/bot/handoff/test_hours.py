"""Office hours with lunch breaks, holidays and make-up days; deadlines in working time."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.handoff.hours import Hours, after_working_time, intervals, is_open, next_opening
from bot.workdays import WorkCalendar

CALENDAR = WorkCalendar()
OFFICE = Hours(intervals(["09:00-12:00", "13:30-17:30"]))
MOMENTS = st.integers(0, 330 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=minutes)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-23T09:00", True),
        ("2026-11-23T11:59", True),
        ("2026-11-23T12:00", False),  # lunch
        ("2026-11-23T13:29", False),
        ("2026-11-23T13:30", True),
        ("2026-11-23T17:30", False),
        ("2026-11-22T10:00", False),  # Sunday
        ("2026-10-01T10:00", False),  # National Day
        ("2026-10-10T10:00", True),  # a Saturday worked for it
    ],
)
def test_open_by_interval_and_calendar(moment: str, opened: bool) -> None:
    assert is_open(at(moment), OFFICE, CALENDAR) is opened


def test_the_next_opening_skips_lunch_weekends_and_holidays() -> None:
    assert next_opening(at("2026-11-23T12:10"), OFFICE, CALENDAR) == at("2026-11-23T13:30")
    assert next_opening(at("2026-11-20T18:00"), OFFICE, CALENDAR) == at("2026-11-23T09:00")
    assert next_opening(at("2026-09-30T18:00"), OFFICE, CALENDAR) == at("2026-10-08T09:00")
    assert next_opening(at("2026-11-23T10:00"), OFFICE, CALENDAR) == at("2026-11-23T10:00")
    assert next_opening(at("2026-11-23T10:00"), Hours(()), CALENDAR) is None


def test_a_deadline_counts_only_open_time() -> None:
    due = after_working_time(at("2026-11-20T16:30"), timedelta(hours=4), OFFICE, CALENDAR)
    assert due is not None
    assert (due.at, due.provisional) == (at("2026-11-23T12:00"), False)
    due = after_working_time(at("2026-11-22T10:00"), timedelta(hours=4), OFFICE, CALENDAR)
    assert due is not None
    assert due.at == at("2026-11-23T14:30")
    assert after_working_time(at("2026-11-22T10:00"), timedelta(hours=4), Hours(()), CALENDAR) is None


def test_a_deadline_in_a_year_not_arranged_yet_is_provisional() -> None:
    due = after_working_time(at("2026-12-31T17:00"), timedelta(hours=4), OFFICE, CALENDAR)
    assert due is not None
    assert due.provisional


def test_seasons_and_single_days() -> None:
    hours = Hours.parse(
        {
            "working_days": ["09:00-17:00"],
            "days_off": ["10:00-12:00"],
            "season": [{"from": "11-15", "until": "03-15", "working_days": ["09:30-16:30"]}],
            "day": [{"date": date(2026, 12, 31), "hours": ["09:00-12:00"]}],
        }
    )
    assert not is_open(at("2026-11-23T09:10"), hours, CALENDAR)
    assert is_open(at("2026-11-22T10:00"), hours, CALENDAR)
    assert not is_open(at("2026-12-31T15:00"), hours, CALENDAR)


def test_around_the_clock() -> None:
    hours = Hours(intervals(["00:00-24:00"]), intervals(["00:00-24:00"]))
    assert is_open(at("2026-11-22T23:59"), hours, CALENDAR)
    due = after_working_time(at("2026-11-22T22:00"), timedelta(hours=4), hours, CALENDAR)
    assert due is not None
    assert due.at == at("2026-11-23T02:00")


@pytest.mark.parametrize("texts", [["12:00-09:00"], ["9点-12点"], ["09:00-12:00", "11:00-13:00"], ["09:00"]])
def test_faulty_hours_are_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"时间段|结束"):
        intervals(texts)


@given(MOMENTS, st.integers(0, 3000))
def test_working_time_adds_up_and_ends_while_open(start: datetime, minutes: int) -> None:
    working = timedelta(minutes=minutes)
    due = after_working_time(start, working, OFFICE, CALENDAR)
    assert due is not None
    assert due.at >= start
    half = after_working_time(start, working / 2, OFFICE, CALENDAR)
    assert half is not None
    rest = after_working_time(half.at, working - working / 2, OFFICE, CALENDAR)
    assert rest is not None
    assert rest.at == due.at
    if minutes:
        assert is_open(due.at - timedelta(microseconds=1), OFFICE, CALENDAR)


@given(MOMENTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(moment: datetime) -> None:
    opening = next_opening(moment, OFFICE, CALENDAR)
    assert opening is not None
    assert is_open(opening, OFFICE, CALENDAR)
    if opening > moment:
        assert not is_open(moment, OFFICE, CALENDAR)
        assert not is_open(opening - timedelta(microseconds=1), OFFICE, CALENDAR)
