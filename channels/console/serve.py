"""``wenban serve``: everything in the foreground, with one readable log."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from bot.errors import Conflict
from bot.people import demo
from bot.settings import Settings
from channels.console import parts, ports
from channels.console.output import OUT, SAY
from channels.console.preparation import SAMPLE_CASES, SAMPLE_CITY, prepare
from channels.console.processes import children
from channels.console.samples import SOURCE, examples
from channels.console.service import alive
from channels.rasa_client import ANSWERS_AT
from channels.supervisor import SUPERVISOR, Supervisor

COLOURS = {"gateway": "cyan", "worker": "green", "rasa": "magenta", SUPERVISOR: "bold yellow"}
WIDTH = max(map(len, COLOURS))
POLL = 0.5


def serve(settings: Settings, *, sample_city: bool) -> None:
    """Prepares, starts and keeps running all processes until a signal; returns when every one has ended."""
    settings.home.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: a training under way ends with us
    with only_one(settings.home):
        ports.require_free(settings.host, settings.port, "WENBAN_PORT")
        model = prepare(settings, sample_city=sample_city)
        if model is not None:
            ports.require_free("127.0.0.1", settings.rasa_port, "WENBAN_RASA_PORT")
        asyncio.run(_serve(settings, model))


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Holds the home for one ``serve`` at a time. Raises Conflict when another holds it."""
    with (home / "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Conflict(
                f"数据目录 {home} 已有一套问办在运行（进程 {lock.read().strip() or '未知'}）。",
                code="already_running",
                remedy="直接使用它，或先停掉它；要同时运行两套，请另设 WENBAN_HOME、WENBAN_PORT、WENBAN_RASA_PORT。",
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


async def _serve(settings: Settings, model: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _stop, stop)
    supervisor = Supervisor(children(settings, model), show_line)
    greeting = asyncio.create_task(_greet(settings, model, supervisor))
    try:
        await supervisor.run(stop)
    finally:
        greeting.cancel()
    SAY.print("已全部停止。")


def _stop(stop: asyncio.Event) -> None:
    if not stop.is_set():
        SAY.print("\n正在停止 …")
    stop.set()


def show_line(name: str, line: str) -> None:
    """Prints one line of a process under its name, in the process's colour on a terminal."""
    text = Text.assemble((f"{name:<{WIDTH}} │ ", COLOURS.get(name, "white")))
    OUT.print(text.append_text(Text.from_ansi(line)))


async def _greet(settings: Settings, model: Path | None, supervisor: Supervisor) -> None:
    """Waits until everything answers, then says where."""
    checks = [(settings.address, "/healthz")] + ([(settings.rasa_url, ANSWERS_AT)] if model else [])
    for url, path in checks:
        while not await alive(url, path):
            await asyncio.sleep(POLL)
    url = settings.links
    OUT.print()
    OUT.print(f"  [bold green]问办已就绪[/]　市民页面　[bold]{url}/chat[/]")
    OUT.print(f"  　　　　　　　坐席台　{url}/desk")
    OUT.print(f"  　　　　　　　接口说明　{url}/openapi.json　状态　{url}/readyz")
    accounts = settings.home / demo.FILE
    if accounts.exists():
        OUT.print(f"  　　　　　　　演示账号　{accounts}（账号　口令　角色）")
        for line in accounts.read_text(encoding="utf-8").splitlines():
            OUT.print("  　　　　　　　　" + line.expandtabs(20), markup=False)
    if await asyncio.to_thread(_has_sample_cases, settings):
        OUT.print("  　　　　　　　示例办件　在页面里说“查办件 编号 查询码”（编号　查询码　事项）")
        for example in examples(SAMPLE_CITY / SAMPLE_CASES):
            OUT.print(f"  　　　　　　　　{example.number}　{example.query_code}　{example.matter_name}", markup=False)
    running = "　".join(f"{name} {pid}" for name, pid in supervisor.process_ids.items())
    OUT.print(f"  　　　　　　　进程　　　{running}")
    OUT.print("  　　　　　　　终端提问　.venv/bin/wenban ask 换身份证要带什么　　停止　Ctrl-C")
    OUT.print()


def _has_sample_cases(settings: Settings) -> bool:
    return parts.casework(settings).keeper.count(SOURCE) > 0
