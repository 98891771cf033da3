"""Deadlines: working days that end when offices close, hours where life is in danger, pauses and extensions."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.complaints.clocks import OWN_FILE, Due, Limits, due, extended, load_limits, reclassified, resumed
from bot.complaints.model import Kind
from bot.errors import ConfigurationError
from bot.workdays import WorkCalendar

CALENDAR = WorkCalendar()
LIMITS = load_limits()
FRIDAY = datetime(2026, 11, 20, 16, 0, tzinfo=ZONE)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 30)).map(lambda t: t.replace(tzinfo=ZONE))  # noqa: DTZ001


def test_a_complaint_filed_on_friday_is_signed_for_by_monday_evening() -> None:
    ends = due(FRIDAY, Kind.COMPLAINT, "噪声扰民/施工噪声", False, LIMITS, CALENDAR)
    assert ends.sign == datetime(2026, 11, 23, 17, 30, tzinfo=ZONE)
    assert ends.close == datetime(2026, 12, 9, 17, 30, tzinfo=ZONE)
    assert not ends.provisional


def test_danger_counts_in_hours_around_the_clock() -> None:
    ends = due(FRIDAY, Kind.ENQUIRY, "公用事业/停水", True, LIMITS, CALENDAR)
    assert ends.sign - FRIDAY == timedelta(minutes=30)
    assert ends.close - FRIDAY == timedelta(hours=24)


def test_a_deadline_beyond_the_published_year_is_provisional() -> None:
    filed = datetime(2026, 12, 28, 9, 0, tzinfo=ZONE)
    assert due(filed, Kind.REPORT, "x/y", False, LIMITS, CALENDAR).provisional


@given(MOMENTS, st.sampled_from(Kind), st.booleans())
def test_signing_comes_first_and_closing_last(filed: datetime, kind: Kind, urgent: bool) -> None:
    ends = due(filed, kind, "噪声扰民/施工噪声", urgent, LIMITS, CALENDAR)
    assert filed < ends.sign <= ends.reply <= ends.close
    if not urgent:
        for end in (ends.sign, ends.reply, ends.close):
            assert end.time() == time(17, 30)
            assert CALENDAR.is_working_day(end.date())


@given(MOMENTS, st.integers(0, 40), st.integers(0, 20))
def test_a_pause_moves_the_end_by_the_working_days_it_lasted(filed: datetime, begin: int, days: int) -> None:
    before = due(filed, Kind.COMPLAINT, "x/y", False, LIMITS, CALENDAR)
    paused = filed + timedelta(days=begin)
    resumed_at = paused + timedelta(days=days)
    ends = resumed(before, paused, resumed_at, False, LIMITS, CALENDAR)
    lasted = CALENDAR.working_days_between(paused.date(), resumed_at.date())
    assert CALENDAR.working_days_between(before.close.date(), ends.close.date()) == lasted
    assert ends.sign == before.sign


@given(MOMENTS)
def test_an_extension_moves_the_closing_alone(filed: datetime) -> None:
    before = due(filed, Kind.COMPLAINT, "x/y", False, LIMITS, CALENDAR)
    ends: Due = extended(before, LIMITS, CALENDAR)
    assert CALENDAR.working_days_between(before.close.date(), ends.close.date()) == LIMITS.extension
    assert (ends.sign, ends.reply) == (before.sign, before.reply)


@given(MOMENTS, st.sampled_from(Kind), st.sampled_from(Kind), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_put_right_later_it_has_the_deadlines_it_would_have_had(
    filed: datetime, heard: Kind, meant: Kind, begin: int, days: int, granted: bool
) -> None:
    """Pauses and an extension count for it as they did before."""

    def moved(kind: Kind) -> Due:
        paused = filed + timedelta(days=begin)
        ends = due(filed, kind, "x/y", False, LIMITS, CALENDAR)
        ends = resumed(ends, paused, paused + timedelta(days=days), False, LIMITS, CALENDAR)
        return extended(ends, LIMITS, CALENDAR) if granted else ends

    later = filed + timedelta(days=begin + days)
    assert reclassified(moved(heard), later, meant, "x/y", False, int(granted), LIMITS, CALENDAR) == moved(meant)


@given(MOMENTS, st.sampled_from(Kind), st.integers(0, 200))
def test_what_is_urgent_only_now_counts_from_now_and_what_no_longer_is_from_the_start(
    filed: datetime, kind: Kind, hours: int
) -> None:
    now = filed + timedelta(hours=hours)
    plain, urgent = (due(filed, kind, "x/y", each, LIMITS, CALENDAR) for each in (False, True))
    raised = reclassified(plain, now, kind, "x/y", True, 0, LIMITS, CALENDAR)
    assert raised == due(now, kind, "x/y", True, LIMITS, CALENDAR)
    assert reclassified(urgent, now, Kind.PRAISE, "a/b", True, 0, LIMITS, CALENDAR) == urgent
    calm = reclassified(urgent, now, kind, "x/y", False, 0, LIMITS, CALENDAR)
    assert (calm.reply, calm.close) == (plain.reply, plain.close)
    assert calm.sign > now


def test_the_most_telling_row_counts(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "bot/complaints/limits.toml").read_text("utf-8")
    (tmp_path / OWN_FILE).write_text(text + '"噪声扰民" = {close = 7}\n"噪声扰民/施工噪声" = {close = 2}\n', "utf-8")
    own = load_limits(tmp_path)
    assert own.days("close", Kind.REPORT, "噪声扰民/施工噪声") == 2
    assert own.days("close", Kind.REPORT, "噪声扰民/犬吠") == 7
    assert own.days("close", Kind.REPORT, "教育/学校收费") == 15
    assert own.days("close", Kind.COMPLAINT, "教育/学校收费") == 13
    assert own.days("sign", Kind.REPORT, "噪声扰民/施工噪声") == 1


@pytest.mark.parametrize(
    "fault",
    ["office_closes = 1", "[urgent]\nsign_hours = 1", "not toml", '[kind."胡说"]\nclose = 1'],
)
def test_a_faulty_table_is_refused_by_name(tmp_path: Path, fault: str) -> None:
    shipped = (Path(__file__).parents[3] / "bot/complaints/limits.toml").read_text("utf-8")
    text = shipped + "\n" + fault if fault.startswith("[kind") else fault
    (tmp_path / OWN_FILE).write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=OWN_FILE) as refused:
        load_limits(tmp_path)
    assert refused.value.remedy


def test_shipped_limits_are_complete() -> None:
    assert isinstance(LIMITS, Limits)
    for kind in Kind:
        assert LIMITS.days("close", kind, "x/y") >= LIMITS.days("sign", kind, "x/y")
