"""/console: what the county's IT office looks at first — versions, index, Rasa, worker, what was imported."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.people.model import Account, Role
from channels.web.staff import requires, staff_context
from channels.wiring import ServicesDep

router = APIRouter(include_in_schema=False)

Reader = Annotated[Account, Depends(requires(Role.ADMINISTRATOR, Role.EDITOR))]


@router.get("/console")
async def console(request: Request, services: ServicesDep, account: Reader) -> Response:
    """The state of this installation at this moment."""
    readiness = await services.readiness()
    return services.pages.render(
        request,
        "console.html",
        **staff_context(request, account),
        readiness=readiness,
        version=version("wenban"),
        database=services.store.engine.dialect.name,
        encoder=services.encoder.identity,
        index=services.holder.name,
        counts=await run_in_threadpool(services.matters.counts),
        history=await run_in_threadpool(services.matters.history),
        started_at=services.started_at,
    )
