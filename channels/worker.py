"""The worker: what happens by time rather than on a request.

Each job runs at its own interval, one after another; a job that fails is logged and tried again at its next turn, and
never keeps another from running. The heartbeat tells readiness checks that the worker is alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.clock import Clock
from bot.settings import Settings

LATE = timedelta(seconds=30)
"""A heartbeat older than this means that the worker hangs or is gone."""

BEAT = timedelta(seconds=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again; ``run`` gets the present time, ``close`` gives back what it holds in the end."""

    name: str
    every: timedelta
    run: Callable[[datetime], None]
    close: Callable[[], None] = lambda: None


class Schedule:
    """Says which jobs are due; every job is due at the start."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._next: dict[str, datetime] = {}

    def due(self, now: datetime) -> list[Job]:
        """The jobs to run now; their next turn is an interval after this one, however late this one is."""
        due = [job for job in self._jobs if self._next.get(job.name, now) <= now]
        for job in due:
            self._next[job.name] = now + job.every
        return due

    def pause(self, now: datetime) -> float:
        """Seconds until the next job is due."""
        return max(0.0, min((moment - now).total_seconds() for moment in self._next.values()))


class Worker:
    """Runs ``jobs`` by ``clock`` until told to stop."""

    def __init__(self, jobs: Sequence[Job], clock: Clock) -> None:
        self._jobs = jobs
        self._schedule = Schedule(jobs)
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Returns soon after ``stop`` is set; a job that is running is finished first."""
        while not stop.is_set():
            self.turn()
            stop.wait(self._schedule.pause(self._clock.now()))
        for job in self._jobs:
            job.close()

    def turn(self) -> None:
        """Runs every job that is due now."""
        for job in self._schedule.due(self._clock.now()):
            try:
                job.run(self._clock.now())
            except Exception:
                log.exception("job_failed", job=job.name)


def heartbeat(home: Path) -> Job:
    """The job that leaves the present time under ``home``."""
    file = heartbeat_file(home)

    def beat(now: datetime) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(now.isoformat())
        fresh.replace(file)

    return Job("heartbeat", BEAT, beat)


def alive(home: Path, now: datetime) -> bool:
    """Whether a worker has left a heartbeat under ``home`` lately."""
    try:
        beat = datetime.fromisoformat(heartbeat_file(home).read_text())
    except (OSError, ValueError):
        return False
    return now - beat < LATE


def heartbeat_file(home: Path) -> Path:
    """Where the worker leaves the time of its last turn."""
    return home / "worker.heartbeat"


def jobs(settings: Settings, clock: Clock) -> list[Job]:
    """What the worker of an installation does."""
    from channels.work import jobs_of  # the parts take their time to import; --help and the gateway do not need them

    return [heartbeat(settings.home), *jobs_of(settings, clock)]
