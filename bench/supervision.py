"""Supervision at the size of a large city: complaints looked up, deadlines that pass and are raised, on PostgreSQL."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bench import board, complaints_data
from bench.cases import POSTGRES
from bench.complaints_data import City
from bench.homes import settings_for
from bench.measuring import summary
from bench.supervision_worker import ShiftedClock
from bot.clock import ZONE, SystemClock
from bot.complaints.deciding import Decider
from bot.complaints.filing import Asker
from bot.complaints.service import ComplaintService
from bot.handoff.hours import is_open
from bot.store import Store, make_engine, migrate
from bot.supervision.rules import RulesFile
from bot.supervision.watching import Watch
from bot.workdays import WorkCalendar, load_calendar
from index.incident import Incidents
from index.pairing import PairModel

WORKERS = 2
LEAD = 30
"""Seconds that the workers have to start."""
WITHIN = 60
"""Seconds in which the deadlines pass."""
PAGE_TURNS = 60
AFTER = 600
"""Seconds that the workers go on at most after the last one; they end when everything was raised."""


def measure(folder: Path, complaints: int, deadlines: int, look_ups: int) -> dict[str, Any] | None:
    """What was found, in a database made for it and dropped afterwards; None where no PostgreSQL answers."""
    with _database() as url:
        if url is None:
            return None
        return _measure(url, folder, complaints, deadlines, look_ups)


def _measure(url: str, folder: Path, complaints: int, deadlines: int, look_ups: int) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    engine = make_engine(url)
    try:
        migrate.upgrade(engine)
        settings, now = settings_for(folder / "home"), SystemClock().now()
        city = City(complaints, now, WorkCalendar())
        begun = time.perf_counter()
        complaints_data.fill(url, city)
        filled = time.perf_counter() - begun
        store = Store(engine, SystemClock())
        looked = _look_ups(store, city, look_ups)
        monday = _working_morning(folder, now)
        ahead = (monday - datetime.now(ZONE)).total_seconds()
        caught_up = _catch_up(store, folder, ahead)
        return {
            "complaints": complaints,
            "fill_seconds": round(filled, 1),
            "database_gb": _size(store),
            "look_up_ms": looked,
            **caught_up,
            **_alarms(url, store, folder, monday, deadlines),
            "idle_turn_ms": _idle(store, folder, ahead),
            **board.measure(settings.model_copy(update={"database_url": url}), store, city, PAGE_TURNS),
        }
    finally:
        engine.dispose()


def _look_ups(store: Store, city: City, count: int) -> dict[str, Any]:
    """Latency of looking complaints up with number and code, each from another address."""
    unread = cast(Decider, None)  # nothing is decided here, and its models take a second to load
    service = ComplaintService(store, SystemClock(), city.writer, unread, Incidents(PairModel.load(), None))
    draw, taken = random.Random(3), []
    for turn in range(count):
        index = draw.randrange(city.count)
        number = complaints_data.number_of(index, city.count, city.now.date())
        begun = time.perf_counter()
        found = service.look_up(number, complaints_data.code_of(index), Asker("bench", origin=f"client{turn}"))
        taken.append(time.perf_counter() - begun)
        if found.number != number:
            raise AssertionError("another complaint was found")
    return summary(taken)


def _catch_up(store: Store, folder: Path, ahead: float) -> dict[str, Any]:
    """Everything that is due after a long outage, by one worker, until nothing is left."""
    clock = ShiftedClock(ahead)
    watch = Watch(store, RulesFile(folder), load_calendar(folder / "calendar"))
    begun, raised = time.perf_counter(), 0
    while fresh := watch.run(clock.now()):
        raised += fresh
    with store.read() as session:
        notices = session.execute(text("SELECT count(*) FROM alarm_notices WHERE NOT urgent")).scalar_one()
    return {
        "outage_alarms": raised,
        "outage_seconds": round(time.perf_counter() - begun, 1),
        "outage_notices": notices,
    }


def _alarms(url: str, store: Store, folder: Path, monday: datetime, deadlines: int) -> dict[str, Any]:
    """Deadlines that pass within a minute, watched by two processes in real time."""
    ahead = (monday - datetime.now(ZONE)).total_seconds()
    begin = datetime.now(ZONE) + timedelta(seconds=ahead + LEAD)
    chosen = (
        "WITH picked AS (SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM complaints WHERE state = 'closed' "
        "AND NOT urgent ORDER BY id DESC LIMIT :count) UPDATE complaints SET state = 'signed', closed_at = NULL, "
        "answered_at = NULL, replied_at = :begin, close_version = 9, "
        "due_at = CAST(:begin AS timestamptz) + picked.n * (:within * interval '1 second' / :count) "
        "FROM picked WHERE complaints.id = picked.id"
    )
    with store.write() as work:
        values = {"count": deadlines, "begin": begin, "within": WITHIN}
        changed = cast(Any, work.session.execute(text(chosen), values)).rowcount
    if changed != deadlines:
        raise AssertionError(f"{changed} of {deadlines} deadlines were set")
    least = LEAD + WITHIN
    times = map(str, (ahead, least, least + AFTER))
    command = [sys.executable, "-m", "bench.supervision_worker", url, str(folder), *times]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)]
    said = [worker.communicate()[0].splitlines()[-1] for worker in workers]  # log lines come before it
    raised = [json.loads(line)["raised"] for line in said]
    with store.read() as session:
        found = session.execute(
            text(
                "SELECT count(*), count(DISTINCT complaint_id), "
                "percentile_cont(ARRAY[0.5, 0.95, 1.0]) WITHIN GROUP (ORDER BY extract(epoch FROM raised_at - due_at)) "
                "FROM alarms WHERE clock = 'close' AND version = 9 AND level = 3"
            )
        ).one()
        sent = session.execute(
            text(
                "SELECT count(*) FROM outbox JOIN alarms ON alarms.id = CAST(outbox.payload ->> 'alarm' AS integer) "
                "WHERE outbox.topic = 'supervision.alarm' AND alarms.version = 9 AND alarms.level = 3"
            )
        ).scalar_one()
    return {
        "deadlines": deadlines,
        "raised": found[0],
        "raised_once": found[1],
        "events": sent,
        "by_worker": raised,
        "lag_s": dict(zip(("p50", "p95", "longest"), (round(float(lag), 1) for lag in found[2]), strict=True)),
    }


def _idle(store: Store, folder: Path, ahead: float) -> dict[str, Any]:
    """A turn at which nothing is due."""
    clock = ShiftedClock(ahead)
    watch = Watch(store, RulesFile(folder), load_calendar(folder / "calendar"))
    while watch.run(clock.now()):
        pass
    taken = []
    for _ in range(20):
        begun = time.perf_counter()
        watch.run(clock.now())
        taken.append(time.perf_counter() - begun)
    return summary(taken)


def _working_morning(folder: Path, now: datetime) -> datetime:
    """The next moment at which offices have just opened."""
    rules, calendar = RulesFile(folder).current(), load_calendar(folder / "calendar")
    moment = now.replace(hour=9, minute=0, second=5, microsecond=0)
    while moment < now or not is_open(moment, rules.hours, calendar):
        moment += timedelta(days=1)
    return moment


def _size(store: Store) -> float:
    with store.read() as session:
        return round(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one() / 2**30, 1)


@contextmanager
def _database() -> Iterator[str | None]:
    """A database of its own, dropped afterwards."""
    name = f"wenban_bench_{uuid.uuid4().hex[:12]}"
    admin = create_engine(POSTGRES, connect_args={"connect_timeout": 2}, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        admin.dispose()
        yield None
        return
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
