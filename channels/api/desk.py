"""The one stream an operator's desk keeps open: it says which part of the page changed, and that he is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from bot.handoff.calling import DESK, desk_of
from bot.people.model import Account, Role
from channels.api.events import SAFETY_SECONDS, news_within
from channels.web.staff import requires
from channels.wiring import Services, ServicesDep

router = APIRouter(include_in_schema=False)

BEAT_SECONDS = 15.0
"""How often the open stream says that the operator is there; a third of his lease."""
SETTLE_SECONDS = 0.02
"""Changes that come together are told together."""
QUEUE_SECONDS = 2.0
"""The queue, which every desk shows, is told no more often than this: a hundred desks do not draw it at every word."""
QUEUE_SPREAD = 1.0
"""Desks are told of it within so long, not all at the same moment; who is asked to take a call hears at once."""
GOLDEN = 0.618
"""Multiples of it spread evenly between whole numbers."""

Operator = Annotated[Account, Depends(requires(Role.OPERATOR, Role.SUPERVISOR))]
Opened = Annotated[str, Query(max_length=64)]


@router.get("/desk/events")
async def desk_events(services: ServicesDep, operator: Operator, conversation: Opened = "") -> EventSourceResponse:
    """`thread`, `mine` and `queue` whenever that part of the page changed: it then asks for it.

    ``conversation``: the one that is open, which the operator may see.
    """
    if conversation:
        await run_in_threadpool(services.handing_off.rights.check, conversation, operator)
    await run_in_threadpool(services.handing_off.presences.beat, operator)
    return EventSourceResponse(
        _changes(services, operator, conversation),
        ping=15,
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


async def _changes(services: Services, operator: Account, conversation: str) -> AsyncIterator[ServerSentEvent]:
    reading = services.handing_off.reading
    told: dict[str, object] = {}
    beaten = time.monotonic()
    queue_from = 0.0  # when the queue may be told of again
    queue_at: float | None = None  # when the change that is there will be told
    about: frozenset[str] | None = None
    spread = operator.id * GOLDEN % 1 * QUEUE_SPREAD
    keys = [DESK, desk_of(operator.id), *([conversation] if conversation else [])]
    with services.bus.listening(*keys) as news, services.metrics.streams.track_inprogress():
        while not services.closing.is_set():
            if time.monotonic() - beaten >= BEAT_SECONDS:
                await run_in_threadpool(services.handing_off.presences.beat, operator)
                beaten = time.monotonic()
            snapshot = await services.snapshots()
            parts: dict[str, object] = {"mine": snapshot.of(operator)}
            if conversation:
                own = next((each for each in snapshot.of(operator) if each[0] == conversation), None)
                if own is not None:
                    parts["thread"] = own
                elif about is None or conversation in about:
                    parts["thread"] = await run_in_threadpool(reading.last_event, conversation)
            for name, present in parts.items():
                if told.get(name) != present:
                    yield ServerSentEvent("{}", event=name)
                    told[name] = present
            now = time.monotonic()
            if told.get("queue") != snapshot.shared:
                first = "queue" not in told
                queue_at = queue_at or max(queue_from, now + (0 if first else spread))
                if now >= queue_at:
                    yield ServerSentEvent("{}", event="queue")
                    told["queue"] = snapshot.shared
                    queue_from, queue_at = now + QUEUE_SECONDS, None
            else:
                queue_at = None
            await news_within(news, SAFETY_SECONDS if queue_at is None else max(0.0, queue_at - now))
            await asyncio.sleep(SETTLE_SECONDS)
            about = news.take() if news.is_set() else None
