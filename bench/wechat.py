"""The WeChat channel as the platform would load it, and how many posts a second it takes beside WeRoBot.

The driver: so many citizens at once, each waiting for its answer before the next word; every message is posted three
times; answers take up to a little over the limit; the server is killed (SIGKILL) in mid-work and started again.
Counted: messages lost, answered twice, posts answered later than five seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from bench.measuring import summary
from bench.posting import LightPoster, Pump, posts
from bot.settings import Settings, load_settings
from bot.wechat.model import Message, opened
from channels.console import ports
from channels.console.processes import ROOT
from channels.wechat.account import Account, demo_account
from channels.wechat.simulator.app import create_standin
from channels.wechat.simulator.platform import ACCOUNT_NAME, Platform
from channels.wechat.simulator.posting import Outcome, message_xml

SLOWEST = 5.2
"""Seconds the slowest answer takes: one in six is not ready at the limit of 4.3."""
LIMIT = 5.0
DRAIN = 90.0
"""Seconds to wait at the end for answers of messages that a kill has interrupted."""
RIVAL = "WeRoBot==1.13.1"
STARTUP = 60.0


@dataclass
class Told:
    """What reached one message's citizen."""

    passive: set[str] = field(default_factory=set)
    service: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    failed: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def answers(self) -> int:
        """Replies (all posts of a message show one) and messages."""
        return len(self.passive) + sum(self.service.values())


class Driver:
    """The platform with its citizens; ``told`` by text, which no two messages share."""

    def __init__(self, folder: Path, citizens: int, seconds: float, seed: int) -> None:
        self.folder = folder
        self.citizens = citizens
        self.seconds = seconds
        self.draw = random.Random(seed)
        self.told: dict[str, Told] = {}
        self.waits: list[float] = []
        self.port, self.api_port = ports.any_free(), ports.any_free()
        self.base = f"http://127.0.0.1:{self.api_port}"
        self.account: Account = demo_account(_settings(folder, self.base))
        self.url = f"http://127.0.0.1:{self.port}/wechat"
        self.server: subprocess.Popen[bytes] | None = None

    async def run(self, kills: int) -> dict[str, Any]:
        """Drives, kills, waits for what is open; the counts."""
        poster = LightPoster(self.url, self.account)
        self.platform = Platform(self.account, poster, self._received)
        async with _serving(self.platform, self.api_port):
            await self.start()
            try:
                until = time.monotonic() + self.seconds
                async with asyncio.TaskGroup() as group:
                    for number in range(self.citizens):
                        group.create_task(self._citizen(f"o{number}", until))
                    group.create_task(self._killer(kills))
                await self._drained()
            finally:
                self.stop()
        return self._counted(kills)

    async def _citizen(self, openid: str, until: float) -> None:
        turn = 0
        await asyncio.sleep(self.draw.random() * 2)
        while time.monotonic() < until:
            turn += 1
            text = f"{openid} 第{turn}句"
            told = self.told[text] = Told()
            fields = {"Content": text}
            message_id = int(openid[1:]) * 1000 + turn + 10**6
            xml = message_xml("text", openid, ACCOUNT_NAME, fields, message_id=message_id)
            citizen = self.platform.citizen(openid)
            citizen.followed = True
            now = datetime.now(UTC)
            citizen.windows = opened(citizen.windows, Message("text", openid, "gh", int(now.timestamp()), "1"), now)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._delivered(xml, told, 0.0))
                group.create_task(self._delivered(xml, told, self.draw.random() * 3))
            await self._delivered(xml, told, 0.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.1, until - time.monotonic())):
                    while not told.answers:
                        told.news.clear()
                        await told.news.wait()

    async def _delivered(self, xml: str, told: Told, after: float) -> None:
        """One delivery, repeated after five seconds where there was no answer, as the platform does."""
        await asyncio.sleep(after)
        outcome: Outcome = await self.platform.poster.deliver(xml)
        told.posts += outcome.posts
        if outcome.fault is not None:
            told.failed += 1
            return
        self.waits.append(outcome.waited)
        if outcome.text is not None:
            told.passive.add(outcome.text)
            told.news.set()

    def _received(self, openid: str, text: str, how: str) -> None:  # noqa: ARG002
        for part in text.split("\n\n"):
            told = self.told.get(part.removeprefix("答：").strip())
            if told is not None:
                told.service[part] += 1
                told.news.set()

    async def _killer(self, kills: int) -> None:
        for _ in range(kills):
            await asyncio.sleep(self.seconds / (kills + 1))
            assert self.server is not None
            self.server.send_signal(signal.SIGKILL)
            self.server.wait()
            await self.start()

    async def _drained(self) -> None:
        give_up = time.monotonic() + DRAIN
        while time.monotonic() < give_up and any(not told.answers for told in self.told.values()):
            await asyncio.sleep(0.5)

    async def start(self) -> None:
        self.server = await _started(self.folder, self.port, self.base, SLOWEST)

    def stop(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            self.server.wait()

    def _counted(self, kills: int) -> dict[str, Any]:
        # A later reply may carry along what could not be sent before: parts are told apart by their texts.
        said: Counter[str] = Counter()
        for told in self.told.values():
            said.update(part for text in told.passive for part in text.split("\n\n"))
            said.update(told.service)
        wanted = {f"答：{text}" for text in self.told}
        return {
            "citizens": self.citizens,
            "seconds": self.seconds,
            "kills": kills,
            "messages": len(self.told),
            "posts": sum(told.posts for told in self.told.values()),
            "by_reply": sum(bool(told.passive) for told in self.told.values()),
            "by_message": sum(bool(told.service) and not told.passive for told in self.told.values()),
            "lost": len(wanted - said.keys()),
            "doubled": sum(said[text] > 1 for text in wanted),
            "deliveries_unanswered": sum(told.failed for told in self.told.values()),
            "later_than_5_s": sum(wait > LIMIT for wait in self.waits),
            "wait_ms": summary(self.waits),
        }


def measure(folder: Path, *, citizens: int, seconds: float, kills: int, number: int) -> dict[str, Any]:
    """The driver's counts, and posts a second of ours and of the rival, plain and encrypted, in turns."""
    shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = {"driver": asyncio.run(Driver(folder / "driver", citizens, seconds, 1).run(kills))}
    found["throughput"] = asyncio.run(_throughput(folder, number))
    return found


async def _throughput(folder: Path, number: int) -> dict[str, Any]:
    settings = _settings(folder / "throughput", "http://127.0.0.1:9")
    account = demo_account(settings)
    rows: dict[str, Any] = {}
    rival = await asyncio.to_thread(_rival, folder / "rival")
    for mode in ("plain", "encrypted"):
        for name, slowest in (("wenban", 0), ("adapter", -1)):
            port = ports.any_free()
            ours = await _started(settings.home, port, "http://127.0.0.1:9", slowest)
            try:
                rows[f"{name}_{mode}"] = await Pump(port, "/wechat").run(posts(account, mode, number))
            finally:
                ours.terminate()
                ours.wait()
        if rival is not None:
            rows[f"werobot_{mode}"] = await _rival_pumped(rival, account, mode, number)
    return rows


def _rival(folder: Path) -> Path | None:
    """The rival's own environment, made anew; None where it cannot be installed."""
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [str(folder / "bin" / "pip"), "install", "--quiet", RIVAL, "cryptography", "waitress", "setuptools<80"],
            check=True,
        )
    except subprocess.CalledProcessError:
        return None
    return folder / "bin" / "python"


