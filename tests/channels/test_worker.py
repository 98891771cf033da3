import threading
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import ZONE, FixedClock
from channels.worker import LATE, Job, Schedule, Worker, alive, heartbeat

NOON = datetime(2026, 11, 20, 12, tzinfo=ZONE)


def test_a_job_is_due_at_the_start_and_then_at_its_interval() -> None:
    often = Job("often", timedelta(seconds=5), lambda now: None)
    seldom = Job("seldom", timedelta(minutes=1), lambda now: None)
    schedule = Schedule([often, seldom])
    assert schedule.due(NOON) == [often, seldom]
    assert schedule.due(NOON + timedelta(seconds=4)) == []
    assert schedule.pause(NOON + timedelta(seconds=4)) == 1
    assert schedule.due(NOON + timedelta(seconds=5)) == [often]
    assert schedule.due(NOON + timedelta(minutes=5)) == [often, seldom]


def test_a_job_that_fails_keeps_no_other_from_running_and_runs_again() -> None:
    ran: list[str] = []

    def fail(now: datetime) -> None:
        ran.append("faulty")
        raise ValueError("broken")

    clock = FixedClock(NOON)
    worker = Worker(
        [
            Job("faulty", timedelta(seconds=1), fail),
            Job("sound", timedelta(seconds=1), lambda now: ran.append("sound")),
        ],
        clock,
    )
    worker.turn()
    clock.advance(timedelta(seconds=1))
    worker.turn()
    assert ran == ["faulty", "sound", "faulty", "sound"]


def test_the_worker_stops_when_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    once = Job("once", timedelta(hours=1), lambda now: stop.set())
    Worker([once], FixedClock(NOON)).run(stop)
    assert stop.is_set()


def test_a_heartbeat_says_alive_until_it_is_late(tmp_path: Path) -> None:
    assert not alive(tmp_path, NOON)
    heartbeat(tmp_path).run(NOON)
    assert alive(tmp_path, NOON + LATE / 2)
    assert not alive(tmp_path, NOON + LATE)


def test_an_unreadable_heartbeat_is_none(tmp_path: Path) -> None:
    (tmp_path / "worker.heartbeat").write_text("gestern")
    assert not alive(tmp_path, NOON)
