"""Answers every post within its time: by a reply when the answer is ready, else later by messages, never by both.

The platform hangs up after five seconds and posts the same message again, three times in all. A message is stored under
its identity before anything acts on it; whoever posts it joins the one row and the one task that answers it. What was
decided about the row (reply or messages) is a conditional change in the database, so that neither a copy, nor another
process, nor a restart can decide otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.errors import WenbanError
from bot.wechat import inbox
from bot.wechat.inbox import Taken
from bot.wechat.model import SILENCE, Answer, Message, identity
from channels.metrics import Metrics
from channels.wechat.batching import Batches
from channels.wechat.sending import Sender
from channels.wechat.slack import Slack
from channels.wechat.words import say

T = TypeVar("T")
log = structlog.get_logger("wenban.wechat")

BUDGET = 4.3
"""Seconds from a post's arrival until it is answered at the latest."""
AT_ONCE = 16
"""Messages answered at the same time; more wait."""
MOST_WAITING = 400
"""Posts that wait for answers; beyond, posts are let go at once and answered by messages."""
REMEMBERED = 5_000
"""Settled messages whose copies are answered from memory."""
POLL = 0.15
SWEEP = 1.0
TIDY_EVERY = 600
"""Sweeps between two tidyings of the inbox."""
ABANDONED_AT_ONCE = 50


class Answerer(Protocol):
    async def answer(self, message: Message, key: str) -> Answer:
        """What to say to ``message``, whose identity is ``key``. May be asked again after a restart."""
        ...


@dataclass
class _Entry:
    """A message this process knows: its row once stored, who waits for it, what was settled."""

    settled: asyncio.Future[str | None]
    stored: Taken | None = None
    waiters: int = 0
    task: asyncio.Task[None] | None = None
    kept: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, text: str | None) -> None:
        """Sets what posts are answered with: the reply's text, or None for none."""
        if not self.settled.done():
            self.settled.set_result(text)


