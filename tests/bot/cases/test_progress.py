"""Where a case stands: working days used and left, pauses, due dates, what comes next."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.model import Case, CaseState
from bot.cases.progress import progress
from bot.clock import ZONE
from bot.matters.model import Limit
from bot.workdays import WorkCalendar
from tests.bot.cases.examples import ACCEPTED, APPLIED, at, case, pause, stage

CALENDAR = WorkCalendar()


def test_a_case_under_review_counts_from_the_day_after_acceptance() -> None:
    found = progress(case(), at("11-20 12:00"), CALENDAR)
    assert (found.state, found.stage.stage, found.next_stage) == (CaseState.REVIEWING, "审查", "决定")
    assert (found.clock.counts_from, found.clock.used, found.clock.left) == (date(2026, 11, 16), 4, 6)
    assert (found.clock.due, found.clock.provisional, found.overdue) == (date(2026, 11, 30), False, False)
    assert found.accepted_at == at("11-16 10:00")


def test_before_acceptance_no_limit_runs() -> None:
    found = progress(case(stages=[APPLIED]), at("11-25 12:00"), CALENDAR)
    assert (found.state, found.clock.due, found.clock.used, found.next_stage) == (CaseState.APPLIED, None, 0, "受理")
    assert not found.overdue


def test_acceptance_without_a_stage_of_its_own_is_when_the_review_begins() -> None:
    found = progress(case(stages=[APPLIED, stage("审查", "11-16 10:00")]), at("11-17 12:00"), CALENDAR)
    assert found.accepted_at == at("11-16 10:00")


def test_a_request_for_correction_stops_the_clock_and_asks_the_applicant() -> None:
    asked = case(pauses=[pause("补正", "11-18 16:00", note="补交户口簿首页", due=at("11-25 17:00").isoformat())])
    for day in ("11-18 17:00", "11-27 12:00"):
        found = progress(asked, at(day), CALENDAR)
        assert found.state is CaseState.PAUSED
        assert found.owes is not None
        assert (found.clock.used, found.clock.left, found.clock.due) == (2, 8, None)
        assert not found.overdue


def test_after_the_correction_the_limit_goes_on_where_it_stood() -> None:
    brought = case(pauses=[pause("补正", "11-18 16:00", "11-24 09:00")])
    found = progress(brought, at("11-25 12:00"), CALENDAR)
    assert (found.state, found.owes) == (CaseState.REVIEWING, None)
    assert (found.clock.used, found.clock.left, found.clock.due) == (3, 7, date(2026, 12, 4))


def test_a_hearing_and_an_inspection_at_once_count_once() -> None:
    both = case(pauses=[pause("听证", "11-17 09:00", "11-19 09:00"), pause("检验", "11-18 09:00", "11-20 09:00")])
    found = progress(both, at("11-23 12:00"), CALENDAR)
    assert (found.clock.used, found.clock.due) == (2, date(2026, 12, 3))
    standing = progress(case(pauses=[pause("听证", "11-17 09:00")]), at("11-18 12:00"), CALENDAR)
    assert (standing.state, standing.owes) == (CaseState.PAUSED, None)


def test_past_the_due_date_it_is_overdue_until_decided() -> None:
    assert not progress(case(), at("11-30 23:59"), CALENDAR).overdue
    late = progress(case(), at("12-02 08:00"), CALENDAR)
    assert (late.overdue, late.clock.late_days, late.clock.left) == (True, 2, -2)
    decided = case(stages=[APPLIED, ACCEPTED, stage("审查", "11-16 10:00", "12-01 09:00"),
                           stage("决定", "12-01 09:00", "12-02 09:00")], outcome="准予")  # fmt: skip
    after = progress(decided, at("12-20 08:00"), CALENDAR)
    assert (after.overdue, after.clock.late_days, after.state) == (False, 2, CaseState.CLOSED)


def test_delivery_does_not_count_and_ends_the_case() -> None:
    stages = [
        APPLIED,
        ACCEPTED,
        stage("审查", "11-16 10:00", "11-18 09:00"),
        stage("决定", "11-18 09:00", "11-19 09:00"),
    ]
    on_its_way = case(stages=[*stages, stage("送达", "11-19 09:00")], outcome="准予")
    found = progress(on_its_way, at("12-20 08:00"), CALENDAR)
    assert (found.state, found.clock.used, found.overdue) == (CaseState.DELIVERING, 3, False)
    over = progress(case(stages=[*stages, stage("送达", "11-19 09:00", "11-23 10:00")]), at("12-20 08:00"), CALENDAR)
    assert (over.state, over.closed_at, over.next_stage) == (CaseState.CLOSED, at("11-23 10:00"), None)


@pytest.mark.parametrize("outcome", ["不予受理", "撤回", "终止"])
def test_a_case_may_end_early(outcome: str) -> None:
    ended = case(stages=[APPLIED, stage("受理", "11-13 15:10", "11-16 10:00", result=outcome)], outcome=outcome)
    found = progress(ended, at("12-20 08:00"), CALENDAR)
    assert (found.state, found.overdue, found.closed_at) == (CaseState.CLOSED, False, at("11-16 10:00"))


def test_the_matters_own_limit_serves_where_the_case_names_none() -> None:
    without = case(promised_limit=None)
    assert progress(without, at("11-20 12:00"), CALENDAR).clock.due is None
    found = progress(without, at("11-20 12:00"), CALENDAR, Limit(value=20, unit="自然日"))
    assert (found.clock.due, found.clock.used, found.clock.left) == (date(2026, 12, 6), 4, 16)


@pytest.mark.parametrize(
    ("limit", "due"),
    [
        ({"value": 0, "unit": "工作日"}, date(2026, 11, 16)),
        ({"value": 1, "unit": "月"}, date(2026, 12, 16)),
        ({"value": 24, "unit": "小时"}, date(2026, 11, 17)),
        ({"value": 7, "unit": "自然日"}, date(2026, 11, 23)),
    ],
)
def test_every_unit_has_its_due_date(limit: dict[str, object], due: date) -> None:
    assert progress(case(promised_limit=limit), at("11-16 12:00"), CALENDAR).clock.due == due


def test_a_due_date_in_a_year_not_arranged_is_provisional() -> None:
    found = progress(case(promised_limit={"value": 40, "unit": "工作日"}), at("11-20 12:00"), CALENDAR)
    assert found.clock.provisional


days = st.integers(0, 60)


@given(days, st.integers(0, 30), days, days, days)
def test_what_is_used_and_left_always_adds_up_and_the_due_date_is_where_nothing_is_left(
    today: int, limit: int, pause_from: int, pause_for: int, second: int
) -> None:
    start = datetime(2026, 3, 2, 9, tzinfo=ZONE)

    def moment(offset: int) -> str:
        return (start + timedelta(days=offset)).isoformat()

    paused = Case.model_validate(
        {
            "number": "YS00001",
            "query_code": "123456",
            "matter_name": "一件事",
            "department": "一个单位",
            "promised_limit": {"value": limit, "unit": "工作日"},
            "stages": [{"stage": "受理", "start": moment(0), "end": moment(0)}, {"stage": "审查", "start": moment(0)}],
            "pauses": [
                {"kind": "补正", "start": moment(pause_from), "end": moment(pause_from + pause_for)},
                {"kind": "听证", "start": moment(second), "end": moment(second + 3)},
            ],
        }
    )
    now = start + timedelta(days=today)
    clock = progress(paused, now, CALENDAR).clock
    assert clock.left is not None
    assert clock.used + clock.left == limit
    if clock.due is None:
        assert clock.stopped_by is not None
        return
    on_the_day = progress(paused, datetime.combine(clock.due, now.timetz()), CALENDAR)
    assert on_the_day.clock.used <= limit or clock.due == start.date()
    assert (clock.left < 0) <= (now.date() > clock.due)
    assert CALENDAR.is_working_day(clock.due) or limit == 0
