"""/unit: a unit's clerks, its head, and what was sent to their own unit, and nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.board.model import Filter, Measure
from bot.people.model import OF_UNITS, Account
from channels.web import handling
from channels.web.lists import render_list
from channels.web.staff import requires
from channels.wiring import ServicesDep

router = APIRouter(prefix="/unit", include_in_schema=False)

Clerk = Annotated[Account, Depends(requires(*OF_UNITS))]
SHOWN = (Measure.HELD, Measure.OVERDUE, Measure.REVIEW, Measure.DONE, Measure.RETURNED)


@router.get("")
async def queue(
    request: Request, services: ServicesDep, clerk: Clerk, cursor: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """What the unit has, the nearest deadline first."""
    wanted = Filter.parse({"show": Measure.HELD, **request.query_params}).but(department=clerk.department or "", hot=0)
    own = Filter(Measure.HELD, department=wanted.department)
    counts = await run_in_threadpool(services.board.counts, own)
    return await render_list(
        request, services, clerk, wanted, cursor, "handling/unit.html", shown=SHOWN, counts=counts, held=("department",)
    )


@router.get("/{number}")
async def complaint(request: Request, services: ServicesDep, clerk: Clerk, number: str) -> Response:
    return await handling.page(request, services, clerk, number)


@router.get("/{number}/attachments/{attachment}")
async def picture(services: ServicesDep, clerk: Clerk, number: str, attachment: str) -> Response:
    return await handling.picture(services, clerk, number, attachment)


@router.post("/{number}")
async def act(
    request: Request, services: ServicesDep, clerk: Clerk, number: str, form: Annotated[handling.Form, Form()]
) -> Response:
    """Sign, return, ask for an extension, pause, resume, answer."""
    return await handling.act(request, services, clerk, number, form)


@router.post("/{number}/reveal")
async def reveal(
    request: Request,
    services: ServicesDep,
    clerk: Clerk,
    number: str,
    reason: Annotated[str, Form(max_length=400)] = "",
    token: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Text and contact in clear, on record."""
    return await handling.reveal(request, services, clerk, number, reason, token)
