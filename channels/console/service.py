"""An assistant to talk to over HTTP: the one that runs, or one started for the occasion and ended after it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.errors import Unavailable
from bot.settings import Settings
from channels.console import ports
from channels.console.dialogue import rasa_is_local, runs_own_rasa, trained_model
from channels.console.output import SAY, step
from channels.console.processes import children
from channels.rasa_client import ANSWERS_AT
from channels.supervisor import SUPERVISOR, Child, Supervisor

STARTUP = 180.0
"""Seconds a fresh gateway and Rasa get until they answer, on a busy machine."""

INDEXING = 1800.0
"""Seconds a gateway may take to rebuild its index: the largest catalogue on two cores."""

POLL = 0.2
KEPT_LINES = 25
MOST_DEATHS = 3
"""How often a process may die before the start is given up."""


async def alive(url: str, path: str = "/healthz") -> bool:
    """Whether something at ``url`` answers ``path`` with success, within a second."""
    try:
        async with httpx.AsyncClient(timeout=1.0, trust_env=False) as client:
            return (await client.get(url + path)).is_success
    except httpx.HTTPError:
        return False


async def until_searchable(url: str) -> None:
    """Waits while the gateway at ``url`` rebuilds its index, as after a change of encoder. Raises Unavailable."""
    if await _searchable(url):
        return
    with step("等待网关准备好索引（换过编码模型后需要重建）"):
        try:
            async with asyncio.timeout(INDEXING):
                while not await _searchable(url):
                    await asyncio.sleep(POLL)
        except TimeoutError as error:
            raise Unavailable(
                f"网关在 {INDEXING / 60:.0f} 分钟内没有可用的索引。",
                code="no_index",
                remedy="请看 wenban serve 的日志；wenban index rebuild 可重建索引。",
            ) from error


async def _searchable(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            parts = (await client.get(f"{url}/readyz")).json()["parts"]
    except (httpx.HTTPError, ValueError, KeyError):
        return False
    return bool(parts["index"]["up"])


@contextlib.asynccontextmanager
async def running_or_temporary(settings: Settings) -> AsyncIterator[str]:
    """The address of the assistant that runs on the configured port, or of one that lives as long as the body."""
    if await alive(settings.address):
        SAY.print(f"[dim]使用正在运行的服务 {settings.address}[/]")
        yield settings.address
    else:
        async with temporary(settings) as url:
            yield url


@contextlib.asynccontextmanager
async def temporary(settings: Settings) -> AsyncIterator[str]:
    """The address of a gateway and a Rasa over the home of ``settings``, on free ports, without rate limits."""
    model = trained_model(settings) if runs_own_rasa(settings) else None
    SAY.print(f"[dim]没有正在运行的服务：临时启动网关{'和 Rasa' if model else ''}（用完即停）…[/]")
    async with started(private(settings), model) as running:
        yield running.url


def private(settings: Settings) -> Settings:
    """``settings`` on ports of their own on this machine, without rate limits; a Rasa that runs elsewhere stays."""
    changes: dict[str, object] = {"port": ports.any_free(), "host": "127.0.0.1", "rate_limit": "off"}
    if rasa_is_local(settings):
        rasa_port = ports.any_free()
        changes |= {"rasa_port": rasa_port, "rasa_url": f"http://127.0.0.1:{rasa_port}"}
    return settings.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class Running:
    """An assistant that answers at ``url``."""

    url: str
    process_ids: Callable[[], dict[str, int]]
    """The ids of its processes now, by name."""


class Heard:
    """What the processes said last, and how often one of them died."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.deaths = 0

    def __call__(self, name: str, line: str) -> None:
        self.deaths += name == SUPERVISOR
        self.lines.append(f"{name} │ {line}")


@contextlib.asynccontextmanager
async def started(settings: Settings, model: Path | None, *, worker: bool = False) -> AsyncIterator[Running]:
    """Starts gateway and Rasa of ``settings`` and waits until both answer; ends them after the body.

    Raises Unavailable, with the last lines of their output, when they do not.
    """
    checks = [(settings.address, "/healthz")]
    if model is not None:
        checks.append((settings.rasa_url, ANSWERS_AT))
    async with kept_running(children(settings, model, worker=worker), checks) as process_ids:
        yield Running(settings.address, process_ids)


@contextlib.asynccontextmanager
async def kept_running(
    processes: Sequence[Child], checks: Sequence[tuple[str, str]]
) -> AsyncIterator[Callable[[], dict[str, int]]]:
    """Starts ``processes``, waits until every one of ``checks`` (address, path) answers, ends them after the body.

    Gives what tells the ids of the processes by name. Raises Unavailable.
    """
    heard = Heard()
    stop = asyncio.Event()
    supervisor = Supervisor(processes, heard)
    running = asyncio.create_task(supervisor.run(stop))
    try:
        await _until_alive(checks, running, heard)
        yield lambda: supervisor.process_ids
    finally:
        stop.set()
        await running


async def _until_alive(checks: Sequence[tuple[str, str]], running: asyncio.Task[None], heard: Heard) -> None:
    try:
        async with asyncio.timeout(STARTUP):
            for url, path in checks:
                while not await alive(url, path):
                    if running.done():
                        running.result()
                    if heard.deaths > MOST_DEATHS:
                        raise _not_started("进程一再退出", heard)
                    await asyncio.sleep(POLL)
    except TimeoutError as error:
        raise _not_started(f"{STARTUP:.0f} 秒内没有应答", heard) from error


def _not_started(reason: str, heard: Heard) -> Unavailable:
    said = "\n".join(heard.lines)
    return Unavailable(
        f"服务没有启动成功（{reason}）。最后的输出：\n{said}",
        code="start_failed",
        remedy="请按上面的输出处理；wenban check 逐项说明配置，wenban serve 可看到完整日志。",
    )
