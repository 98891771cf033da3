"""News between processes: "conversation X has new events", nothing more. The log in the database is the truth.

Inside a process news travels at once. From other processes it arrives by a relay: on SQLite by a file beside the
database to which everybody appends, on PostgreSQL by LISTEN/NOTIFY. News may be lost or doubled; a listener therefore
reads the log after every wake-up and at least every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import psycopg
import structlog
from sqlalchemy import Engine, func, select

log = structlog.get_logger("wenban.bus")

CHANNEL = "wenban_news"
FILE_INTERVAL = 0.02
"""Seconds between looks at the length of the file: one system call of microseconds."""
LONGEST_FILE = 1 << 20
"""Bytes after which whoever appends empties the file."""
RETRY_SECONDS = 2.0


class News(asyncio.Event):
    """Set at every piece of news; says what it was about."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: set[str] | None = set()

    def about(self, key: str | None) -> None:
        """There is news about ``key``, or, None, perhaps about anything."""
        if key is None:
            self._keys = None
        elif self._keys is not None:
            self._keys.add(key)
        self.set()

    def take(self) -> frozenset[str] | None:
        """What it was about since it was last asked, None: anything; cleared, before the log is read."""
        self.clear()
        keys, self._keys = self._keys, set()
        return None if keys is None else frozenset(keys)


class Bus:
    """Subscribers of this process and the queue to the relay. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[News]] = defaultdict(set)
        self._loop = asyncio.get_running_loop()
        self.outgoing: asyncio.Queue[str] | None = None

    def announce(self, key: str) -> None:
        """There is news about ``key``. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._announce, key)

    def _announce(self, key: str) -> None:
        self.wake(key)
        if self.outgoing is not None:
            self.outgoing.put_nowait(key)

    def wake(self, key: str | None = None) -> None:
        """Wake those who listen to ``key``, or everybody."""
        groups = list(self._waiting.values()) if key is None else [self._waiting.get(key, set())]
        for group in groups:
            for news in group:
                news.about(key)

    @contextlib.contextmanager
    def listening(self, *keys: str) -> Iterator[News]:
        """News about ``keys``; the listener takes it before it reads the log."""
        news = News()
        for key in keys:
            self._waiting[key].add(news)
        try:
            yield news
        finally:
            for key in keys:
                self._waiting[key].discard(news)
                if not self._waiting[key]:
                    del self._waiting[key]

    @property
    def listeners(self) -> int:
        return sum(map(len, self._waiting.values()))


class Relay(Protocol):
    """Brings news from other processes until cancelled."""

    async def run(self, bus: Bus) -> None: ...


def make_relay(engine: Engine) -> Relay:
    """The relay that fits the database."""
    if engine.dialect.name == "postgresql":
        return PostgresRelay(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    return FileRelay(_file_of(engine))


def teller(engine: Engine) -> Callable[[str], None]:
    """Announces to the gateways from a process that has no bus of its own. News that cannot be told is logged: the
    gateways look at the log by themselves a few seconds later.
    """

    def tell(key: str) -> None:
        try:
            if engine.dialect.name == "postgresql":
                with engine.begin() as connection:
                    connection.execute(select(func.pg_notify(CHANNEL, key)))
            else:
                with _appending(_file_of(engine)) as file:
                    _append(file, "-", key)
        except Exception as error:  # whatever it is: what was to be told is written already
            log.warning("news_not_told", reason=str(error)[:300])

    return tell


class FileRelay:
    """Reads on in a file to which every process appends lines ``process key``. Who finds it too long empties it;
    whoever reads then looks at everything.
    """

    def __init__(self, path: Path, interval: float = FILE_INTERVAL) -> None:
        self._path = path
        self._interval = interval
        self._name = secrets.token_hex(4)

    async def run(self, bus: Bus) -> None:
        while True:
            bus.outgoing = asyncio.Queue()
            try:
                with _appending(self._path) as file:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._hear(bus, file))
                        group.create_task(self._tell(bus.outgoing, file))
            except* OSError as errors:
                log.warning("news_relay_interrupted", reason=str(errors.exceptions[0])[:300])
            finally:
                bus.outgoing = None
            bus.wake()  # what was told while we were deaf
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, bus: Bus, file: int) -> None:
        at = os.fstat(file).st_size
        while True:
            await asyncio.sleep(self._interval)
            size = os.fstat(file).st_size
            if size < at:  # emptied: some of it may never have been read
                at = size
                bus.wake()
            elif size > at:
                whole = os.pread(file, size - at, at).rpartition(b"\n")[0]
                at += len(whole) + 1 if whole else 0
                for line in dict.fromkeys(whole.decode(errors="replace").split("\n")):
                    name, _, key = line.partition(" ")
                    if key and name != self._name:
                        bus.wake(key)

    async def _tell(self, outgoing: asyncio.Queue[str], file: int) -> None:
        while True:
            _append(file, self._name, await outgoing.get())


class PostgresRelay:
    """LISTEN/NOTIFY on two connections of its own: one that waits, one that tells."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def run(self, bus: Bus) -> None:
        while True:
            bus.outgoing = asyncio.Queue()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._hear(bus))
                    group.create_task(self._tell(bus.outgoing))
            except* psycopg.Error as errors:
                log.warning("news_relay_interrupted", reason=str(errors.exceptions[0])[:300])
            finally:
                bus.outgoing = None
            bus.wake()  # what was told while we were deaf
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, bus: Bus) -> None:
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            async for notice in connection.notifies():
                bus.wake(notice.payload)

    async def _tell(self, outgoing: asyncio.Queue[str]) -> None:
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            while True:
                await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, await outgoing.get()))


def _file_of(engine: Engine) -> Path:
    return Path(f"{engine.url.database}-news")


@contextlib.contextmanager
def _appending(path: Path) -> Iterator[int]:
    """The file, open for reading and appending; made where there is none."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _append(file: int, name: str, key: str) -> None:
    """One line in one write, which no other process's write parts."""
    if os.fstat(file).st_size > LONGEST_FILE:
        os.ftruncate(file, 0)
    os.write(file, f"{name} {key}\n".encode())
