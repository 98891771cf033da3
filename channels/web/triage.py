"""/triage: operators decide to whom a complaint goes, whether it is the same as another, and close what is answered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.board.model import Filter, Measure
from bot.people.model import Account, Role
from channels.web import handling
from channels.web.lists import render_list
from channels.web.staff import requires
from channels.wiring import ServicesDep

router = APIRouter(prefix="/triage", include_in_schema=False)

Operator = Annotated[Account, Depends(requires(Role.OPERATOR))]
SHOWN = (Measure.TRIAGE, Measure.REVIEW, Measure.OPEN, Measure.OVERDUE, Measure.FILED)


@router.get("")
async def queue(
    request: Request, services: ServicesDep, operator: Operator, cursor: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """What waits to be sent to a unit; what is answered and waits to be reviewed; everything else to be found."""
    wanted = Filter.parse({"show": Measure.TRIAGE, **request.query_params}).but(hot=0)
    counts = await run_in_threadpool(services.board.counts, Filter())
    return await render_list(
        request,
        services,
        operator,
        wanted,
        cursor,
        "handling/triage.html",
        shown=SHOWN,
        counts=counts,
        review=await run_in_threadpool(services.board.reviewing),
    )


@router.get("/{number}")
async def complaint(request: Request, services: ServicesDep, operator: Operator, number: str) -> Response:
    return await handling.page(request, services, operator, number)


@router.get("/{number}/attachments/{attachment}")
async def picture(services: ServicesDep, operator: Operator, number: str, attachment: str) -> Response:
    return await handling.picture(services, operator, number, attachment)


@router.post("/{number}")
async def act(
    request: Request, services: ServicesDep, operator: Operator, number: str, form: Annotated[handling.Form, Form()]
) -> Response:
    """Dispatch, merge, split, review, close, re-open."""
    return await handling.act(request, services, operator, number, form)


@router.post("/{number}/reveal")
async def reveal(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    number: str,
    reason: Annotated[str, Form(max_length=400)] = "",
    token: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Text and contact in clear, on record."""
    return await handling.reveal(request, services, operator, number, reason, token)
