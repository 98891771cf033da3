"""The outbox's way out: every due message goes to the handler of its topic, one at a time, at least once.

A message is claimed in one transaction, handled outside of any, and finished in another; a worker that dies in between
leaves the lease to run out. Topics without a handler are left alone: they wait for the part that will handle them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.store import Store, outbox
from channels.worker import Job

log = structlog.get_logger("wenban.relay")

EVERY = timedelta(seconds=1)
BATCH = 200
"""Messages handled in one turn, so that other jobs get theirs."""
TIMEOUT = outbox.LEASE.total_seconds() / 2
"""Seconds a handler may take: well within the lease."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An outbox message as a handler sees it. ``id`` is the same at every attempt, ``at`` is when it was written."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PutOff:
    """Not now, and it is nobody's fault: the attempt does not count."""

    until: datetime
    reason: str


Handler = Callable[[Envelope, datetime], Awaitable[PutOff | None]]
"""Does what a message asks for. Returns None when done, or PutOff; whatever it raises is a failed attempt."""


def each(*handlers: Handler) -> Handler:
    """One handler out of several that all want a topic; after a failure all of them get the message again."""

    async def handle(envelope: Envelope, now: datetime) -> PutOff | None:
        later: PutOff | None = None
        for handler in handlers:
            later = await handler(envelope, now) or later
        return later

    return handle


class Relay:
    """Hands due messages to ``handlers`` by topic. Belongs to one thread: it keeps an event loop of its own there."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        clock: Clock,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """``closing``: what the handlers hold on the relay's event loop and give back when it ends."""
        self._store = store
        self._handlers = dict(handlers)
        self._clock = clock
        self._closing = closing
        self._runner = asyncio.Runner()

    def job(self) -> Job:
        """The worker's job."""

        def run(_: datetime) -> None:
            self.run()

        return Job("relay", EVERY, run, self.close)

    def run(self) -> int:
        """Handles what is due, at most a batch; how many messages were handled."""
        return self._runner.run(self._run()) if self._handlers else 0

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        for close in self._closing:
            await close()

    async def _run(self) -> int:
        handled = 0
        while handled < BATCH and (envelope := await asyncio.to_thread(self._claim)) is not None:
            await self._handle(envelope)
            handled += 1
        return handled

    def _claim(self) -> Envelope | None:
        with self._store.write() as work:
            message = outbox.claim(work.session, self._clock.now(), tuple(self._handlers))
            if message is None:
                return None
            payload = dict(message.payload)
            return Envelope(message.id, message.topic, message.key, payload, message.attempts, message.created_at)

    async def _handle(self, envelope: Envelope) -> None:
        said: PutOff | None = None
        fault: str | None = None
        try:
            async with asyncio.timeout(TIMEOUT):
                said = await self._handlers[envelope.topic](envelope, self._clock.now())
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            log.exception("outbox_handler_failed", message=envelope.id, topic=envelope.topic, attempt=envelope.attempts)
        state = await asyncio.to_thread(self._close_attempt, envelope, said, fault)
        if state == outbox.OutboxState.FAILED:
            log.error("outbox_message_given_up", message=envelope.id, topic=envelope.topic, reason=fault)

    def _close_attempt(self, envelope: Envelope, said: PutOff | None, fault: str | None) -> str | None:
        now = self._clock.now()
        with self._store.write() as work:
            message = outbox.claimed(work.session, envelope.id, envelope.attempts)
            if message is None:
                return None  # the lease ran out and another worker has it
            if fault is not None:
                outbox.give_back(message, fault, now)
            elif said is not None:
                outbox.put_off(message, said.until, said.reason)
            else:
                outbox.finish(message)
            return message.state
