"""A reading that many wait for at once is made once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")


class Shared(Generic[T]):
    """Calling it gives a reading that began after the call; everybody who calls before it begins gets the same one.

    ``read`` runs in a thread, never twice at once. Belongs to one event loop.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._run())
        return await asyncio.shield(self._next)

    async def _run(self) -> T:
        async with self._lock:
            self._next = None  # from here on it has begun: who calls now waits for another
            return await run_in_threadpool(self._read)
