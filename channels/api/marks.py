"""What a citizen's page tells beside his words: what arrived, what was read, that he types. Never part of the log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from channels.api.models import errors
from channels.security import RateLimiter, address
from channels.wiring import ServicesDep

router = APIRouter(tags=["conversation"])

Number = Annotated[int, Field(ge=0, le=2**31 - 1)]


class MarksRequest(BaseModel):
    """Marks only grow; what is absent stays as it is."""

    delivered: Annotated[Number, Field(description="The last event that arrived.")] = 0
    seen: Annotated[Number, Field(description="The last event that was in view.")] = 0
    typing: Annotated[bool | None, Field(description="Whether the citizen types now; believed for six seconds.")] = None


@router.post("/conversations/{conversation_id}/marks", status_code=204, responses=errors(404, 422, 429))
async def mark(request: Request, services: ServicesDep, conversation_id: str, marks: MarksRequest) -> Response:
    """Tell how far the log arrived and was read, and that somebody types: a person who answers sees it."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "marks", address(request))
    by_citizen = services.marks.by_citizen
    await run_in_threadpool(by_citizen, conversation_id, delivered=marks.delivered, seen=marks.seen, types=marks.typing)
    return Response(status_code=204)
