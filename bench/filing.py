"""Many citizens file over HTTP while the gateway is killed (SIGKILL) again and again; on SQLite and PostgreSQL.

Whoever gets no answer asks again with the same ``Idempotency-Key``, as any client should. At the end every number that
was acknowledged must be stored exactly once, with its event, its audit entry and its message for others, and nothing
else: neither a second filing of the same request nor one that nobody asked for.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from bench.homes import wenban
from bench.measuring import summary
from bot.clock import SystemClock
from bot.complaints.service import FILED_TOPIC
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.settings import Settings
from bot.store import Store, make_engine
from bot.store.audit import AuditRow, first_break
from bot.store.migrate import upgrade
from bot.store.outbox import OutboxMessage
from channels.console.preparation import SAMPLE_CITY
from channels.console.processes import children
from channels.console.service import alive, private

STARTUP = 120.0
PAUSE = 0.1
"""Seconds before a request that got no answer is sent again."""
PATIENCE = 30.0
"""Seconds a citizen waits for an answer."""
MOST_AGAIN = 50
HAPPENED = (
    "路灯不亮",
    "井盖松动",
    "水管漏水",
    "夜里施工",
    "垃圾没有清运",
    "占道经营",
    "公交车不停站",
    "树枝挡住信号灯",
)
ROADS = ("人民路", "解放路", "建设街", "中山路", "学府街", "滨河路", "文化路", "东环路")


@dataclass
class Counted:
    """What the citizens saw."""

    acknowledged: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Number and request by key."""
    told_otherwise: int = 0
    """Requests that were told another number when they were sent once more after their answer."""
    repeated: int = 0
    """Acknowledged as filed before: the answer to the first request was lost with the process."""
    unanswered: int = 0
    """Requests that got no answer and were sent again."""
    refused: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds from the first request to the number, restarts included."""
    answers: list[float] = field(default_factory=list)
    """Seconds of each request that was answered."""


class Filers:
    """The citizens, the gateway they talk to, and who kills it."""

    def __init__(self, settings: Settings, citizens: int, seconds: float, kills: int, seed: int = 1) -> None:
        self._settings = private(settings)
        self._citizens = citizens
        self._seconds = seconds
        self._kills = kills
        self._draw = random.Random(seed)
        self._counted = Counted()
        self._gateway: subprocess.Popen[bytes] | None = None
        self._killed = 0
        self._serial = itertools.count(1)

    async def run(self) -> tuple[Counted, float]:
        """What was seen, and for how many seconds they filed: the kills may take longer than was asked for."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=self._citizens)
        async with httpx.AsyncClient(
            base_url=self._settings.address, timeout=PATIENCE, trust_env=False, limits=limits
        ) as client:
            await self._start()
            try:
                begun = time.monotonic()
                async with asyncio.TaskGroup() as group:
                    for _ in range(self._citizens):
                        group.create_task(self._citizen(client, begun + self._seconds))
                    group.create_task(self._killer())
                elapsed = time.monotonic() - begun
                seen = replace(self._counted, answers=[*self._counted.answers])
                await self._again(client)
            finally:
                self._stop()
        return replace(seen, told_otherwise=self._counted.told_otherwise), elapsed

    async def _citizen(self, client: httpx.AsyncClient, until: float) -> None:
        while time.monotonic() < until or self._killed < self._kills:
            key, body = uuid.uuid4().hex, self._complaint()
            begun = time.monotonic()
            number = await self._filed(client, key, body)
            self._counted.waits.append(time.monotonic() - begun)
            self._counted.acknowledged[key] = number, body

    async def _filed(self, client: httpx.AsyncClient, key: str, body: dict[str, Any]) -> str:
        while True:
            begun = time.monotonic()
            try:
                answer = await client.post("/api/v1/complaints", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self._counted.unanswered += 1
            else:
                if answer.is_success:
                    self._counted.answers.append(time.monotonic() - begun)
                    self._counted.repeated += answer.status_code == 200
                    return str(answer.json()["number"])
                self._counted.refused[answer.status_code] += 1
            await asyncio.sleep(PAUSE)

    def _complaint(self) -> dict[str, Any]:
        road, what = self._draw.choice(ROADS), self._draw.choice(HAPPENED)
        place = f"{road}{self._draw.randrange(1, 400)}号"
        return {
            "text": f"{place}门口{what}，已经第{next(self._serial)}次反映了，请尽快处理",
            "kind": self._draw.choice(("投诉", "求助")),
            "location": place,
            "contact": f"139{self._draw.randrange(10**8):08}",
        }

    async def _killer(self) -> None:
        """Kills at even intervals, each time a gateway that has filed something."""
        for _ in range(self._kills):
            seen = len(self._counted.acknowledged)
            await asyncio.sleep(self._seconds / (self._kills + 1))
            while len(self._counted.acknowledged) == seen:
                await asyncio.sleep(PAUSE)
            assert self._gateway is not None
            self._gateway.send_signal(signal.SIGKILL)
            self._gateway.wait()
            self._killed += 1
            await self._start()

    async def _again(self, client: httpx.AsyncClient) -> None:
        """Some of the requests once more: each is told its number."""
        known = list(self._counted.acknowledged.items())
        for key, (number, body) in self._draw.sample(known, min(MOST_AGAIN, len(known))):
            self._counted.told_otherwise += await self._filed(client, key, body) != number

    async def _start(self) -> None:
        [gateway] = children(self._settings, None, worker=False)
        self._gateway = subprocess.Popen(
            gateway.command,
            cwd=gateway.directory,
            env={**os.environ, **gateway.environment, "WENBAN_LOG_LEVEL": "ERROR"},
            stdout=subprocess.DEVNULL,
        )
        async with asyncio.timeout(STARTUP):
            while not await alive(self._settings.address):
                if self._gateway.poll() is not None:
                    raise RuntimeError(f"the gateway ended with {self._gateway.returncode}")
                await asyncio.sleep(PAUSE)

    def _stop(self) -> None:
        if self._gateway is not None and self._gateway.poll() is None:
            self._gateway.terminate()
            self._gateway.wait()


def measure(
    settings: Settings, *, citizens: int, seconds: float, kills: int, powers: Path = SAMPLE_CITY / "powers.jsonl"
) -> dict[str, Any]:
    """What was acknowledged and what is stored, in the database of ``settings``, which is to be empty."""
    prepare(settings, powers)
    counted, elapsed = asyncio.run(Filers(settings, citizens, seconds, kills).run())
    return {
        "citizens": citizens,
        "seconds": round(elapsed, 1),
        "kills": kills,
        "acknowledged": len(counted.acknowledged),
        "repeated": counted.repeated,
        "unanswered": counted.unanswered,
        "refused": dict(counted.refused),
        "told_otherwise": counted.told_otherwise,
        **stored(settings, [number for number, _ in counted.acknowledged.values()]),
        "answer_ms": summary(counted.answers),
        "until_number_ms": summary(counted.waits),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def prepare(settings: Settings, powers: Path) -> None:
    """The tables, and a list of powers with its vectors, so that each complaint is decided as in earnest."""
    engine = make_engine(settings)
    try:
        upgrade(engine)
    finally:
        engine.dispose()
    wenban(settings, "import", "powers", str(powers), "--json")
    judged = settings.home / "judged.jsonl"
    judged.write_text(json.dumps({"text": "路灯不亮了", "kind": "求助"}) + "\n", "utf-8")
    wenban(settings, "eval", "complaints", str(judged))  # encodes the list once; a gateway that is killed would not


def stored(settings: Settings, acknowledged: Sequence[str]) -> dict[str, Any]:
    """Acknowledged numbers that are missing or twice there, and stored ones that nobody was told; whether whole."""
    engine = make_engine(settings)
    try:
        with Store(engine, SystemClock()).read() as session:
            stored = Counter(session.scalars(select(ComplaintRow.number)))
            first = select(ComplaintRow.number).join(ComplaintEventRow).where(ComplaintEventRow.number == 1)
            told = select(OutboxMessage.key).where(OutboxMessage.topic == FILED_TOPIC)
            audited = select(func.substr(AuditRow.subject, len("complaint:") + 1))
            parts = (first, told, audited.where(AuditRow.action == "complaint.file"))
            incomplete = sum(Counter(session.scalars(part)) != stored for part in parts)
            broken = first_break(session) is not None
    finally:
        engine.dispose()
    return {
        "stored": stored.total(),
        "missing": len(set(acknowledged) - stored.keys()),
        "doubled": sum(count > 1 for count in Counter(acknowledged).values()),
        "unasked": len(stored.keys() - set(acknowledged)),
        "incomplete": incomplete,
        "audit_broken": broken,
    }
