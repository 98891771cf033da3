"""Everything that may happen to a complaint has a Chinese name."""

from __future__ import annotations

from bot.board.model import ACT_NAMES, LIGHT_NAMES, MEASURE_NAMES, Measure
from bot.complaints.model import STATE_NAMES, Act, State
from bot.supervision.model import Light


def test_nothing_is_without_a_name() -> None:
    assert set(Act) <= set(ACT_NAMES)
    assert set(STATE_NAMES) == set(State)
    assert set(MEASURE_NAMES) == set(Measure)
    assert set(LIGHT_NAMES) == set(Light)
