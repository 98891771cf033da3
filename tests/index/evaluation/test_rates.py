import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.evaluation.rates import Rate, calibration, percentile, rate


def test_a_rate_of_nothing_has_no_share() -> None:
    assert rate([]).share is None
    assert rate([]).to_dict() == {"share": None, "hits": 0.0, "of": 0, "interval": None}


def test_half_credits_are_counted() -> None:
    assert rate([1.0, 0.5, 0.0, 0.5]).share == 0.5


def test_the_interval_is_wilsons() -> None:
    low, high = Rate(95, 100).interval or (0, 0)
    assert low == pytest.approx(0.8882, abs=1e-3)
    assert high == pytest.approx(0.9785, abs=1e-3)


@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share_and_stays_within_bounds(counts: tuple[int, int]) -> None:
    measured = Rate(*counts)
    low, high = measured.interval or (1, 0)
    assert measured.share is not None
    assert 0 <= low <= measured.share + 1e-9
    assert measured.share - 1e-9 <= high <= 1


def test_percentiles_are_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.95) == 95
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.5) is None


def test_calibration_weighs_the_gap_of_each_bin_by_its_answers() -> None:
    pairs = [(0.95, True)] * 9 + [(0.95, False)] + [(0.5, True), (0.5, False)]
    measured = calibration(pairs)
    assert measured.error == pytest.approx((10 * 0.05 + 2 * 0.0) / 12)
    top = measured.bins[9]
    assert (top.count, top.right) == (10, 0.9)
    assert measured.bins[0].confidence is None


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert calibration([(1.0, True)]).bins[-1].count == 1


def test_nothing_answered_has_no_calibration_error() -> None:
    assert calibration([]).error is None
    assert calibration([]).brier is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_every_answer_falls_into_one_bin(pairs: list[tuple[float, bool]]) -> None:
    measured = calibration(pairs)
    assert sum(b.count for b in measured.bins) == len(pairs)
    assert measured.error is not None
    assert 0 <= measured.error <= 1
