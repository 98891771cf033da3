"""The honest rate, the ranking, and what a filter is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.board.figures import Figures, by_upper, ranked
from bot.board.model import Filter, Measure, Thresholds
from bot.clock import ZONE
from bot.complaints.model import Kind, State
from bot.errors import InvalidInput
from bot.supervision.model import Light, Yellow
from bot.workdays import WorkCalendar

COUNTS = st.integers(0, 50)
FIGURES = st.builds(Figures, on_time=COUNTS, extended=COUNTS, late=COUNTS, overdue=COUNTS, open=COUNTS)


def test_what_is_left_undone_counts_against_the_rate() -> None:
    assert Figures(on_time=8, late=1, overdue=1).on_time_rate == 0.8
    assert Figures(on_time=8, late=1).on_time_rate == pytest.approx(8 / 9)
    assert Figures().on_time_rate is None


@given(FIGURES, st.integers(1, 20))
def test_neither_extensions_nor_leaving_things_open_raise_the_rate(figures: Figures, more: int) -> None:
    rate = figures.on_time_rate or 0.0
    assert (figures + Figures(extended=more)).on_time_rate == figures.on_time_rate
    assert ((figures + Figures(overdue=more)).on_time_rate or 0.0) <= rate
    assert ((figures + Figures(late=more)).on_time_rate or 0.0) <= rate
    assert ((figures + Figures(on_time=more)).on_time_rate or 0.0) >= rate


@given(st.dictionaries(st.text(min_size=1, max_size=5), FIGURES, max_size=8))
def test_the_ranking_is_by_rate_and_equals_share_a_place(units: dict[str, Figures]) -> None:
    found = ranked(units.items())
    assert {each.unit for each in found} == set(units)
    rates = [each.figures.on_time_rate for each in found if each.figures.on_time_rate is not None]
    assert rates == sorted(rates, reverse=True)
    assert all(each.place is None for each in found[len(rates) :])
    for before, after in pairwise(found):
        if after.place is not None:
            assert (before.place == after.place) is (before.figures.on_time_rate == after.figures.on_time_rate)


def test_categories_are_added_up_by_their_upper_part() -> None:
    counts = {"噪声/施工": 2, "噪声/广场舞": 3, "供水/水质": 4, "": 9}
    values = {name: Figures(filed=count) for name, count in counts.items()}
    assert [(name, f.filed) for name, f in by_upper(values, "", 5)] == [("噪声", 5), ("供水", 4)]
    assert [name for name, _ in by_upper(values, "噪声", 5)] == ["供水/水质", "噪声/广场舞", "噪声/施工"]


@given(
    st.builds(
        Filter,
        show=st.sampled_from(Measure),
        department=st.sampled_from(["", "云山市公安局", "a&b=c"]),
        kind=st.sampled_from(["", *Kind]),
        light=st.sampled_from(["", *Light]),
        state=st.sampled_from(["", *State]),
        urgent=st.booleans(),
        hot=st.integers(0, 9),
        since=st.none() | st.just(date(2026, 11, 1)),
        until=st.none() | st.just(date(2026, 11, 30)),
    )
)
def test_a_filter_is_its_query_string(wanted: Filter) -> None:
    assert Filter.parse(dict(parse_qsl(wanted.query()))) == wanted


@pytest.mark.parametrize(
    "values", [{"show": "x"}, {"light": "x"}, {"state": "x"}, {"kind": "x"}, {"since": "x"}, {"hot": "x"},
               {"since": "2026-01-02", "until": "2026-01-01"}, {"since": "2024-01-01", "until": "2026-01-01"}]
)  # fmt: skip
def test_a_faulty_filter_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        Filter.parse(values)


DAYS = st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(DAYS, DAYS)
def test_a_filled_in_period_is_one_of_at_most_a_year(since: date | None, until: date | None) -> None:
    today = date(2026, 11, 22)
    found = Filter(since=since, until=until).within(today)
    assert found.since is not None
    assert found.until is not None
    assert found.since <= found.until <= today
    assert found.until - found.since <= timedelta(days=366)


def test_the_lights_of_a_day() -> None:
    now = datetime(2026, 11, 23, 10, tzinfo=ZONE)  # a Monday
    thresholds = Thresholds.at(now, Yellow(3, 4.0), WorkCalendar())
    assert thresholds.light(State.SIGNED, now - timedelta(minutes=1), urgent=False) is Light.RED
    assert thresholds.light(State.SIGNED, datetime(2026, 11, 26, 17, 30, tzinfo=ZONE), urgent=False) is Light.YELLOW
    assert thresholds.light(State.SIGNED, datetime(2026, 11, 27, 17, 30, tzinfo=ZONE), urgent=False) is Light.GREEN
    assert thresholds.light(State.SIGNED, now + timedelta(hours=5), urgent=True) is Light.GREEN
    assert thresholds.light(State.PAUSED, now - timedelta(days=1), urgent=False) is None
    assert thresholds.light(State.CLOSED, now - timedelta(days=1), urgent=False) is None
