"""Keeps a few child processes running, and ends all of them when it ends.

Every child leads a session of its own, so that a signal from the terminal reaches the supervisor alone and a group can
be ended with all it started. A child that ends by itself is started again after a growing pause. A separate guard
(:mod:`channels.guard`) ends the children even when the supervisor is killed without a chance to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels import guard

Tell = Callable[[str, str], None]
"""Takes a child's name and one line: of its output, or of what became of it (then the name is SUPERVISOR)."""

SUPERVISOR = "wenban"
LONGEST_LINE = 16_384
"""Characters after which a line without an end is passed on as it is."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep running; ``environment`` is added to our own."""

    name: str
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 8.0
    """Seconds it gets to end by itself when asked to."""


@dataclass(slots=True)
class BackOff:
    """The pause before a restart: doubles with each death, starts anew after a long enough life. Seconds."""

    first: float = 0.5
    longest: float = 30.0
    recovered_after: float = 60.0
    _next: float = 0.0

    def after(self, lived: float) -> float:
        """The pause after a life of ``lived`` seconds."""
        pause = self.first if lived >= self.recovered_after or not self._next else self._next
        self._next = min(self.longest, pause * 2)
        return pause


class Supervisor:
    """Runs ``children`` until told to stop."""

    def __init__(self, children: Sequence[Child], tell: Tell, back_off: Callable[[], BackOff] = BackOff) -> None:
        self._children = children
        self._tell = tell
        self._back_off = back_off
        self._processes: dict[str, Process] = {}
        self._guard: Process | None = None

    @property
    def process_ids(self) -> dict[str, int]:
        """The ids of the children now running, by name."""
        return {name: process.pid for name, process in self._processes.items() if process.returncode is None}

    async def run(self, stop: asyncio.Event) -> None:
        """Keeps the children running until ``stop`` is set, then ends them; returns when none is left."""
        self._guard = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", guard.__file__, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        keepers = [asyncio.create_task(self._keep(child, stop)) for child in self._children]
        try:
            done, _ = await asyncio.wait(
                [asyncio.create_task(stop.wait()), *keepers], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()  # a fault of ours in a keeper must not leave the others running unseen
        finally:
            stop.set()
            await asyncio.gather(*keepers, return_exceptions=True)
            await self._dismiss_guard()

    async def _keep(self, child: Child, stop: asyncio.Event) -> None:
        back_off = self._back_off()
        while not stop.is_set():
            started = time.monotonic()
            try:
                process = await self._start(child)
            except OSError as error:
                ending = f"无法启动：{error.strerror}（{child.command[0]}）"
            else:
                ending = await self._live(child, process, stop)
            if stop.is_set():
                return
            pause = back_off.after(time.monotonic() - started)
            self._tell(SUPERVISOR, f"{child.name} {ending}；{pause:g} 秒后重新启动")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _start(self, child: Child) -> Process:
        process = await asyncio.create_subprocess_exec(
            *child.command,
            cwd=child.directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._inform_guard("+", process.pid)
        self._processes[child.name] = process
        return process

    async def _live(self, child: Child, process: Process, stop: asyncio.Event) -> str:
        """Passes the output on until the process ends or is to stop; says how it ended."""
        lines = asyncio.create_task(self._pass_on(child, process))
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.to_thread(guard.end_groups, [process.pid], child.grace)  # also what a dead child left behind
        code = await ended
        self._inform_guard("-", process.pid)
        await asyncio.wait([lines], timeout=1.0)
        lines.cancel()
        return f"被信号 {signal.Signals(-code).name} 结束" if code < 0 else f"已退出（状态 {code}）"

    async def _pass_on(self, child: Child, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 - opened as a pipe above
        rest = b""
        while chunk := await process.stdout.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._tell(child.name, line.decode("utf-8", "replace").rstrip())
        if rest:
            self._tell(child.name, rest.decode("utf-8", "replace").rstrip())

    def _inform_guard(self, sign: str, group: int) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._guard.stdin.write(f"{sign}{group}\n".encode())

    async def _dismiss_guard(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            await self._guard.wait()
