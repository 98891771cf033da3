"""Posts made beforehand and pumped through open connections: what is measured is the server, not the one who posts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from bench.measuring import summary
from channels.wechat.account import Account
from channels.wechat.simulator.platform import ACCOUNT_NAME
from channels.wechat.simulator.posting import Poster, message_xml

CONNECTIONS = 50
FIRST_ID = 10**9

Post = tuple[str, bytes]
"""A query string and a body."""


def posts(account: Account, mode: str, number: int) -> list[Post]:
    """``number`` different messages of a thousand citizens, signed for now."""
    poster = Poster("", account, mode=mode)
    made = []
    for place in range(number):
        message_id = FIRST_ID + time.time_ns() // 1000 % 10**12 + place
        text = {"Content": f"第{place}句"}
        xml = message_xml("text", f"o{place % 1000}", ACCOUNT_NAME, text, message_id=message_id)
        query, body = poster.wrapped(xml)
        made.append((urlencode(query), body))
    return made


class Connection:
    """One connection to a server on this machine, opened again when it has ended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError and EOFError."""
        if self._ends is None:
            self._ends = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._ends
        head = f"POST {path}?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
        try:
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answered = await reader.readuntil(b"\r\n\r\n")
            return int(answered[9:12]), await reader.readexactly(_length(answered))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


class LightPoster(Poster):
    """Posts as the platform with few instructions, so that a driver of hundreds is not what is measured."""

    def __init__(self, url: str, account: Account) -> None:
        super().__init__(url, account)
        parsed = urlsplit(url)
        self._path, self._port = parsed.path, parsed.port or 80
        self._idle: list[Connection] = []

    async def post(self, xml: str) -> httpx.Response:
        query, body = self.wrapped(xml)
        connection = self._idle.pop() if self._idle else Connection(self._port)
        try:
            status, answer = await connection.post(self._path, urlencode(query), body)
        except (OSError, EOFError) as error:
            raise httpx.ReadError(str(error)) from None
        self._idle.append(connection)
        return httpx.Response(status, content=answer)

    async def close(self) -> None:
        await super().close()
        for connection in self._idle:
            connection.close()


class Pump:
    """Posts to one path of a server on this machine."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path

    async def run(self, made: Sequence[Post]) -> dict[str, Any]:
        """Posts all; posts a second, latencies, posts that were not answered with a reply."""
        waiting = iter(made)
        took: list[float] = []
        failures = 0

        async def connection() -> None:
            nonlocal failures
            own = Connection(self._port)
            for query, body in waiting:
                started = time.perf_counter()
                status, answer = await own.post(self._path, query, body)
                took.append(time.perf_counter() - started)
                failures += status != httpx.codes.OK or b"<xml>" not in answer
            own.close()

        started = time.perf_counter()
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
        elapsed = time.perf_counter() - started
        return {"per_second": round(len(made) / elapsed, 1), "failures": failures, **summary(took)}


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    raise ValueError("an answer without a length")
