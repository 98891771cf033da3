"""Cases: a large file imported, cases looked up, thousands of wrong codes tried; on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from bench.measuring import summary, timed
from bot.cases.service import Asker
from bot.clock import ZONE, SystemClock
from bot.errors import WenbanError
from bot.settings import Settings
from bot.store import Store, make_engine, migrate
from bot.workdays import load_calendar
from channels.casework import Casework, build_casework, no_limits

POSTGRES = os.environ.get("WENBAN_TEST_POSTGRES_URL", "postgresql+psycopg://root@127.0.0.1/test")
UNITS = ("公安局", "民政局", "自然资源局", "市场监督管理局", "人力资源和社会保障局")
STAGES = ("申请", "受理", "审查", "决定", "送达")


def write_cases(file: Path, count: int, now: datetime, seed: int = 1) -> None:
    """``count`` cases in the exchange format, spread over the last year and over all stages."""
    draw = random.Random(seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as lines:
        for number in range(count):
            begun = now - timedelta(days=draw.randrange(10, 365), minutes=draw.randrange(600))
            reached = draw.randrange(2, 6)
            unit = draw.choice(UNITS)
            stages: list[dict[str, Any]] = []
            for place, name in enumerate(STAGES[:reached]):
                start = begun + timedelta(hours=20 * place)
                over = place < reached - 1 or reached == len(STAGES)
                ends = {"end": (start + timedelta(hours=20)).isoformat()} if over else {}
                stages.append({"stage": name, "unit": unit, "person": "李敏", "start": start.isoformat(), **ends})
            row = {
                "number": number_of(number),
                "query_code": code_of(number),
                "matter_name": f"第{number % 3000}号事项",
                "department": unit,
                "applicant": {"name": "王小明", "phone": f"139{number:08}"},
                "promised_limit": {"value": 15, "unit": "工作日"},
                "stages": stages,
                "updated_at": stages[-1].get("end", stages[-1]["start"]),
            }
            lines.write(orjson.dumps(row) + b"\n")


def number_of(number: int) -> str:
    return f"BN26{number:010}"


def code_of(number: int) -> str:
    return f"{(number * 7919) % 1_000_000:06}"


def measure(folder: Path, settings: Settings, count: int, look_ups: int, wrong: int) -> list[dict[str, Any]]:
    """A row a database: seconds of the import, latency of look-ups, what came of wrong codes."""
    file = folder / "cases.jsonl"
    write_cases(file, count, datetime.now(ZONE))
    rows = []
    for name, url in databases(folder):
        if url is None:
            continue
        home = settings.model_copy(update={"home": folder / f"home-{name}", "database_url": url})
        migrate.upgrade(home)
        with _casework(home) as (casework, engine):
            rows.append({"database": name, **_one(casework, engine, file, count, look_ups, wrong)})
    return rows


def _one(casework: Casework, engine: Engine, file: Path, count: int, look_ups: int, wrong: int) -> dict[str, Any]:
    started = time.perf_counter()
    report = casework.keeper.import_file(file, actor="bench", progress=lambda *_: None)
    imported = time.perf_counter() - started
    if report.added != count:
        raise AssertionError(f"{report.added} of {count} cases were added")
    draw = random.Random(2)
    right: list[float] = []
    bare: list[float] = []
    statements = 0.0
    with _counting(engine) as count_of, _bare_commits(engine) as commit:
        for turn in range(look_ups):
            number = draw.randrange(count)
            asker = Asker("bench", origin=f"client{turn % 500}")
            before, begun = count_of(), time.perf_counter()
            found = casework.cases.look_up(number_of(number), code_of(number), asker)
            right.append(time.perf_counter() - begun)
            statements += count_of() - before
            if found.case.number != number_of(number):
                raise AssertionError("another case was found")
            # In turns with the least a database can do for something kept: a busy machine slows both alike.
            bare.append(timed(commit))
    tried, took = _guess(casework, wrong)
    return {
        "cases": count,
        "import_seconds": round(imported, 1),
        "import_per_second": round(count / imported),
        "look_up_ms": summary(right),
        "look_up_statements": round(statements / look_ups, 1),
        "bare_commit_ms": summary(bare),
        "wrong_codes": wrong,
        "wrong_found": tried["found"],
        "wrong_checked": tried["case_not_found"],
        "wrong_locked": tried["case_locked"],
        "wrong_ms": summary(took),
    }


def _guess(casework: Casework, wrong: int) -> tuple[dict[str, int], Sequence[float]]:
    """Every code from 0 upwards at one case from one origin: what a guesser would do."""
    ended = {"found": 0, "case_not_found": 0, "case_locked": 0}
    took: list[float] = []
    asker = Asker("bench", origin="guesser")
    right = {code_of(5), f"139{5:08}"[-4:]}
    for guess in range(wrong):
        code = f"{guess:06}"
        if code in right:
            continue
        begun = time.perf_counter()
        try:
            casework.cases.look_up(number_of(5), code, asker)
            ended["found"] += 1
        except WenbanError as error:
            ended[error.code] += 1
        took.append(time.perf_counter() - begun)
    return ended, took


@contextlib.contextmanager
def _counting(engine: Engine) -> Iterator[Callable[[], int]]:
    """Tells how many statements were sent so far, BEGIN and COMMIT left out."""
    sent = [0]

    def count(*_: object) -> None:
        sent[0] += 1

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield lambda: sent[0]
    finally:
        event.remove(engine, "before_cursor_execute", count)


@contextlib.contextmanager
def _bare_commits(engine: Engine) -> Iterator[Callable[[], None]]:
    """Changes one number of one row and commits, straight through the driver."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE bench_bare (n INTEGER)")
    cursor.execute("INSERT INTO bench_bare VALUES (0)")
    connection.commit()

    def commit() -> None:
        cursor.execute("UPDATE bench_bare SET n = n + 1")
        connection.commit()

    try:
        yield commit
    finally:
        cursor.execute("DROP TABLE bench_bare")
        connection.commit()
        connection.close()


@contextlib.contextmanager
def _casework(settings: Settings) -> Iterator[tuple[Casework, Engine]]:
    engine = make_engine(settings)
    store = Store(engine, SystemClock())
    try:
        calendar = load_calendar(settings.home / "calendar")
        yield build_casework(settings, store, SystemClock(), calendar, no_limits), engine
    finally:
        engine.dispose()


def databases(folder: Path) -> Iterator[tuple[str, str | None]]:
    """The databases to measure on; PostgreSQL in a schema of its own, removed afterwards, where one answers."""
    yield "SQLite", f"sqlite:///{folder / 'cases.db'}"
    admin = create_engine(POSTGRES, connect_args={"connect_timeout": 2})
    schema = f"wenban_bench_{uuid.uuid4().hex}"
    try:
        with admin.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        yield "PostgreSQL", None
        return
    try:
        yield "PostgreSQL", f"{POSTGRES}?options=-csearch_path%3D{schema}"
    finally:
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        admin.dispose()
