"""/board: supervisors see lights, ranking, trends, places and hot spots, and every complaint behind every number."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from bot.board import exporting
from bot.board.figures import by_upper
from bot.board.model import MEASURE_NAMES, Filter, Measure
from bot.complaints.model import Kind
from bot.people.model import Account, Role
from channels.web import handling
from channels.web.lists import render_list
from channels.web.staff import requires, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/board", include_in_schema=False)

Supervisor = Annotated[Account, Depends(requires(Role.SUPERVISOR))]
SHOWN_VALUES = 15
"""Rows of the tables of categories and places; the rest is one line."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("")
async def board(request: Request, services: ServicesDep, supervisor: Supervisor) -> Response:
    """Lights of now, figures of the period, each number a way to its complaints."""
    wanted = Filter.parse(request.query_params).but(show=Measure.OPEN, light="", state="", number="", hot=0)
    found = await run_in_threadpool(services.board.overview, wanted)
    spots, spots_at = await run_in_threadpool(services.board.hot_spots)
    return services.pages.render(
        request,
        "board/overview.html",
        **staff_context(request, supervisor),
        found=found,
        wanted=found.wanted,
        categories=by_upper(found.categories, wanted.category, SHOWN_VALUES),
        areas=by_upper(found.areas, "whole", SHOWN_VALUES),
        spots=spots[:5],
        spots_at=spots_at,
        choices=await run_in_threadpool(services.board.choices),
        kinds=list(Kind),
        Measure=Measure,
        measures=MEASURE_NAMES,
        date=date.fromisoformat,
    )


@router.get("/items")
async def items(
    request: Request, services: ServicesDep, supervisor: Supervisor, cursor: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """The complaints of any filter, as the board's numbers lead to them."""
    wanted = Filter.parse(request.query_params)
    return await render_list(
        request,
        services,
        supervisor,
        wanted,
        cursor,
        "board/items.html",
        shown=tuple(Measure),
        most=exporting.MOST_ROWS,
    )


@router.get("/hot-spots")
async def hot_spots(request: Request, services: ServicesDep, supervisor: Supervisor) -> Response:
    """What many complaints of the last weeks are about."""
    spots, at = await run_in_threadpool(services.board.hot_spots)
    return services.pages.render(
        request, "board/hot_spots.html", **staff_context(request, supervisor), spots=spots, spots_at=at
    )


@router.get("/export.csv")
async def export_csv(request: Request, services: ServicesDep, supervisor: Supervisor) -> Response:
    """The list of the filter as CSV, streamed; audited."""
    wanted = Filter.parse(request.query_params)
    await run_in_threadpool(services.board.exported, supervisor.username, wanted, "csv")
    pieces = exporting.as_csv(services.board.every(wanted, exporting.MOST_ROWS))
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=_attached(services, "csv"))


@router.get("/export.xlsx")
async def export_workbook(request: Request, services: ServicesDep, supervisor: Supervisor) -> Response:
    """The list of the filter as a workbook; audited."""
    wanted = Filter.parse(request.query_params)
    await run_in_threadpool(services.board.exported, supervisor.username, wanted, "xlsx")
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever reads it to its end)
    batches = services.board.every(wanted, exporting.MOST_IN_WORKBOOK)
    await run_in_threadpool(exporting.as_workbook, batches, file)
    return StreamingResponse(_read(file), media_type=WORKBOOK, headers=_attached(services, "xlsx"))


@router.get("/items/{number}")
async def complaint(request: Request, services: ServicesDep, supervisor: Supervisor, number: str) -> Response:
    return await handling.page(request, services, supervisor, number)


@router.get("/items/{number}/attachments/{attachment}")
async def picture(services: ServicesDep, supervisor: Supervisor, number: str, attachment: str) -> Response:
    return await handling.picture(services, supervisor, number, attachment)


@router.post("/items/{number}")
async def act(
    request: Request, services: ServicesDep, supervisor: Supervisor, number: str, form: Annotated[handling.Form, Form()]
) -> Response:
    """Approve or refuse an extension, take back, dispatch, review, close."""
    return await handling.act(request, services, supervisor, number, form)


@router.post("/items/{number}/reveal")
async def reveal(
    request: Request,
    services: ServicesDep,
    supervisor: Supervisor,
    number: str,
    reason: Annotated[str, Form(max_length=400)] = "",
    token: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Text and contact in clear, on record."""
    return await handling.reveal(request, services, supervisor, number, reason, token)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(64 * 1024):
            yield piece


def _attached(services: Services, ending: str) -> dict[str, str]:
    name = f"complaints-{services.clock.now():%Y%m%d-%H%M}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
