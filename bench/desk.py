"""The operators' desk under load: two gateway workers over one database, every operator's stream open.

Conversations are open (half with a person, half waiting, as the limit of parallel ones has it), citizens write through
one worker and operators answer through the other. Measured is what people feel: from sending a word until it is on the
other's screen — the citizen's event stream, or the operator's thread drawn anew after his stream said that it changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import psutil

from bench.measuring import memory, summary
from bot.clock import SystemClock
from bot.conversations.model import Focus, Reply
from bot.conversations.service import ConversationService
from bot.conversations.tables import ConversationRow
from bot.handoff.model import Kind, Reason
from bot.handoff.tables import HandoffRow
from bot.people.model import Account, Role
from bot.people.passwords import digest
from bot.people.service import PeopleService
from bot.people.tables import AccountRow, SignInRow
from bot.settings import Settings
from bot.store import Store
from bot.store.engine import make_engine
from bot.store.migrate import upgrade
from channels.console.service import private, started
from channels.web.staff import COOKIE

PASSWORD = "for-the-benchmark-only"
HELD = 5
"""Conversations an operator has."""
QUIET = 3.0
"""Seconds without a drawing after which all desks count as open."""
PATIENCE = 20.0
"""Seconds after which a word counts as lost."""
REPLY = Reply("answered", ({"kind": "text", "text": "请带身份证。"},), confidence=0.9)


@dataclass
class Screen:
    """One browser: what is on it, and what wakes whoever waits for a text to appear."""

    drawn: float = 0.0
    """When a part of it was drawn last, by the monotonic clock."""
    texts: set[str] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, text: str) -> None:
        self.texts.add(text)
        self.news.set()

    async def until(self, text: str) -> None:
        """Waits for ``text``; raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.texts:
                self.news.clear()
                await self.news.wait()


@dataclass(frozen=True)
class Operator:
    account: Account
    cookie: str
    held: Sequence[tuple[str, int]]
    """Conversation and number of its call."""


def measure(settings: Settings, *, conversations: int, operators: int, words: int, rate: float) -> dict[str, Any]:
    """Milliseconds from sending to screen, both ways, and what was lost, doubled or out of order.

    ``words`` each way, ``rate`` a second each way.
    """
    seeded = _seeded(settings, conversations, operators)
    return asyncio.run(_measure(settings, seeded, conversations, words, rate))


def _seeded(settings: Settings, conversations: int, operators: int) -> list[Operator]:
    """The database with everything open; returns the operators, signed in."""
    engine = make_engine(settings)
    try:
        upgrade(engine)
        clock = SystemClock()
        store = Store(engine, clock)
        people, said = PeopleService(store, clock), ConversationService(store, clock, settings)
        first = people.create("bench-0", PASSWORD, Role.OPERATOR)
        accounts = [first, *(_copied(store, first, number) for number in range(1, operators))]
        ids = []
        for number in range(conversations):
            turn = said.begin(None, None, f"第 {number} 位市民的问题", "web")
            said.finish(turn, REPLY, Focus())
            ids.append(turn.conversation_id)
        held = min(conversations, HELD * operators)
        made: dict[int, list[tuple[str, int]]] = {account.id: [] for account in accounts}
        cookies = {account.id: secrets.token_urlsafe(32) for account in accounts}
        now = clock.now()
        with store.write() as work:
            for number, conversation_id in enumerate(ids):
                account = accounts[number % operators] if number < held else None
                row = HandoffRow(
                    conversation_id=conversation_id,
                    kind=Kind.LIVE,
                    state="person" if account else "waiting",
                    reason=Reason.ASKED,
                    queue="general",
                    text="转人工",
                    operator_id=account.id if account else None,
                    asked_at=now,
                    taken_at=now if account else None,
                )
                work.session.add(row)
                work.session.flush()
                conversation = work.session.get_one(ConversationRow, conversation_id)
                conversation.holder = row.state
                if account is not None:
                    made[account.id].append((conversation_id, row.id))
            for account in accounts:
                token = cookies[account.id]
                work.session.add(SignInRow(digest=digest(token), account_id=account.id, created_at=now, seen_at=now))
        return [Operator(account, cookies[account.id], made[account.id]) for account in accounts]
    finally:
        engine.dispose()


def _copied(store: Store, account: Account, number: int) -> Account:
    """Another account with the same password's digest: a hundred slow digests would measure nothing."""
    with store.write() as work:
        like = work.session.get_one(AccountRow, account.id)
        row = AccountRow(
            username=f"bench-{number}",
            display_name=f"坐席{number}",
            role=like.role,
            password_hash=like.password_hash,
            created_at=like.created_at,
        )
        work.session.add(row)
        work.session.flush()
        return Account(row.id, row.username, row.display_name, Role.OPERATOR, None, True, row.created_at)


