"""/judge/{token}: the page behind the link of a notice, where a citizen judges the service; works without a script."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import Conflict, InvalidInput
from bot.judgements.model import LEVELS, LONGEST_COMMENT
from channels.security import RateLimiter, address, require_same_site
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/judge", include_in_schema=False)


@router.get("/{token}")
async def judge(request: Request, services: ServicesDep, token: str) -> Response:
    """The question, or what was answered."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "judge", address(request))
    return await _page(request, services, token)


@router.post("/{token}", dependencies=[Depends(require_same_site)])
async def answer(
    request: Request,
    services: ServicesDep,
    token: str,
    level: Annotated[int, Form()] = 0,
    comment: Annotated[str, Form(max_length=LONGEST_COMMENT * 2)] = "",
) -> Response:
    """Takes the answer and shows it."""
    await services.limiter.check(RateLimiter.SIGN_INS_BY_ADDRESS, "judge", address(request))
    try:
        await run_in_threadpool(services.casework.judgements.answer, token, level, comment=comment, channel="link")
    except (InvalidInput, Conflict) as refusal:
        return await _page(request, services, token, refusal)
    return RedirectResponse(f"/judge/{token}#content", 303)


async def _page(
    request: Request, services: Services, token: str, refusal: InvalidInput | Conflict | None = None
) -> Response:
    judgement = await run_in_threadpool(services.casework.judgements.read, token)
    return services.pages.render(
        request,
        "judge.html",
        status=refusal.status if refusal else 200,
        headers={"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"},
        judgement=judgement,
        levels=LEVELS,
        open=judgement.may_answer(services.clock.now()),
        refusal=refusal,
        longest=LONGEST_COMMENT,
        words=services.pages.words["judge"],
    )
