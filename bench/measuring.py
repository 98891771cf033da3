"""Clocks and scales: percentiles of latencies, load by concurrent clients, memory of processes, the machine itself."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from index.evaluation.rates import percentile

Ask = Callable[[int], Awaitable[None]]
"""Puts the n-th question and returns when it is answered; raises when it is not."""

MEGABYTE = 2**20


def summary(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """Count, mean and percentiles of ``seconds``, in milliseconds."""
    milliseconds = [1000 * value for value in seconds]
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: percentile(milliseconds, share) for name, share in shares.items()}
    mean = sum(milliseconds) / len(milliseconds) if milliseconds else None
    rounded = {name: None if value is None else round(value, 2) for name, value in {**found, "mean": mean}.items()}
    return {"count": len(milliseconds), **rounded}


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@dataclass
class Taken:
    """What some turns took: seconds of each that was answered, how many were not, seconds in all, processor time."""

    seconds: list[float] = field(default_factory=list)
    failures: int = 0
    elapsed: float = 0.0
    cpu: float = 0.0

    def row(self, clients: int) -> dict[str, Any]:
        """Latency and processor time of a turn in milliseconds, turns a second, failures."""
        turns = len(self.seconds) + self.failures
        return {
            "clients": clients,
            **summary(self.seconds),
            "per_second": round(turns / self.elapsed, 1),
            "cpu_ms": round(self.cpu / turns * 1000, 2),
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """An assistant under load: how it is asked, and its processes now, whose time and memory count."""

    ask: Ask
    processes: Callable[[], Mapping[str, int]]


async def load(asked: Asked, clients: int, turns: int, taken: Taken | None = None, begin: int = 0) -> Taken:
    """``turns`` questions, from number ``begin``, put by ``clients`` at once; added to ``taken`` where it is given."""
    waiting = iter(range(begin, begin + turns))
    taken = taken or Taken()

    async def client() -> None:
        for number in waiting:
            started = time.perf_counter()
            try:
                await asked.ask(number)
            except Exception:  # whatever it was, this turn was not answered; the count is reported
                taken.failures += 1
            else:
                taken.seconds.append(time.perf_counter() - started)

    used = cpu_seconds(asked.processes())
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    taken.elapsed += time.perf_counter() - started
    taken.cpu += cpu_seconds(asked.processes()) - used
    return taken


async def in_turn(assistants: Mapping[str, Asked], clients: int, turns: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Rows of several assistants under the same load, one after the other in short rounds.

    So whatever else the machine does in the meantime meets all of them alike; ratios of their rows can be trusted.
    """
    taken = {name: Taken() for name in assistants}
    each = max(1, turns // rounds)
    for round_ in range(rounds):
        for name, asked in assistants.items():
            await load(asked, clients, each, taken[name], begin=round_ * each)
    return {name: found.row(clients) for name, found in taken.items()}


def memory(processes: Mapping[str, int]) -> dict[str, float]:
    """Megabytes of each process with all it started, by name, and their sum.

    Proportional set size: a page that several processes share counts once, spread over them.
    """
    found = {name: round(sum(map(_proportional, _family(pid))) / MEGABYTE, 1) for name, pid in processes.items()}
    return {**found, "total": round(sum(found.values()), 1)}


def cpu_seconds(processes: Mapping[str, int]) -> float:
    """Seconds of processor time that the processes, with all they started, have used since their start."""
    used = [process.cpu_times() for pid in processes.values() for process in _family(pid)]
    return sum(times.user + times.system for times in used)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _proportional(process: psutil.Process) -> int:
    held = process.memory_full_info()
    return getattr(held, "pss", held.rss)  # only Linux tells the proportional size


def machine() -> dict[str, object]:
    """What this run was measured on, and how busy it was at the start."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }
