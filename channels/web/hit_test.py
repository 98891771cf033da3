"""/hit-test: a question, what the index finds for it and why, against which thresholds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.errors import WenbanError
from bot.people.model import Account, Role
from channels.web.staff import requires, staff_context
from channels.wiring import ServicesDep

router = APIRouter(include_in_schema=False)

Reader = Annotated[Account, Depends(requires(Role.EDITOR, Role.ADMINISTRATOR, Role.SUPERVISOR))]
LONGEST = 300


@router.get("/hit-test")
async def hit_test(
    request: Request, services: ServicesDep, reader: Reader, q: Annotated[str, Query(max_length=LONGEST)] = ""
) -> Response:
    """The question is asked of the index alone: what the dialogue understanding would make of it is not looked at."""
    explanation, refusal = None, None
    if q.strip():
        try:
            explanation = await run_in_threadpool(services.explain, q)
        except WenbanError as error:
            refusal = error
    return services.pages.render(
        request,
        "learn/hit_test.html",
        status=refusal.status if refusal else 200,
        **staff_context(request, reader),
        q=q,
        longest=LONGEST,
        found=explanation,
        refusal=refusal,
        features=services.pages.words["features"],
        kinds=services.pages.words["text_kinds"],
    )
