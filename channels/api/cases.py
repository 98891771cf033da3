"""Cases over HTTP: progress for who knows the code, the present state from business systems with a key."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.answers.phrases import Phrases
from bot.cases.card import card, text
from bot.cases.form import CASES
from bot.cases.model import Case
from bot.cases.numbers import folded
from bot.cases.service import Asker
from bot.errors import InvalidInput
from bot.keys.model import Scope
from bot.matters.faults import Notes
from bot.matters.rows import Row
from bot.matters.validation import validated
from channels.api.json import Json
from channels.api.models import CaseProgress, CaseTaken, errors
from channels.messages import explained
from channels.security import RateLimiter, address
from channels.wiring import ServicesDep

router = APIRouter(prefix="/cases", tags=["cases"])


@router.get("/{number}", response_model=CaseProgress, responses=errors(404, 422, 429))
async def case_progress(
    request: Request,
    services: ServicesDep,
    number: str,
    code: Annotated[
        str,
        Query(max_length=64, description="The query code, or the last four of the applicant's identity card or phone."),
    ],
) -> Response:
    """How far a case has come. An unknown number and a wrong code answer the same; failures lock for a while."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "cases", address(request))
    asker = Asker("api", origin=address(request))
    found = await run_in_threadpool(services.casework.cases.look_up, number, code, asker)
    phrases = Phrases(services.settings.city_name, services.settings.hotline)
    today = services.clock.now().date()
    body = card(found.case, found.progress, phrases, today)
    body["text"] = text(found.case, found.progress, phrases, today)
    return Json(body, headers={"Cache-Control": "no-store"})


@router.put("/{number}", response_model=CaseTaken, responses=errors(401, 403, 409, 422))
async def put_case(
    request: Request,
    services: ServicesDep,
    number: str,
    sent: Annotated[dict[str, Any], Body(description="One case in the exchange format, see docs/cases.md.")],
    authorization: Annotated[str, Header(description="`Bearer` and an API key with the scope `cases:write`.")] = "",
) -> Response:
    """Stores the present state of a case; who is to be told of a change is told once, however often it is sent."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "cases", address(request))
    token = authorization.removeprefix("Bearer ").strip()
    key = await run_in_threadpool(services.casework.keys.authorise, token, Scope.CASES_WRITE)
    case = _checked(number, sent)
    source = f"api:{key.name}"
    taken = await run_in_threadpool(services.casework.keeper.put, case, source, actor=f"key:{key.name}")
    services.metrics.cases_taken.labels(taken).inc()
    return Json({"number": case.number, "taken": taken}, headers={"Cache-Control": "no-store"})


def _checked(number: str, sent: dict[str, Any]) -> Case:
    """The case that was sent. Raises InvalidInput with every fault."""
    found = validated(Row(1, {"number": number, **sent}), CASES, Case, Notes())
    if isinstance(found, list):
        message, remedy = explained("case_faulty", count=len(found), first=_worded(found[0]))
        details = [{"field": fault.field, "label": fault.label, "reason": fault.reason} for fault in found]
        raise InvalidInput(message, code="case_faulty", remedy=remedy, details=details)
    if folded(found.number) != folded(number):
        message, remedy = explained("case_number_differs")
        raise InvalidInput(message, code="case_number_differs", remedy=remedy)
    return found


def _worded(fault: Any) -> str:
    return f"{fault.label or fault.field or ''} {fault.reason}".strip()
