"""News within a process and between processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from bot.store import make_engine
from channels.bus import Bus, PostgresRelay, SqliteRelay
from tests.bot.conftest import POSTGRES, postgres_missing


async def _heard(event: asyncio.Event, seconds: float = 10) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def test_news_wakes_those_who_listen_to_it_and_nobody_else() -> None:
    bus = Bus()
    with bus.listening("a") as a, bus.listening("b") as b:
        await asyncio.to_thread(bus.announce, "a")
        assert await _heard(a)
        assert not b.is_set()
    assert bus.listeners == 0


async def test_waking_everybody() -> None:
    bus = Bus()
    with bus.listening("a") as a, bus.listening("b") as b:
        bus.wake()
        assert a.is_set()
        assert b.is_set()


async def test_what_another_connection_writes_to_sqlite_wakes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'news.db'}"
    here, there = make_engine(url), make_engine(url)
    _write(there, "CREATE TABLE news (n INTEGER)")
    bus = Bus()
    relay = asyncio.create_task(SqliteRelay(here, interval=0.01).run(bus))
    try:
        with bus.listening("a") as news:
            # The relay must have looked once before a change can be one: write until it is heard.
            for _ in range(500):
                await asyncio.to_thread(_write, there, "INSERT INTO news VALUES (1)")
                if await _heard(news, 0.05):
                    break
            assert news.is_set()
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        here.dispose()
        there.dispose()


async def test_postgres_tells_the_other_process_what_the_news_is_about() -> None:
    if reason := postgres_missing():
        pytest.skip(reason)
    address = make_url(POSTGRES).set(drivername="postgresql").render_as_string(hide_password=False)
    here, there = Bus(), Bus()
    relays = [asyncio.create_task(PostgresRelay(address).run(bus)) for bus in (here, there)]
    try:
        with there.listening("conversation-1") as wanted, there.listening("conversation-2") as other:
            for _ in range(200):
                here.announce("conversation-1")
                if await _heard(wanted, 0.1):
                    break
            assert wanted.is_set()
            other.clear()
            wanted.clear()
            here.announce("conversation-1")
            assert await _heard(wanted)
            assert not other.is_set()
    finally:
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)


def _write(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))
