"""Lights, cutoffs and the ladder as functions of time and calendar."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.complaints.model import State
from bot.supervision.model import (
    Clock,
    Level,
    Light,
    Recipient,
    Yellow,
    clocks_of,
    cutoffs,
    latest_gone,
    latest_with_left,
    level_at,
    light,
    recipients_of,
    yellow_before,
)
from bot.supervision.rules import Rules, parse_text, shipped_text
from bot.workdays import WorkCalendar

CALENDAR = WorkCalendar()
RULES: Rules = parse_text(shipped_text())
THREE = Yellow(3, 0.5)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 30)).map(lambda t: t.replace(tzinfo=ZONE))  # noqa: DTZ001
DAYS = st.dates(datetime(2025, 1, 1).date(), datetime(2026, 11, 30).date())  # noqa: DTZ001


def evening(*day: int) -> datetime:
    return datetime(*day, 17, 30, tzinfo=ZONE)  # type: ignore[misc]


def test_the_light_is_yellow_from_three_working_days_left_and_red_after_the_end() -> None:
    due = evening(2026, 11, 26)  # Thursday
    seen = [
        light(due, datetime(2026, 11, day, 10, tzinfo=ZONE), False, THREE, CALENDAR) for day in (20, 21, 23, 26, 27)
    ]
    assert seen == [Light.GREEN, Light.GREEN, Light.YELLOW, Light.YELLOW, Light.RED]
    assert light(due, due, False, THREE, CALENDAR) is Light.YELLOW
    assert light(due, due + timedelta(seconds=1), False, THREE, CALENDAR) is Light.RED


def test_make_up_days_count_and_holidays_do_not() -> None:
    # 2026-10-10, a Saturday, is worked; 1 to 7 October are off.
    due = evening(2026, 10, 10)
    assert light(due, datetime(2026, 9, 29, 10, tzinfo=ZONE), False, THREE, CALENDAR) is Light.GREEN
    assert CALENDAR.working_days_between(datetime(2026, 9, 30).date(), due.date()) == 3  # noqa: DTZ001
    assert light(due, datetime(2026, 9, 30, 10, tzinfo=ZONE), False, THREE, CALENDAR) is Light.YELLOW


def test_danger_counts_in_hours() -> None:
    now = datetime(2026, 11, 22, 3, 0, tzinfo=ZONE)
    assert light(now + timedelta(minutes=31), now, True, THREE, CALENDAR) is Light.GREEN
    assert light(now + timedelta(minutes=29), now, True, THREE, CALENDAR) is Light.YELLOW


@given(MOMENTS, MOMENTS, st.booleans(), st.integers(0, 10))
def test_the_query_and_the_single_light_agree(now: datetime, due: datetime, urgent: bool, days: int) -> None:
    yellow = Yellow(days, 0.5)
    one = light(due, now, urgent, yellow, CALENDAR)
    many = Light.RED if due < now else Light.GREEN
    if due >= now and due < yellow_before(now, urgent, yellow, CALENDAR):
        many = Light.YELLOW
    assert one is many


@given(MOMENTS, st.integers(0, 60), st.integers(1, 200))
def test_a_light_never_goes_back(now: datetime, ahead: int, later: int) -> None:
    due = now + timedelta(days=ahead)
    order = [Light.GREEN, Light.YELLOW, Light.RED]
    first = light(due, now, False, THREE, CALENDAR)
    second = light(due, now + timedelta(hours=later), False, THREE, CALENDAR)
    assert order.index(first) <= order.index(second)


@given(DAYS, st.integers(0, 40))
def test_days_left_are_inverted_exactly(today: object, days: int) -> None:
    last = latest_with_left(today, days, CALENDAR)  # type: ignore[arg-type]
    assert CALENDAR.working_days_between(today, last) <= days  # type: ignore[arg-type]
    assert CALENDAR.working_days_between(today, last + timedelta(days=1)) == days + 1  # type: ignore[arg-type]


@given(DAYS, st.integers(1, 40))
def test_days_gone_are_inverted_exactly(today: object, days: int) -> None:
    last = latest_gone(today, days, CALENDAR)  # type: ignore[arg-type]
    assert CALENDAR.working_days_between(last, today) >= days  # type: ignore[arg-type]
    assert CALENDAR.working_days_between(last + timedelta(days=1), today) < days  # type: ignore[arg-type]


@given(MOMENTS, st.integers(-60, 60), st.integers(0, 400), st.booleans(), st.sampled_from(Clock))
def test_a_level_only_ever_rises(now: datetime, ahead: int, hours: int, urgent: bool, clock: Clock) -> None:
    due, steps = now + timedelta(days=ahead), RULES.ladder[clock]
    first = level_at(due, cutoffs(steps, now, urgent, CALENDAR)) or 0
    second = level_at(due, cutoffs(steps, now + timedelta(hours=hours), urgent, CALENDAR)) or 0
    assert first <= second


@given(MOMENTS, st.integers(-20, 20), st.booleans(), st.sampled_from(Clock))
def test_overdue_and_graver_only_after_the_deadline(now: datetime, ahead: int, urgent: bool, clock: Clock) -> None:
    due = now + timedelta(hours=ahead)
    level = level_at(due, cutoffs(RULES.ladder[clock], now, urgent, CALENDAR)) or 0
    assert (level >= Level.OVERDUE) == (due < now)


def test_the_shipped_ladder_of_the_closing() -> None:
    due = evening(2026, 11, 10)  # Tuesday
    expected = {
        4: None, 5: Level.REMINDER, 6: Level.REMINDER, 9: Level.WARNING, 10: Level.WARNING, 11: Level.URGE,
        13: Level.YELLOW_CARD, 16: Level.YELLOW_CARD, 18: Level.RED_CARD, 24: Level.OVERSIGHT,
    }  # fmt: skip
    for day, level in expected.items():
        now = datetime.combine(datetime(2026, 11, day).date(), time(9), ZONE)  # noqa: DTZ001
        assert level_at(due, cutoffs(RULES.ladder[Clock.CLOSE], now, False, CALENDAR)) == level, day


def test_paused_and_finished_complaints_have_no_clock() -> None:
    for state in (State.PAUSED, State.ANSWERED, State.REVIEWED, State.CLOSED, State.MERGED, State.WITHDRAWN):
        assert not clocks_of(state, replied=False)
    assert clocks_of(State.DISPATCHED, replied=False) == {Clock.SIGN, Clock.REPLY, Clock.CLOSE}
    assert clocks_of(State.SIGNED, replied=True) == {Clock.CLOSE}
    assert clocks_of(State.RETURNED, replied=False) == {Clock.DISPATCH, Clock.CLOSE}


def test_what_no_unit_holds_goes_to_the_desk() -> None:
    everybody = (Recipient.HANDLER, Recipient.HEAD, Recipient.SUPERVISOR)
    held = recipients_of(Clock.CLOSE, everybody, "水务局")
    assert held == [(Recipient.HANDLER, "水务局"), (Recipient.HEAD, "水务局"), (Recipient.SUPERVISOR, "")]
    desk = [(Recipient.OPERATOR, ""), (Recipient.SUPERVISOR, "")]
    assert recipients_of(Clock.CLOSE, everybody, None) == desk
    assert recipients_of(Clock.CALLBACK, everybody, "水务局") == desk


@pytest.mark.parametrize("urgent", [False, True])
def test_the_gravest_cutoff_comes_first(urgent: bool) -> None:
    found = cutoffs(RULES.ladder[Clock.CLOSE], evening(2026, 11, 10), urgent, CALENDAR)
    assert [cutoff.level for cutoff in found] == sorted(Level, reverse=True)
    assert [cutoff.before for cutoff in found] == sorted(cutoff.before for cutoff in found)
