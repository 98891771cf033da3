"""News within a process and between processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.store import make_engine
from channels.bus import Bus, FileRelay, PostgresRelay, make_relay, teller
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


async def test_a_listener_knows_what_the_news_was_about() -> None:
    bus = Bus()
    with bus.listening("a", "b") as news:
        bus.wake("a")
        bus.wake("b")
        assert news.take() == {"a", "b"}
        assert not news.is_set()
        bus.wake("a")
        bus.wake()  # about anything
        assert news.take() is None
        assert news.take() == frozenset()


@pytest.fixture
async def by_file(tmp_path: Path) -> AsyncIterator[tuple[Bus, Bus, Path]]:
    """Two processes' buses beside the same SQLite database, and the file between them."""
    file = tmp_path / "wenban.db-news"
    buses = Bus(), Bus()
    relays = [asyncio.create_task(FileRelay(file, interval=0.005).run(bus)) for bus in buses]
    while any(bus.outgoing is None for bus in buses):
        await asyncio.sleep(0)
    yield *buses, file
    for relay in relays:
        relay.cancel()
    await asyncio.gather(*relays, return_exceptions=True)


async def test_a_file_tells_the_other_process_what_the_news_is_about(by_file: tuple[Bus, Bus, Path]) -> None:
    here, there, _ = by_file
    with here.listening("a") as own, there.listening("a") as wanted, there.listening("b") as other:
        here.announce("a")
        assert await _heard(wanted)
        assert wanted.take() == {"a"}
        assert not other.is_set()
        assert own.take() == {"a"}
        there.announce("b")
        assert await _heard(other)
        assert not own.is_set()  # what it said itself does not come back


async def test_an_emptied_file_makes_everybody_look(
    by_file: tuple[Bus, Bus, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, file = by_file
    monkeypatch.setattr("channels.bus.LONGEST_FILE", 100)
    with there.listening("z") as other:
        for number in range(200):
            here.announce(f"conversation-{number}")
            if await _heard(other, 0.01):
                break
        assert other.take() is None
        assert file.stat().st_size < 200
        here.announce("z")
        assert await _heard(other)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_process_without_a_bus_tells_too(tmp_path: Path, database: str) -> None:
    if database == "postgresql" and (reason := postgres_missing()):
        pytest.skip(reason)
    engine = make_engine(f"sqlite:///{tmp_path / 'wenban.db'}" if database == "sqlite" else POSTGRES)
    bus = Bus()
    relay = asyncio.create_task(make_relay(engine).run(bus))
    try:
        with bus.listening("a") as news:
            for _ in range(200):
                await asyncio.to_thread(teller(engine), "a")
                if await _heard(news, 0.1):
                    break
            assert news.take() == {"a"}
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        engine.dispose()


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
            other.take()
            wanted.take()
            here.announce("conversation-1")
            assert await _heard(wanted)
            assert not other.is_set()
    finally:
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
