"""Many small steps in one transaction: while one commit is under way, the next steps gather and go together.

A commit costs the same for one step and for fifty; under load this is what the database's time goes into.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from bot.store import Store

T = TypeVar("T")
P = ParamSpec("P")
LARGEST = 64
"""Steps in one transaction."""


class Batches:
    """Runs steps on a thread of its own, in the order in which they were asked for. Belongs to one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="wechat-store")
        self._waiting: list[tuple[Callable[[Session], Any], asyncio.Future[Any]]] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def length(self) -> int:
        """Steps that wait."""
        return len(self._waiting)

    async def run(self, step: Callable[[Session], T]) -> T:
        """The result of ``step`` once its transaction is committed. Raises what it raises, and Unavailable."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((step, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return await future

    async def close(self) -> None:
        """Waits for what was asked for."""
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)
        self._thread.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            wanted = [(step, future) for step, future in batch if not future.cancelled()]
            try:
                outcomes = await loop.run_in_executor(self._thread, self._run, [step for step, _ in wanted])
            except Exception as error:  # the thread is gone: whoever waits hears of it, rather than waits for ever
                outcomes = [error] * len(wanted)
            for (_, future), outcome in zip(wanted, outcomes, strict=True):
                if future.cancelled():
                    continue
                if isinstance(outcome, BaseException):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    def _run(self, steps: list[Callable[[Session], Any]]) -> list[Any]:
        """The results; a step that fails is run again alone, so that it takes no other one down."""
        try:
            with self._store.write() as work:
                return [step(work.session) for step in steps]
        except Exception as error:
            if len(steps) == 1:
                return [self._again(steps[0], error)]
        return [self._run([step])[0] for step in steps]

    def _again(self, step: Callable[[Session], Any], error: Exception) -> Any:
        """One more try: what failed is usually a race that the other side has won meanwhile."""
        try:
            with self._store.write() as work:
                return step(work.session)
        except Exception as second:
            second.__context__ = error
            return second
