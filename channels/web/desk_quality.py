"""/desk/quality: how citizens were served, conversations found again, transcripts to take away."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.clock import ZONE
from bot.errors import Forbidden
from bot.handoff.quality import LONGEST_WORDS, MOST_FOUND, Wanted
from bot.people.model import Role
from channels.web.days import day, morning
from channels.web.desk_page import CHANNELS, Operator
from channels.web.staff import staff_context
from channels.wiring import ServicesDep

router = APIRouter(prefix="/desk", include_in_schema=False)

USUALLY = timedelta(days=30)


@router.get("/quality")
async def quality(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    q: Annotated[str, Query(max_length=LONGEST_WORDS)] = "",
    tag: Annotated[str, Query(max_length=20)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Figures and conversations of a period: an operator's own, a supervisor's everybody's."""
    today = services.clock.now().astimezone(ZONE).date()
    first, last = day(since) or today - USUALLY, day(until) or today
    start, end = morning(first), morning(last + timedelta(days=1))
    own = None if operator.role is Role.SUPERVISOR else operator.id
    service = services.handing_off.quality
    found = await run_in_threadpool(service.search, Wanted(start, end, q, tag, own, before))
    return services.pages.render(
        request,
        "desk/quality.html",
        **staff_context(request, operator),
        supervises=own is None,
        figures=await run_in_threadpool(service.figures, start, end, own),
        found=found,
        more=found[-1].id if len(found) == MOST_FOUND else None,
        filters={"q": q, "tag": tag, "since": first.isoformat(), "until": last.isoformat()},
        tags=services.handing_off.desk.tags,
        channels=CHANNELS,
    )


@router.get("/transcripts/{conversation}")
async def transcript(services: ServicesDep, operator: Operator, conversation: str) -> Response:
    """Everything said in one conversation as a text file, masked; an operator gets those he had."""
    service = services.handing_off.quality
    stands = await run_in_threadpool(services.handing_off.rights.check, conversation, operator)
    if operator.role is not Role.SUPERVISOR and not stands.his:
        raise Forbidden("只能导出自己接过的对话。", code="not_yours", remedy="请由督办员导出。")
    text = await run_in_threadpool(service.transcript, conversation, operator)
    name = quote(f"对话-{conversation[:8]}.txt")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return Response("\ufeff" + text, media_type="text/plain; charset=utf-8", headers=headers)