class Receiver:
    """The inbox of one process. Belongs to one event loop; :meth:`start` and :meth:`close` it."""

    def __init__(
        self,
        batches: Batches,
        answerer: Answerer,
        sender: Sender | None,
        clock: Clock,
        metrics: Metrics,
        hotline: str,
        *,
        owner: str,
        budget: float = BUDGET,
        at_once: int = AT_ONCE,
    ) -> None:
        """``sender`` None: nothing but replies can be sent, so what takes long waits for the next message."""
        self._batches = batches
        self._answerer = answerer
        self._sender = sender
        self._clock = clock
        self._metrics = metrics
        self._hotline = hotline
        self._owner = owner
        self._budget = budget
        self._slots = asyncio.Semaphore(at_once)
        self._slack = Slack()
        self._unsettled = 0
        self._entries: dict[str, _Entry] = {}
        self._last: dict[str, asyncio.Task[None]] = {}
        self._keeping: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to keep leases and to take over what others (or an earlier run) left."""
        work = (self._renew(), self._sweep(), self._slack.watch())
        self._keeping = [asyncio.create_task(each) for each in work]

    async def close(self) -> None:
        """Stops; what is not finished is taken over by whoever runs next."""
        tasks = [*self._keeping, *(entry.task for entry in self._entries.values() if entry.task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(WenbanError):
            await self._step(partial(inbox.release, self._owner))
        await self._batches.close()

    async def receive(self, message: Message, arrived: float) -> str | None:
        """The text to reply to this post with, or None for none; by ``arrived`` (loop time) plus the budget.

        On a machine that is late itself, by so much earlier.
        """
        key = identity(message)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._begun(key, message)
        if entry.settled.done():
            return self._counted("copy", entry.settled.result())
        entry.waiters += 1
        try:
            async with asyncio.timeout_at(arrived + self._budget - min(self._slack.seconds, self._budget / 2)):
                return self._counted("in_time", await asyncio.shield(entry.settled))
        except TimeoutError:
            return await self._given_up(entry, message, arrived + self._budget)
        except WenbanError as error:
            log.error("wechat_not_stored", reason=error.message, remedy=error.remedy)
            return self._counted("not_stored", self._busy(message))
        finally:
            entry.waiters -= 1

    @property
    def _late_delivery(self) -> str:
        return "service" if self._sender else "held"

    @property
    def waiting(self) -> int:
        """Messages that are not settled."""
        return self._unsettled

    # -- one message --------------------------------------------------------------------------------------------------

    def _begun(self, key: str, message: Message, taken: Taken | None = None) -> _Entry:
        """A new entry with its task, queued behind the citizen's message before it."""
        entry = _Entry(asyncio.get_running_loop().create_future(), taken)
        while len(self._entries) >= REMEMBERED and (oldest := self._oldest_settled()):
            del self._entries[oldest]
        self._entries[key] = entry
        self._unsettled += 1
        entry.settled.add_done_callback(self._one_settled)
        before = self._last.get(message.openid)
        entry.task = task = asyncio.create_task(self._cared_for(key, entry, message, before))
        self._last[message.openid] = task
        task.add_done_callback(partial(self._ended, key, message.openid))
        return entry

    def _one_settled(self, _: asyncio.Future[str | None]) -> None:
        self._unsettled -= 1

    def _oldest_settled(self) -> str | None:
        return next((key for key, entry in self._entries.items() if entry.settled.done()), None)

    def _ended(self, key: str, openid: str, task: asyncio.Task[None]) -> None:
        if self._last.get(openid) is task:
            del self._last[openid]
        entry = self._entries.get(key)
        if entry is None or task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        # The next post of the message, or the sweep, begins anew.
        del self._entries[key]
        if not isinstance(error, WenbanError):
            log.error("wechat_task_failed", raised=type(error).__name__, reason=str(error)[:300])
        if not entry.settled.done():
            entry.settled.set_exception(error if isinstance(error, WenbanError) else WenbanError(str(error)))
            entry.settled.exception()  # whether or not anybody waits

    async def _cared_for(self, key: str, entry: _Entry, message: Message, before: asyncio.Task[None] | None) -> None:
        taken = entry.stored or await self._taken_in(message, key)
        entry.stored = taken
        entry.kept.set()
        if taken.fresh and self.waiting > MOST_WAITING:
            await self._let_go(entry, taken)
        if before is not None:
            await asyncio.wait([before])
            if taken.waits:
                taken = await self._looked(taken.id)
        while True:
            if taken.state == "done" or (taken.delivery is not None and not taken.mine):
                entry.settle(taken.passive_text)
                return
            if taken.mine and not taken.waits:
                break
            await asyncio.sleep(POLL)  # another process works on it, or on the citizen's message before it
            taken = await self._looked(taken.id)
        if taken.state == "open":
            async with self._slots:
                answer = await self._answer(taken.message, key)
            taken = await self._answered(taken, answer, entry)
            if not taken.mine:
                entry.settle(taken.passive_text)
                return
        entry.settle(taken.passive_text)
        if taken.state == "ready" and self._sender is not None:
            await self._sender.send(taken)

    def _busy(self, message: Message) -> str | None:
        """The message is not stored: its sender, if it is a person's, is asked to send it again."""
        return None if message.kind == "event" else say("citizen.busy", hotline=self._hotline)

    async def _taken_in(self, message: Message, key: str) -> Taken:
        return await self._step(lambda session, now: inbox.take_in(session, message, key, self._owner, now))

    async def _looked(self, row_id: int) -> Taken:
        return await self._step(lambda session, now: inbox.look(session, row_id, self._owner, now))

    async def _answered(self, taken: Taken, answer: Answer, entry: _Entry) -> Taken:
        def step(session: Session, now: datetime) -> Taken:
            waited_for = entry.waiters > 0  # as late as can be: the step may have queued
            if waited_for and (settled := inbox.answered_at_once(session, taken, self._owner, answer)) is not None:
                return settled
            return inbox.answered(session, taken.id, self._owner, answer, waited_for=waited_for, now=now)

        return await self._step(step)

    async def _decided(self, row_id: int) -> Taken:
        return await self._step(
            lambda session, now: inbox.give_up_waiting(session, row_id, self._late_delivery, self._owner, now)
        )

    def _take_abandoned(self, session: Session, now: datetime) -> list[Taken]:
        return inbox.take_abandoned(session, self._owner, now, ABANDONED_AT_ONCE)

    async def _answer(self, message: Message, key: str) -> Answer:
        try:
            return await self._answerer.answer(message, key)
        except Exception:
            log.exception("wechat_answer_failed", kind=message.kind, about=message.event)
        return SILENCE if message.kind == "event" else Answer((say("citizen.failed", hotline=self._hotline),))

    async def _let_go(self, entry: _Entry, taken: Taken) -> None:
        """Under overload nobody is kept waiting: the answer comes by messages."""
        decided = await self._decided(taken.id)
        entry.stored = decided
        if self._late_delivery == "service":
            entry.settle(decided.passive_text)

    async def _given_up(self, entry: _Entry, message: Message, latest: float) -> str | None:
        """The time is up: whatever is decided now holds. Only to be stored it may take until ``latest``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(latest):
                await entry.kept.wait()
        if entry.stored is None:
            log.error("wechat_store_slow", waiting=self._batches.length)
            return self._counted("not_stored", self._busy(message))
        decided = await self._decided(entry.stored.id)
        if decided.delivery == "passive":
            return self._counted("in_time", decided.passive_text)
        entry.settle(None if self._late_delivery == "service" else say("citizen.slow"))
        return self._counted("deferred", entry.settled.result())

    async def _step(self, step: Callable[[Session, datetime], T]) -> T:
        """The result of one step of the inbox at the present time."""
        now = self._clock.now()
        begun = asyncio.get_running_loop().time()
        try:
            return await self._batches.run(lambda session: step(session, now))
        finally:
            self._slack.committed(asyncio.get_running_loop().time() - begun)

    def _counted(self, how: str, text: str | None) -> str | None:
        self._metrics.wechat_posts.labels(how).inc()
        return text

    # -- all messages -------------------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(inbox.LEASE.total_seconds() / 4)
            try:
                ids = [e.stored.id for e in self._entries.values() if e.stored and e.task and not e.task.done()]
                await self._step(partial(inbox.renew, self._owner, ids))
            except WenbanError as error:
                log.warning("wechat_leases_not_renewed", reason=error.message)

    async def _sweep(self) -> None:
        """Takes over what nobody works on any more: after a restart at once, then every second."""
        round_ = 0
        while True:
            try:
                for taken in await self._step(self._take_abandoned):
                    key = identity(taken.message)
                    known = self._entries.get(key)
                    if known is None or known.task is None or known.task.done():
                        self._begun(key, taken.message, taken)
                if round_ % TIDY_EVERY == 0:
                    closed, removed = await self._step(inbox.tidy)
                    if closed:
                        log.error("wechat_messages_too_old", closed=closed)
                    if removed:
                        log.info("wechat_inbox_tidied", removed=removed)
            except WenbanError as error:
                log.warning("wechat_sweep_failed", reason=error.message)
            except Exception:
                log.exception("wechat_sweep_failed")
            round_ += 1
            await asyncio.sleep(SWEEP)
