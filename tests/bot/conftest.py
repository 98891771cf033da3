"""Databases to test on: SQLite always, PostgreSQL where one is reachable (each test in a schema of its own)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from bot.clock import ZONE, FixedClock
from bot.store import Store, make_engine
from bot.store.migrate import upgrade

POSTGRES = os.environ.get("WENBAN_TEST_POSTGRES_URL", "postgresql+psycopg://root@127.0.0.1/test")


@cache
def postgres_missing() -> str | None:
    """Why no PostgreSQL can be tested on; None where one can."""
    engine = create_engine(POSTGRES, connect_args={"connect_timeout": 2})
    try:
        with engine.connect():
            return None
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        return f"no PostgreSQL at {engine.url!r} ({reason}); set WENBAN_TEST_POSTGRES_URL"
    finally:
        engine.dispose()


@pytest.fixture
def clock() -> FixedClock:
    """Sunday, 22 November 2026, ten in the morning."""
    return FixedClock(datetime(2026, 11, 22, 10, 0, tzinfo=ZONE))


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'home' / 'wenban.db'}")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(sqlite_engine: Engine, clock: FixedClock) -> Store:
    """A migrated store on SQLite."""
    return Store(sqlite_engine, clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path / 'home' / 'wenban.db'}")
        yield engine
        engine.dispose()
        return
    reason = postgres_missing()
    if reason is not None:
        pytest.skip(reason)
    schema = f"wenban_{uuid.uuid4().hex}"
    admin = create_engine(POSTGRES)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine = make_engine(f"{POSTGRES}?options=-csearch_path%3D{schema}")
    try:
        yield engine
    finally:
        engine.dispose()
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        admin.dispose()


@pytest.fixture
def any_engine(any_empty_engine: Engine) -> Engine:
    upgrade(any_empty_engine)
    return any_empty_engine


@pytest.fixture
def any_store(any_engine: Engine, clock: FixedClock) -> Store:
    """A migrated store on each kind of database."""
    return Store(any_engine, clock)
