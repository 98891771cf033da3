"""Clocks and scales: percentiles of latencies, load by concurrent clients, memory of processes, the machine itself."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

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


async def load(ask: Ask, clients: int, turns: int) -> dict[str, object]:
    """``turns`` questions put by ``clients`` at once: latency in milliseconds, turns a second, failures."""
    waiting = iter(range(turns))
    took: list[float] = []
    failures = 0

    async def client() -> None:
        nonlocal failures
        for number in waiting:
            started = time.perf_counter()
            try:
                await ask(number)
            except Exception:  # whatever it was, this turn was not answered; the count is reported
                failures += 1
            else:
                took.append(time.perf_counter() - started)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    elapsed = time.perf_counter() - started
    return {"clients": clients, **summary(took), "per_second": round(turns / elapsed, 1), "failures": failures}


def memory(processes: Mapping[str, int]) -> dict[str, float]:
    """Megabytes resident of each process with all it started, by name, and their sum."""
    found = {name: round(_resident(pid), 1) for name, pid in processes.items()}
    return {**found, "total": round(sum(found.values()), 1)}


def _resident(pid: int) -> float:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family) / MEGABYTE


def machine() -> dict[str, object]:
    """What this run was measured on, and how busy it was at the start."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }
