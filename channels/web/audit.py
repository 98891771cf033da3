"""/audit: who did what, newest first, and whether the record is whole. For auditors alone; nothing is changed here."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.people.model import Account, Role
from bot.store.audit import Wanted
from bot.store.trail import Trail
from channels.web.days import day, morning
from channels.web.staff import check_form, requires, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/audit", include_in_schema=False)

Auditor = Annotated[Account, Depends(requires(Role.AUDITOR))]
Word = Annotated[str, Query(max_length=120)]


@router.get("")
async def audit(
    request: Request,
    services: ServicesDep,
    auditor: Auditor,
    actor: Word = "",
    action: Word = "",
    subject: Word = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """A page of the trail, narrowed by what was asked for."""
    asked = {"actor": actor.strip(), "action": action.strip(), "subject": subject.strip()}
    first, last = day(since), day(until)
    wanted = Wanted(
        **asked,
        since=morning(first) if first else None,
        until=morning(last + timedelta(days=1)) if last else None,
        before=before,
    )
    found = await run_in_threadpool(Trail(services.store).page, wanted)
    filters = {**asked, "since": since.strip(), "until": until.strip()}
    older = urlencode({**{k: v for k, v in filters.items() if v}, "before": found.before or ""})
    return await _page(request, services, auditor, found=found, filters=filters, older=older)


@router.post("/check")
async def check(
    request: Request, services: ServicesDep, auditor: Auditor, token: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Goes through the whole chain of digests."""
    check_form(request, token)
    trail = Trail(services.store)
    broken = await run_in_threadpool(trail.check, auditor.username)
    found = await run_in_threadpool(trail.page, Wanted())
    filters = dict.fromkeys(("actor", "action", "subject", "since", "until"), "")
    older = urlencode({"before": found.before or ""})
    return await _page(request, services, auditor, found=found, filters=filters, older=older, checked=True, at=broken)


async def _page(request: Request, services: Services, auditor: Account, **context: Any) -> Response:
    context = {"checked": False, "at": None, **context}
    return services.pages.render(request, "audit.html", **staff_context(request, auditor), **context)
