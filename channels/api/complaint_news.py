"""The one stream that a page of complaints keeps open: it says that something changed, nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from bot.people.model import OF_UNITS, Account, Role
from channels.api.events import SAFETY_SECONDS, news_within
from channels.web.handling import NEWS
from channels.web.staff import requires
from channels.wiring import Services, ServicesDep

router = APIRouter(include_in_schema=False)

SETTLE_SECONDS = 0.5
"""Changes that come together are told together."""

Handler = Annotated[Account, Depends(requires(*OF_UNITS, Role.OPERATOR, Role.SUPERVISOR))]


@router.get("/complaint-news")
async def complaint_events(services: ServicesDep, handler: Handler) -> EventSourceResponse:  # noqa: ARG001
    """`changed` whenever something happened to a complaint: the page then asks for what it shows."""
    return EventSourceResponse(
        _changes(services), ping=15, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )


async def _changes(services: Services) -> AsyncIterator[ServerSentEvent]:
    with services.bus.listening(NEWS) as news, services.metrics.streams.track_inprogress():
        seen = await run_in_threadpool(services.board.snapshot)
        while not services.closing.is_set():
            await news_within(news, SAFETY_SECONDS)
            news.take()
            await asyncio.sleep(SETTLE_SECONDS)
            present = await run_in_threadpool(services.board.snapshot)
            if present != seen:
                yield ServerSentEvent("{}", event="changed")
                seen = present
