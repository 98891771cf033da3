"""Two gateway processes over one database, killed in turn: nothing said is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import Engine

from bot.clock import SystemClock
from bot.people.model import Role
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store import Store
from bot.store.engine import make_engine
from bot.store.migrate import upgrade
from channels.console.service import POLL, Running, private, started
from channels.web.staff import COOKIE
from tests.gateway import settings_for

PASSWORD = "correct-horse-battery"
WORDS = 24
PATIENCE = 180.0
"""Seconds for everything to arrive, restarts included, on a busy machine."""
Send = Callable[[], Awaitable[httpx.Response]]


class Citizen:
    """Follows the log as the page does: reopens the stream after the last event it has seen."""

    def __init__(self, client: httpx.AsyncClient, url: str, conversation: str) -> None:
        self.address = f"{url}/api/v1/conversations/{conversation}/events"
        self.client = client
        self.numbers: list[int] = []
        self.heard: list[str] = []

    async def follow(self) -> None:
        while True:
            headers = {"Accept": "text/event-stream"}
            if self.numbers:
                headers["Last-Event-ID"] = str(self.numbers[-1])
            try:
                async with self.client.stream("GET", self.address, headers=headers, timeout=None) as stream:
                    async for line in stream.aiter_lines():
                        self._take(line)
            except httpx.TransportError:
                pass
            await asyncio.sleep(POLL)  # the gateway starts again

    def _take(self, line: str) -> None:
        event = orjson.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
        if "number" in event:
            self.numbers.append(event["number"])
            if event["kind"] == "person":
                self.heard.append(event["payload"]["messages"][0]["text"])


async def until(send: Send) -> httpx.Response:
    """Sends again until the gateway is there: as the pages do, under the same identifier."""
    while True:
        try:
            response = await send()
            if response.status_code < 500:
                return response
        except httpx.TransportError:
            pass
        await asyncio.sleep(POLL)


async def talk(
    client: httpx.AsyncClient, gateways: list[Running], token: str, citizen_url: str, desk_url: str
) -> tuple[Citizen, str, list[str], list[str]]:
    """Both talk at once, while each gateway is killed once. What the citizen saw, the desk's thread, what was said."""
    desk = {"Cookie": f"{COOKIE}={token}", "Accept": "text/html"}
    form = {"token": hashlib.sha256(b"form\0" + token.encode()).hexdigest()}
    first = {"text": "我想养一只大熊猫", "client_message_id": "m-first-0123456789"}
    opened = await until(lambda: client.post(f"{citizen_url}/api/v1/chat", json=first))
    conversation = opened.json()["conversation_id"]
    stepped = {**form, "conversation": conversation}
    assert (await client.post(f"{desk_url}/desk/step-in", data=stepped, headers=desk)).status_code == 303
    page = (await client.get(f"{desk_url}/desk?conversation={conversation}", headers=desk)).text
    handoff = re.findall(r'name="handoff" value="(\d+)"', page)[0]
    citizen = Citizen(client, citizen_url, conversation)
    following = asyncio.create_task(citizen.follow())
    asked, answered = [f"市民的第 {n} 句" for n in range(WORDS)], [f"坐席的第 {n} 句" for n in range(WORDS)]

    async def ask() -> None:
        for number, text in enumerate(asked):
            if number == WORDS // 3:
                os.kill(gateways[0].process_ids()["gateway"], signal.SIGKILL)
            body = {"text": text, "conversation_id": conversation, "client_message_id": f"m-{number}-0123456789"}
            response = await until(lambda body=body: client.post(f"{citizen_url}/api/v1/chat", json=body))  # type: ignore[misc]
            assert response.status_code == 200, response.text

    async def answer() -> None:
        for number, text in enumerate(answered):
            if number == 2 * WORDS // 3:
                os.kill(gateways[1].process_ids()["gateway"], signal.SIGKILL)
            data = {**form, "handoff": handoff, "conversation": conversation, "text": text, "reply_id": f"r-{number}"}
            response = await until(lambda data=data: client.post(f"{desk_url}/desk/reply", data=data, headers=desk))  # type: ignore[misc]
            assert response.status_code == 303, response.text

    try:
        await asyncio.gather(ask(), answer())
        while len(citizen.heard) < WORDS:
            await asyncio.sleep(POLL)
    finally:
        following.cancel()
    thread = await until(lambda: client.get(f"{desk_url}/desk/thread?conversation={conversation}", headers=desk))
    return citizen, thread.text, asked, answered


async def everything(settings: Settings, token: str) -> tuple[Citizen, str, list[str], list[str]]:
    async with (
        started(private(settings), None) as one,
        started(private(settings), None) as other,
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
        asyncio.timeout(PATIENCE),
    ):
        return await talk(client, [one, other], token, one.url, other.url)


def checked(found: tuple[Citizen, str, list[str], list[str]]) -> None:
    citizen, thread, asked, answered = found
    assert citizen.heard == answered  # each once, in order
    assert citizen.numbers == list(range(1, len(citizen.numbers) + 1))
    shown: list[Any] = re.findall(r"<p>((?:市民|坐席)的第 \d+ 句)</p>", thread)
    assert [text for text in shown if text.startswith("市民")] == asked
    assert [text for text in shown if text.startswith("坐席")] == answered


def operators_token(settings: Settings) -> str:
    """A database with an operator who is signed in."""
    engine = make_engine(settings)
    try:
        upgrade(engine)
        people = PeopleService(Store(engine, SystemClock()), SystemClock())
        people.create("min", PASSWORD, Role.OPERATOR, display_name="王敏")
        return people.login("min", PASSWORD)[0]
    finally:
        engine.dispose()


def test_two_gateways_killed_in_turn_lose_and_double_nothing(home: Path, any_empty_engine: Engine) -> None:
    url = any_empty_engine.url.render_as_string(hide_password=False)  # on SQLite the home's own file
    settings = settings_for(home, database_url=url)
    token = operators_token(settings)
    checked(asyncio.run(everything(settings, token)))