async def _measure(
    settings: Settings, operators: list[Operator], conversations: int, words: int, rate: float
) -> dict[str, Any]:
    async with contextlib.AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(started(private(settings), None)) for _ in range(2)]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=256)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False, limits=limits))
        async with asyncio.TaskGroup() as group:
            desks: list[Screen] = []
            citizens: list[Screen] = []
            watching = []
            for number, operator in enumerate(operators):
                own, other = workers[number % 2].url, workers[(number + 1) % 2].url
                desk, citizen = Screen(), Screen()
                desks.append(desk)
                citizens.append(citizen)
                watching.append(group.create_task(_desk(client, own, operator, desk)))
                watching.append(group.create_task(_citizen(client, other, operator.held[0][0], citizen)))
            for screen in desks:
                async with asyncio.timeout(120):
                    while not screen.texts:
                        screen.news.clear()
                        await screen.news.wait()
            # A hundred people do not open their desks in the second in which they are measured.
            async with asyncio.timeout(120):
                while time.monotonic() - max(screen.drawn for screen in desks) < QUIET:
                    await asyncio.sleep(QUIET / 10)
            ids = [worker.process_ids()["gateway"] for worker in workers]
            spent = _processor_seconds(ids)
            begun = time.perf_counter()
            to_desk = await _paced(words, rate, lambda n: _to_desk(client, workers, operators, desks, n))
            to_citizen = await _paced(words, rate, lambda n: _to_citizen(client, workers, operators, citizens, n))
            elapsed = time.perf_counter() - begun
            spent = _processor_seconds(ids) - spent
            held = memory({f"gateway-{n}": worker.process_ids()["gateway"] for n, worker in enumerate(workers)})
            for task in watching:
                task.cancel()
        numbers = [screen.numbers for screen in citizens]
        return {
            "conversations": conversations,
            "operators": len(operators),
            "streams": 2 * len(operators),
            "rate": rate,
            "to_desk_ms": summary([took for took in to_desk if took is not None]),
            "to_citizen_ms": summary([took for took in to_citizen if took is not None]),
            "lost": sum(took is None for took in (*to_desk, *to_citizen)),
            "doubled": sum(len(seen) - len(set(seen)) for seen in numbers),
            "out_of_order": sum(seen != sorted(seen) for seen in numbers),
            "elapsed_s": round(elapsed, 1),
            "gateways_cpu_s": round(spent, 1),
            "memory_mb": held,
            "load_average": [round(value, 2) for value in os.getloadavg()],
        }


def _processor_seconds(ids: Sequence[int]) -> float:
    """Processor time that the processes have used so far."""
    return sum(sum(psutil.Process(each).cpu_times()[:2]) for each in ids)


async def _paced(count: int, rate: float, send: Any) -> list[float | None]:
    """``count`` sendings, ``rate`` a second whatever each takes, as people do not wait for each other."""
    tasks = []
    begun = time.perf_counter()
    for number in range(count):
        wait = begun + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(send(number)))
    return list(await asyncio.gather(*tasks))


async def _to_desk(
    client: httpx.AsyncClient, workers: Any, operators: list[Operator], desks: list[Screen], number: int
) -> float | None:
    at = number % len(operators)
    text = f"市民的话 {number} {random.randrange(10**9)}"
    body = {"text": text, "conversation_id": operators[at].held[0][0], "client_message_id": secrets.token_hex(16)}
    begun = time.perf_counter()
    sent = client.post(f"{workers[(at + 1) % 2].url}/api/v1/chat", json=body)
    return await _until_shown(sent, desks[at], text, begun)


async def _to_citizen(
    client: httpx.AsyncClient, workers: Any, operators: list[Operator], citizens: list[Screen], number: int
) -> float | None:
    at = number % len(operators)
    operator = operators[at]
    text = f"坐席的话 {number} {random.randrange(10**9)}"
    conversation, call = operator.held[0]
    form = {"handoff": str(call), "conversation": conversation, "text": text, "reply_id": secrets.token_hex(8)}
    begun = time.perf_counter()
    sent = client.post(
        f"{workers[at % 2].url}/desk/reply", data={**form, "token": _token(operator)}, headers=_headers(operator)
    )
    return await _until_shown(sent, citizens[at], text, begun)


async def _until_shown(sent: Any, screen: Screen, text: str, begun: float) -> float | None:
    try:
        answered, _ = await asyncio.gather(sent, screen.until(text))
    except (TimeoutError, httpx.HTTPError):
        return None
    return time.perf_counter() - begun if answered.status_code < 400 else None


async def _desk(client: httpx.AsyncClient, url: str, operator: Operator, screen: Screen) -> None:
    """What the page does: it asks for the part that the stream says has changed, whatever the others take."""
    conversation = operator.held[0][0]
    again = {part: asyncio.Event() for part in ("thread", "mine", "queue")}

    async def draw(part: str) -> None:
        while True:
            await again[part].wait()
            again[part].clear()
            address = f"{url}/desk/{part}"
            drawn = await client.get(address, params={"conversation": conversation}, headers=_headers(operator))
            screen.drawn = time.monotonic()
            if part == "thread":
                for line in drawn.text.split("<p>"):
                    screen.show(line.partition("</p>")[0])

    async with asyncio.TaskGroup() as group:
        for part in again:
            group.create_task(draw(part))
        async for event, _ in _events(client, f"{url}/desk/events?conversation={conversation}", _headers(operator)):
            if event in again:
                again[event].set()


async def _citizen(client: httpx.AsyncClient, url: str, conversation: str, screen: Screen) -> None:
    headers = {"Accept": "text/event-stream"}
    async for _, data in _events(client, f"{url}/api/v1/conversations/{conversation}/events", headers):
        if "number" in data:
            screen.numbers.append(data["number"])
            for message in data["payload"].get("messages", ()):
                screen.show(message.get("text", ""))


async def _events(
    client: httpx.AsyncClient, url: str, headers: dict[str, str]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async with client.stream("GET", url, headers=headers, timeout=None) as stream:
        event = ""
        async for line in stream.aiter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                yield event, orjson.loads(line.removeprefix("data:"))
                event = ""


def _headers(operator: Operator) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={operator.cookie}", "Accept": "text/html", "HX-Request": "true"}


def _token(operator: Operator) -> str:
    return hashlib.sha256(b"form\0" + operator.cookie.encode()).hexdigest()
