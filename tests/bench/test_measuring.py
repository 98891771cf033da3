import os

import pytest

from bench.measuring import load, memory, summary


async def test_load_counts_every_turn_once_and_failures_apart() -> None:
    asked: list[int] = []

    async def ask(number: int) -> None:
        asked.append(number)
        if number % 5 == 0:
            raise ConnectionError

    measured = await load(ask, clients=4, turns=20)
    assert sorted(asked) == list(range(20))
    assert measured["failures"] == 4
    assert measured["count"] == 16


def test_a_summary_is_in_milliseconds() -> None:
    found = summary([0.001, 0.002, 0.003])
    assert (found["p50"], found["p99"], found["count"]) == (2, 3, 3)
    assert summary([])["p95"] is None


def test_memory_is_summed_over_processes() -> None:
    found = memory({"us": os.getpid()})
    assert found["total"] == pytest.approx(found["us"])
    assert found["us"] > 10
