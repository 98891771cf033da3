"""A real gateway for tests: the sample city's guides, uvicorn on a free port, no Rasa unless a test brings one."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from bot.clock import ZONE, Clock, FixedClock
from bot.complaints.categories import CATEGORIES
from bot.matters.service import MatterService
from bot.settings import Settings, load_settings
from bot.store import Store, make_engine
from bot.store.migrate import upgrade
from channels.app import create_app
from channels.server import Server, configuration
from channels.wiring import Services
from index.encoder import Encoder

CATALOGUE = Path(__file__).resolve().parents[1] / "catalogue" / "guides.jsonl"
WANTED = ("居民身份证", "居住证", "结婚登记", "护照", "个体工商户", "公积金", "老年", "残疾人证", "不动产")
NOWHERE = "http://127.0.0.1:9"
"""Where nothing listens: Rasa is down."""


def sunday() -> FixedClock:
    """Sunday, 22 November 2026, ten in the morning."""
    return FixedClock(datetime(2026, 11, 22, 10, 0, tzinfo=ZONE))


def sample_guides() -> list[dict[str, Any]]:
    """Some thirty guides of the sample city, siblings among them."""
    rows = [json.loads(line) for line in CATALOGUE.read_text("utf-8").splitlines()]
    return [row for wanted in WANTED for row in [row for row in rows if wanted in row["name"]][:4]]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def publish_units(home: Path, units: Collection[str], encoder: Encoder, clock: Clock) -> None:
    """Two categories of complaints, and the sample powers of ``units``, in a home that has the tables."""
    categories = [{"name": "公用事业", "children": [{"name": "供水供电"}, {"name": "路灯"}]}]
    (home / CATEGORIES.file).write_text(json.dumps(categories), "utf-8")
    rows = map(json.loads, (CATALOGUE.parent / "powers.jsonl").read_text("utf-8").splitlines())
    file = write_rows(home / "powers.jsonl", [row for row in rows if row["department"] in units])
    engine = make_engine(settings_for(home))
    MatterService(Store(engine, clock), clock, home / "index", lambda: encoder).import_powers(file)
    engine.dispose()


def publish(home: Path, rows: list[dict[str, Any]], encoder: Encoder) -> str:
    """Import ``rows`` into the home as another process would; returns the new version."""
    engine = make_engine(f"sqlite:///{home / 'wenban.db'}")
    try:
        upgrade(engine)
        matters = MatterService(Store(engine, sunday()), sunday(), home / "index", lambda: encoder)
        matters.import_guides(write_rows(home / "import.jsonl", rows))
        version = matters.current_version()
        assert version is not None
        return version
    finally:
        engine.dispose()


def copied(template: Path, home: Path) -> Path:
    """A home of its own with the same catalogue."""
    shutil.copytree(template, home)
    return home


def settings_for(home: Path, **overrides: Any) -> Settings:
    return load_settings(**{"home": home, "port": 0, "rasa_url": NOWHERE, "rate_limit": "off", **overrides})


class _Announced(Server):
    """Says when it is ready to be asked."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config, application)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass
class Gateway:
    """A running gateway; ``home`` is its own."""

    url: str
    home: Path
    app: FastAPI
    server: Server

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, trust_env=False, **options)

    def say(self, text: str, conversation: str | None = None, **more: Any) -> dict[str, Any]:
        """One turn through the API."""
        body = {"text": text, **({"conversation_id": conversation} if conversation else {}), **more}
        with self.client() as client:
            response = client.post("/api/v1/chat", json=body)
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()
        return reply


@contextlib.contextmanager
def running(settings: Settings, encoder: Encoder, clock: Clock | None = None) -> Iterator[Gateway]:
    """The gateway over ``settings``, in a thread, until the body ends."""
    application = create_app(settings, clock or sunday(), encoder)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", settings.port))
        server = _Announced(configuration(application, settings), application)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.ready.wait(60), "the gateway did not start"
            yield Gateway(f"http://127.0.0.1:{listening.getsockname()[1]}", settings.home, application, server)
        finally:
            server.close_streams()
            server.should_exit = True
            thread.join(30)
