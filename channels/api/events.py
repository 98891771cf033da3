"""A conversation's log over HTTP: a resumable stream of server-sent events, and long-polling of the same log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.conversations.service import Event
from channels.api.json import Json
from channels.api.models import Events, errors
from channels.security import RateLimiter, address
from channels.wiring import Services, ServicesDep

router = APIRouter(tags=["conversation"])

BATCH = 100
"""Events read at once."""
HEARTBEAT_SECONDS = 15
"""Comments sent into a quiet stream, so that no proxy takes it for dead."""
SAFETY_SECONDS = 5.0
"""The log is looked at this often even without news: news may be lost, the log is not."""
LONGEST_WAIT = 55.0


@router.get(
    "/conversations/{conversation_id}/events",
    response_model=Events,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "A stream, or with `after` a page of the same log"},
        **errors(404, 422, 429),
    },
)
async def conversation_events(
    request: Request,
    services: ServicesDep,
    conversation_id: str,
    after: Annotated[int | None, Query(ge=0, description="Only events with a greater number; answers as JSON.")] = None,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for news, with `after`.")] = 25.0,
    last_event_id: Annotated[int | None, Header(ge=0, description="Resume after this number.")] = None,
) -> Response:
    """Everything said in one conversation, from the beginning or from where the client stopped, then as it happens.

    As `text/event-stream` each event has its number as `id` and the entry as JSON `data`; heartbeats are comments; an
    `end` event says that the server goes down and the client should come back. With `?after=N` (and an `Accept` that is
    not a stream) the answer is JSON: at once when there are events after N, else when there is news or `wait` is over.
    """
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "events", address(request))
    start = max(after or 0, last_event_id or 0)
    first = await read(services, conversation_id, start)  # an unknown conversation is refused before the stream begins
    if after is not None and "text/event-stream" not in request.headers.get("accept", ""):
        found = first or await _wait(services, conversation_id, start, wait)
        return Json({"events": [as_dict(event) for event in found]}, headers={"Cache-Control": "no-store"})
    return EventSourceResponse(
        _stream(services, conversation_id, start),
        ping=HEARTBEAT_SECONDS,
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


async def read(services: Services, conversation_id: str, after: int) -> Sequence[Event]:
    """The next events after number ``after``, at most a batch. Raises NotFound for an unknown conversation."""
    return await run_in_threadpool(services.conversations.events, conversation_id, after, BATCH)


def as_dict(event: Event) -> dict[str, Any]:
    return {"number": event.number, "kind": event.kind, "at": event.at.isoformat(), "payload": dict(event.payload)}


async def _wait(services: Services, conversation_id: str, after: int, seconds: float) -> Sequence[Event]:
    deadline = asyncio.get_running_loop().time() + seconds
    with services.bus.listening(conversation_id) as news:
        while True:
            news.take()
            found = await read(services, conversation_id, after)
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0 or services.closing.is_set():
                return found
            await news_within(news, min(left, SAFETY_SECONDS))


async def _stream(services: Services, conversation_id: str, after: int) -> AsyncIterator[ServerSentEvent]:
    typed = False
    with services.bus.listening(conversation_id) as news, services.metrics.streams.track_inprogress():
        while not services.closing.is_set():
            news.take()
            found, marks = await run_in_threadpool(services.conversations.follow, conversation_id, after, BATCH)
            for event in found:
                after = event.number
                yield ServerSentEvent(orjson.dumps(as_dict(event)).decode(), id=str(event.number))
            if marks.person_types or typed:
                yield ServerSentEvent(orjson.dumps({"person_types": marks.person_types}).decode(), event="marks")
            typed = marks.person_types
            if len(found) < BATCH:
                await news_within(news, SAFETY_SECONDS)
        yield ServerSentEvent("{}", event="end", retry=2000)


async def news_within(news: asyncio.Event, seconds: float) -> None:
    """Waits for news, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return
