"""A real gateway with a real stand-in of the platform beside it, both over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from fastapi import FastAPI

from bot.clock import SystemClock
from channels.wechat.account import Account
from channels.wechat.simulator.app import create_standin
from channels.wechat.simulator.platform import Citizen, Line, Platform
from channels.wechat.simulator.posting import Outcome, Poster
from index.encoder import Encoder
from tests.gateway import Gateway, copied, running, settings_for

T = TypeVar("T")
PATIENCE = 30.0
APP_ID = "wx0123456789abcdef"
TOKEN = "a-token-of-tests"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFA"
SECRET = "the-secret-of-tests"


def account_at(base: str) -> Account:
    return Account(TOKEN, APP_ID, (KEY,), SECRET, base)


class Standin:
    """The stand-in in a thread; ``platform`` belongs to its loop: use :meth:`run`."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.account = account_at(self.base)
        self.platform: Platform = None  # type: ignore[assignment]  # set by serving
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def serving(self, url: str) -> Iterator[Standin]:
        """Serves, posting to ``url``, until the body ends."""
        ready = threading.Event()
        holder: list[uvicorn.Server] = []

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self.platform = Platform(self.account, Poster(url, self.account))
            server = uvicorn.Server(
                uvicorn.Config(
                    _announced(create_standin(self.platform, city="云山市"), ready),
                    port=self.port,
                    log_level="error",
                    timeout_graceful_shutdown=1,
                )
            )
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            holder.append(server)
            await server.serve()

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            assert ready.wait(30), "the stand-in did not start"
            yield self
        finally:
            holder[0].should_exit = True
            thread.join(30)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def text(self, openid: str, text: str) -> Outcome:
        return self.run(self.platform.say(openid, "text", {"Content": text}, text))

    def say(self, openid: str, kind: str, **fields: str) -> Outcome:
        return self.run(self.platform.say(openid, kind, fields, kind))

    def event(self, openid: str, event: str, key: str = "") -> Outcome:
        return self.run(self.platform.event(openid, event, {"EventKey": key}, event))

    def citizen(self, openid: str) -> Citizen:
        return self.platform.citizens[openid]

    def lines(self, openid: str) -> list[Line]:
        return [line for line in self.citizen(openid).lines if line.side == "account"]


def _announced(app: FastAPI, ready: threading.Event) -> FastAPI:
    before = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> Any:
        async with before(app):
            asyncio.get_running_loop().call_later(0.1, ready.set)
            yield

    app.router.lifespan_context = lifespan
    return app


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@dataclass
class Town:
    """A gateway and the platform beside it."""

    gateway: Gateway
    standin: Standin


@contextlib.contextmanager
def town_of(home: Path, encoder: Encoder, **overrides: Any) -> Iterator[Town]:
    standin = Standin()
    settings = settings_for(
        home,
        wechat_token=TOKEN,
        wechat_aes_key=KEY,
        wechat_aes_key_previous=OLD_KEY,
        wechat_app_id=APP_ID,
        wechat_secret=SECRET,
        wechat_api_base=standin.base,
        **overrides,
    )
    with running(settings, encoder, SystemClock()) as gateway, standin.serving(f"{gateway.url}/wechat"):
        yield Town(gateway, standin)


@pytest.fixture(scope="module")
def town(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Town]:
    with town_of(copied(city, tmp_path_factory.mktemp("town") / "home"), encoder) as started:
        yield started
