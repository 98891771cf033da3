"""Clusters of vectors: what lies together is found together, whatever else there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.board.clusters import centred, clusters


def around(middles: int, each: int, spread: float, seed: int = 1) -> NDArray[np.float32]:
    """Rows of length one near ``middles`` directions that stand at right angles, in turn."""
    draw = np.random.default_rng(seed)
    rows = np.tile(np.eye(32, dtype=np.float32)[:middles], (each, 1))
    rows = rows + draw.normal(0, spread, rows.shape).astype(np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_each_direction_is_one_cluster() -> None:
    rows = around(4, 200, 0.05)
    found = clusters(rows)
    assert [len(cluster.rows) for cluster in found] == [200] * 4
    assert all(len({row % 4 for row in cluster.rows}) == 1 for cluster in found)


def test_the_nearest_to_the_middle_comes_first() -> None:
    rows = around(1, 50, 0.1)
    (found,) = clusters(rows)
    alike = rows[list(found.rows)] @ found.middle
    assert np.all(alike[:-1] >= alike[1:])


def test_what_is_alone_is_no_hot_spot() -> None:
    draw = np.random.default_rng(3)
    rows = draw.normal(size=(300, 384)).astype(np.float32)
    assert clusters((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)) == []
    assert clusters(np.zeros((0, 384), np.float32)) == []


@given(st.integers(1, 8), st.integers(1, 12), st.integers(2, 6), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_no_row_is_in_two_and_none_is_small(middles: int, each: int, least: int, seed: int) -> None:
    rows = around(middles, each, 0.2, seed)
    found = clusters(rows, least=least)
    taken = [row for cluster in found for row in cluster.rows]
    assert len(taken) == len(set(taken))
    assert all(len(cluster.rows) >= least for cluster in found)
    sizes = [len(cluster.rows) for cluster in found]
    assert sizes == sorted(sizes, reverse=True)
    assert all(np.linalg.norm(cluster.middle) == pytest.approx(1, abs=1e-3) for cluster in found)


def test_what_all_have_in_common_does_not_hide_what_sets_them_apart() -> None:
    common = np.full(32, 0.3, np.float32)
    rows = around(4, 50, 0.02) + common
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    assert len(clusters(rows)) < 4
    assert [len(cluster.rows) for cluster in clusters(centred(rows, 200))] == [50] * 4


def test_where_all_say_the_same_it_is_one_cluster() -> None:
    rows = np.tile(around(1, 1, 0.1), (30, 1))
    assert [len(cluster.rows) for cluster in clusters(centred(rows, 1))] == [30]
