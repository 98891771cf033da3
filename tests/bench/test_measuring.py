import os
import time

import pytest

from bench.measuring import Asked, in_turn, load, memory, summary


def _us() -> dict[str, int]:
    return {"us": os.getpid()}


async def test_load_counts_every_turn_once_and_failures_apart() -> None:
    asked: list[int] = []

    async def ask(number: int) -> None:
        asked.append(number)
        if number % 5 == 0:
            raise ConnectionError

    row = (await load(Asked(ask, _us), clients=4, turns=20)).row(4)
    assert sorted(asked) == list(range(20))
    assert row["failures"] == 4
    assert row["count"] == 16
    assert row["clients"] == 4


async def test_processor_time_is_that_of_the_processes() -> None:
    async def ask(_: int) -> None:
        until = time.process_time() + 0.01
        while time.process_time() < until:
            pass

    row = (await load(Asked(ask, _us), clients=1, turns=10)).row(1)
    assert row["cpu_ms"] >= 9  # the clock of the system counts in hundredths of a second


async def test_assistants_are_asked_in_turn_and_every_number_once_each() -> None:
    heard: list[tuple[str, int]] = []

    def assistant(name: str) -> Asked:
        async def ask(number: int) -> None:
            heard.append((name, number))

        return Asked(ask, _us)

    rows = await in_turn({"a": assistant("a"), "b": assistant("b")}, clients=2, turns=8, rounds=4)
    assert {name: row["count"] for name, row in rows.items()} == {"a": 8, "b": 8}
    assert sorted(heard) == [(name, number) for name in "ab" for number in range(8)]
    assert [name for name, _ in heard] == list("aabb" * 4)


def test_a_summary_is_in_milliseconds() -> None:
    found = summary([0.001, 0.002, 0.003])
    assert (found["p50"], found["p99"], found["count"]) == (2, 3, 3)
    assert summary([])["p95"] is None


def test_memory_is_summed_over_processes() -> None:
    found = memory({"us": os.getpid()})
    assert found["total"] == pytest.approx(found["us"])
    assert found["us"] > 10
