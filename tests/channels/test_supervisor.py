"""The supervisor over real processes: small Python programs that announce themselves, die, or refuse to end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from channels.supervisor import LONGEST_LINE, SUPERVISOR, BackOff, Child, Supervisor

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
"""Seconds a killed process has to be gone."""


def program(source: str, name: str = "child", grace: float = 8.0) -> Child:
    return Child(name, [sys.executable, "-c", source], ROOT, grace=grace)


class Log:
    """Collects lines and lets a test wait for one."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._news = asyncio.Condition()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._tell_task = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, holds: Callable[[list[tuple[str, str]]], bool]) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: holds(self.lines))


async def supervised(child: Child, until: Callable[[list[tuple[str, str]]], bool]) -> Log:
    log, stop = Log(), asyncio.Event()
    running = asyncio.create_task(Supervisor([child], log, lambda: BackOff(0.01, 0.02)).run(stop))
    await log.until(until)
    stop.set()
    await asyncio.wait_for(running, 30)
    return log


async def test_output_is_passed_on_line_by_line_under_the_child_s_name() -> None:
    child = program("import signal; print('一'); print('二', flush=True); signal.pause()", "gateway")
    log = await supervised(child, lambda lines: len(lines) >= 2)
    assert log.lines[:2] == [("gateway", "一"), ("gateway", "二")]


async def test_an_endless_line_is_passed_on_in_pieces() -> None:
    child = program(f"import signal; print('x' * {LONGEST_LINE * 2}, end='', flush=True); signal.pause()")
    await supervised(child, lambda lines: any(len(line) > LONGEST_LINE for _, line in lines))


async def test_a_child_that_dies_is_started_again_and_said_so() -> None:
    log = await supervised(
        program("print('up', flush=True); raise SystemExit(3)"), lambda ls: ls.count(("child", "up")) >= 3
    )
    said = [line for name, line in log.lines if name == SUPERVISOR]
    assert "child 已退出（状态 3）" in said[0]
    assert "重新启动" in said[0]


async def test_a_child_that_was_killed_is_named_with_the_signal() -> None:
    child = program("import os; os.kill(os.getpid(), 9)")
    log = await supervised(child, lambda lines: any(name == SUPERVISOR for name, _ in lines))
    assert any("SIGKILL" in line for _, line in log.lines)


async def test_a_command_that_does_not_exist_is_said_so() -> None:
    child = Child("rasa", ["/nowhere/python"], ROOT)
    log = await supervised(child, lambda lines: len(lines) >= 2)
    assert "rasa 无法启动" in log.lines[0][1]


async def test_a_child_that_ignores_the_request_is_killed_with_its_own_children() -> None:
    source = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "grandchild = subprocess.Popen([sys.executable, '-c',"
        " 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(0, flush=True); signal.pause()'])\n"
        "print(grandchild.pid, flush=True); signal.pause()\n"
    )
    log = await supervised(program(source, grace=0.2), lambda lines: len(lines) >= 2)
    grandchild = max(int(line) for _, line in log.lines)
    assert not await _alive(grandchild)


async def test_the_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from channels.supervisor import Child, Supervisor\n"
        "source = 'import os, signal; print(os.getpid(), flush=True); signal.pause()'\n"
        "child = Child('c', [sys.executable, '-c', source], Path('.'))\n"
        "tell = lambda name, line: print(line, flush=True)\n"
        "asyncio.run(Supervisor([child], tell).run(asyncio.Event()))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    child = int(await asyncio.wait_for(process.stdout.readline(), 30))
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert not await _alive(child)


def test_the_pause_doubles_up_to_a_bound_and_starts_anew_after_a_long_life() -> None:
    back_off = BackOff(first=1, longest=4, recovered_after=60)
    assert [back_off.after(0) for _ in range(4)] == [1, 2, 4, 4]
    assert back_off.after(61) == 1
    assert back_off.after(0) == 2


async def _alive(pid: int) -> bool:
    """Whether the process is still there once a kill had time to arrive: the kernel carries it out a moment later."""
    try:
        process = psutil.Process(pid)
        _, alive = await asyncio.to_thread(psutil.wait_procs, [process], PATIENCE)
        return bool(alive) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
