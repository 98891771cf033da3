"""The pages over many complaints, asked for over HTTP: what a clerk, an operator and a supervisor wait for."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from bench import complaints_data
from bench.complaints_data import UNITS, City
from bench.measuring import summary
from bot.board.keeping import DayKeeper
from bot.board.model import Filter, Measure
from bot.people.model import Role
from bot.people.passwords import digest
from bot.people.service import PeopleService
from bot.people.tables import SignInRow
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import KEY_FILE
from channels.console.service import private, started
from channels.web.staff import COOKIE

PASSWORD = "for-the-benchmark-only"
BUSIEST, QUIETEST = UNITS[0], UNITS[-1]
DEEP = 40
"""Pages that are turned to reach the middle of a list."""


@dataclass(frozen=True)
class Staff:
    """Cookies of those who look, clerks by their unit."""

    supervisor: str
    operator: str
    clerks: Mapping[str, str]


def measure(settings: Settings, store: Store, city: City, turns: int) -> dict[str, Any]:
    """Milliseconds of each page, asked ``turns`` times with other values, so that every one is counted anew."""
    begun = time.perf_counter()
    days = DayKeeper(store).refresh(city.now)
    kept = time.perf_counter() - begun
    with store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE board_days, board_months")  # as the database itself does by and by
    (settings.home / KEY_FILE).write_text(city.key.hex(), "ascii")
    found = asyncio.run(_measure(settings, _signed_in(store), city, turns))
    load = [round(value, 2) for value in os.getloadavg()]
    return {"days": days, "days_seconds": round(kept, 1), "pages_ms": found, "load_average": load}


def _signed_in(store: Store) -> Staff:
    people = PeopleService(store, store.clock)

    def one(name: str, role: Role, unit: str | None = None) -> str:
        account = people.create(name, PASSWORD, role, department=unit)
        token, now = secrets.token_urlsafe(32), store.clock.now()
        with store.write() as work:
            work.session.add(SignInRow(digest=digest(token), account_id=account.id, created_at=now, seen_at=now))
        return token

    clerks = {unit: one(f"clerk-{place}", Role.DEPARTMENT, unit) for place, unit in enumerate((BUSIEST, QUIETEST))}
    return Staff(one("supervisor", Role.SUPERVISOR), one("operator", Role.OPERATOR), clerks)


async def _measure(settings: Settings, staff: Staff, city: City, turns: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with (
        started(private(settings), None) as gateway,
        httpx.AsyncClient(base_url=gateway.url, timeout=60, trust_env=False) as client,
    ):
        for name, (token, addresses) in _pages(staff, city).items():
            cookie = {"Cookie": f"{COOKIE}={token}"} if token else {}
            await _got(client, addresses(), cookie)  # what a process reads but once is not what is measured
            found[name] = summary([await _got(client, addresses(), cookie) for _ in range(turns)])
        found["列表：翻到第四十页之后"] = summary(await _turned(client, staff, turns))
    return found


async def _got(client: httpx.AsyncClient, address: str, headers: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    answer = await client.get(address, headers=headers)
    taken = time.perf_counter() - begun
    if answer.status_code != 200:
        raise AssertionError(f"{address}: {answer.status_code} {answer.text[:200]}")
    return taken


async def _turned(client: httpx.AsyncClient, staff: Staff, turns: int) -> list[float]:
    """Seconds of each page of a long list, after many pages of it."""
    cookie = {"Cookie": f"{COOKIE}={staff.supervisor}"}
    address, taken = "/board/items?" + Filter(show=Measure.FILED).query(), []
    for _ in range(DEEP + turns):
        begun = time.perf_counter()
        answer = await client.get(address, headers=cookie)
        taken.append(time.perf_counter() - begun)
        _, _, rest = answer.text.partition("cursor=")
        address = "/board/items?" + Filter(show=Measure.FILED).query() + "&cursor=" + rest.partition('"')[0]
    return taken[DEEP:]


def _pages(staff: Staff, city: City) -> dict[str, tuple[str, Callable[[], str]]]:
    """By name: whose page it is (his cookie) and what makes an address, another one each time."""
    draw = random.Random(1)
    today, periods = city.now.date(), itertools.cycle(range(1, 300))
    categories = complaints_data.Maker(city).categories

    def board(days: int = 30, **narrowed: Any) -> str:
        until = today - timedelta(days=next(periods))
        return "/board?" + Filter(since=until - timedelta(days=days - 1), until=until, **narrowed).query()

    def items(show: Measure, **narrowed: Any) -> str:
        return "/board/items?" + Filter(show=show, **narrowed).query()

    def unit() -> str:
        return draw.choice(UNITS)

    def looked_up() -> str:
        index = draw.randrange(city.count)
        number = complaints_data.number_of(index, city.count, today)
        return f"/api/v1/complaints/{number}?" + urlencode({"code": complaints_data.code_of(index)})

    def one() -> str:
        return "/board/items/" + complaints_data.number_of(draw.randrange(city.count), city.count, today)

    boss = staff.supervisor
    return {
        "看板：全市三十天": (boss, board),
        "看板：全市一年": (boss, lambda: board(366)),
        "看板：一个单位三十天": (boss, lambda: board(department=unit())),
        "看板：一个单位一年": (boss, lambda: board(366, department=unit())),
        "看板：一个大类三十天": (boss, lambda: board(category=draw.choice(categories).split("/")[0])),
        "看板：一个小类三十天": (boss, lambda: board(category=draw.choice(categories))),
        "看板：一个地点三十天": (boss, lambda: board(area=draw.choice(complaints_data.ROADS))),
        "看板：一种类型三十天": (boss, lambda: board(kind=draw.choice(("投诉", "求助", "咨询")))),
        "看板：紧急三十天": (boss, lambda: board(urgent=True)),
        "列表：在办": (boss, lambda: items(Measure.OPEN)),
        "列表：超时未办结": (boss, lambda: items(Measure.OVERDUE, department=unit())),
        "列表：一个单位超时办结": (boss, lambda: items(Measure.LATE, department=unit())),
        "列表：期间退回": (boss, lambda: items(Measure.RETURNED, department=unit())),
        "列表：评价不满意": (boss, lambda: items(Measure.DISSATISFIED, department=unit())),
        "列表：回访未解决": (boss, lambda: items(Measure.UNRESOLVED, department=unit())),
        "打开一件": (boss, one),
        "队列：最忙的单位": (staff.clerks[BUSIEST], lambda: "/unit"),
        "队列：最闲的单位": (staff.clerks[QUIETEST], lambda: "/unit"),
        "队列：派单台": (staff.operator, lambda: "/triage"),
        "查询（编号和查询码）": ("", looked_up),
    }