async def _rival_pumped(python: Path, account: Account, mode: str, number: int) -> dict[str, Any]:
    port = ports.any_free()
    arguments = [str(port), account.token, account.app_id, account.aes_keys[0] if mode == "encrypted" else ""]
    server = subprocess.Popen([str(python), str(ROOT / "bench" / "werobot_server.py"), *arguments])
    try:
        await _answering(port, server)
        return await Pump(port, "/").run(posts(account, mode, number))
    finally:
        server.terminate()
        server.wait()


async def _started(folder: Path, port: int, base: str, slowest: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bench.wechat_server", str(folder), str(port), base, str(slowest)]
    server = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "WENBAN_LOG_LEVEL": "ERROR"}, stdout=subprocess.DEVNULL
    )
    await _answering(port, server)
    return server


async def _answering(port: int, server: subprocess.Popen[bytes]) -> None:
    """Waits until something listens on ``port``. Raises RuntimeError where its process ends before."""
    async with httpx.AsyncClient(trust_env=False) as client:
        give_up = time.monotonic() + STARTUP
        while time.monotonic() < give_up and server.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                await client.get(f"http://127.0.0.1:{port}/nothing")
                return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}")


@contextlib.asynccontextmanager
async def _serving(platform: Platform, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(create_standin(platform), port=port, log_level="error", access_log=False, backlog=4096)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _settings(folder: Path, base: str) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    return load_settings(home=folder, wechat_api_base=base)
