"""Complaints over HTTP: file one, follow it, correct it or take it back within ten minutes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.answers.phrases import Phrases
from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.model import Kind
from bot.conversations.danger import GENERAL
from channels.api.json import Json
from channels.api.models import errors
from channels.security import RateLimiter, address
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/complaints", tags=["complaints"])

CHANNEL = "api"
KindName = Literal["投诉", "求助", "咨询", "建议", "举报", "表扬"]
Code = Annotated[str, Query(min_length=1, max_length=64, description="The query code given when it was filed.")]


class ComplaintRequest(BaseModel):
    """A complaint as it is handed in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "人民路药材公司门口水管爆了，喷了一个小时", "kind": "求助"}]}
    )

    text: Annotated[str, Field(description="What happened, where and when; 4 to 2,000 characters.")]
    kind: Annotated[KindName | None, Field(description="What the citizen wants; absent: judged by the text.")] = None
    location: Annotated[str | None, Field(description="The place, as the citizen names it.")] = None
    contact: Annotated[str | None, Field(description="Phone or other way to answer; kept sealed.")] = None
    anonymous: bool = False
    attachments: Annotated[list[str] | None, Field(description="References of attachments, at most 9.")] = None
    case_number: Annotated[str | None, Field(description="The case it is about, if it is about one.")] = None
    happened: Annotated[str | None, Field(description="When it happened, in the citizen's words.")] = None
    wish: Annotated[str | None, Field(description="What is to be done, in the citizen's words.")] = None

    def filing(self) -> Filing:
        """The request as the service takes it."""
        return Filing(
            text=self.text,
            kind=Kind(self.kind) if self.kind else None,
            location=self.location,
            contact=self.contact,
            anonymous=self.anonymous,
            attachments=tuple(self.attachments or ()),
            case_number=self.case_number,
            happened=self.happened,
            wish=self.wish,
        )


class UnitCandidate(BaseModel):
    department: str
    score: Annotated[float, Field(description="Calibrated probability in 0..1 that this unit is responsible.")]
    power: Annotated[str, Field(description="Code of the power it rests on.")]
    basis: Annotated[str, Field(description="That power, its duty and the law, in words.")]


class ComplaintEvent(BaseModel):
    number: int
    at: datetime
    act: str
    state: str


class Complaint(BaseModel):
    """A complaint as whoever knows its query code sees it."""

    number: Annotated[str, Field(description="TS and 13 digits, the last of them a check digit.")]
    query_code: str
    kind: KindName
    category: Annotated[str, Field(description="大类/小类 of the published list.")]
    urgent: Annotated[bool, Field(description="Somebody's life or limb is in danger now.")]
    department: Annotated[str | None, Field(description="The responsible unit; null while an operator decides.")]
    co_departments: list[str]
    candidates: Annotated[list[UnitCandidate], Field(description="At most three, best first.")]
    state: str
    due_at: Annotated[datetime, Field(description="By when it is to be closed.")]
    provisional: Annotated[bool, Field(description="The due date rests on holidays that are not published yet.")]
    duplicate_of: Annotated[str | None, Field(description="An open complaint about the same incident.")]
    filed_at: datetime
    text: str
    location: str | None
    case_number: str | None
    happened: str | None
    wish: str | None
    joined: Annotated[int, Field(description="How many others joined it.")]
    merged_into: Annotated[str | None, Field(description="The complaint it is handled with.")]
    answer: str | None
    events: list[ComplaintEvent]
    advice: Annotated[str | None, Field(description="In danger: whom to call first, in Chinese.")] = None


@router.post("", status_code=201, response_model=Complaint, responses=errors(409, 413, 422, 429, 503))
async def file_complaint(
    request: Request,
    services: ServicesDep,
    asked: ComplaintRequest,
    idempotency_key: Annotated[
        str | None, Header(max_length=500, description="Sent again, it gets the same number and files nothing.")
    ] = None,
) -> Response:
    """File a complaint. 201, or 200 where the same `Idempotency-Key` had filed it before."""
    caller = address(request)
    await services.limiter.check(RateLimiter.TURNS_BY_ADDRESS, "complaint", caller)
    shown = await run_in_threadpool(
        services.complaints.service.file, asked.filing(), Asker(CHANNEL, caller), idempotency_key
    )
    return _json(shown, services, 200 if shown.repeated else 201)


@router.post("/{number}/join", response_model=Complaint, responses=errors(409, 413, 422, 429, 503))
async def join_complaint(
    request: Request,
    services: ServicesDep,
    number: str,
    asked: ComplaintRequest,
    idempotency_key: Annotated[
        str | None, Header(max_length=500, description="Sent again, it gets the same code and joins once.")
    ] = None,
) -> Response:
    """Join an open complaint (`duplicate_of`) by telling of the same incident. 409 where the text tells of another.

    Whoever joins gets a query code of his own, sees no words of others, and is told the answer.
    """
    caller = address(request)
    await services.limiter.check(RateLimiter.TURNS_BY_ADDRESS, "complaint", caller)
    join = services.complaints.joining.join
    return _json(
        await run_in_threadpool(join, number, asked.filing(), Asker(CHANNEL, caller), idempotency_key), services
    )


@router.get("/{number}", response_model=Complaint, responses=errors(404, 422, 429))
async def one_complaint(request: Request, services: ServicesDep, number: str, code: Code) -> Response:
    """Follow a complaint. An unknown number and a wrong code look the same; wrong codes lock the look-up."""
    asker = await _asker(request, services)
    return _json(await run_in_threadpool(services.complaints.service.look_up, number, code, asker), services)


@router.put("/{number}", response_model=Complaint, responses=errors(404, 409, 422, 429))
async def correct_complaint(
    request: Request, services: ServicesDep, number: str, code: Code, asked: ComplaintRequest
) -> Response:
    """Put another text in place of what was filed, within ten minutes; it is judged and sent anew."""
    asker = await _asker(request, services)
    correct = services.complaints.service.correct
    return _json(await run_in_threadpool(correct, number, code, asked.filing(), asker), services)


@router.delete("/{number}", response_model=Complaint, responses=errors(404, 409, 429))
async def withdraw_complaint(request: Request, services: ServicesDep, number: str, code: Code) -> Response:
    """Take a complaint back, within ten minutes."""
    asker = await _asker(request, services)
    return _json(await run_in_threadpool(services.complaints.service.withdraw, number, code, asker), services)


async def _asker(request: Request, services: Services) -> Asker:
    caller = address(request)
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "complaints", caller)
    return Asker(CHANNEL, caller)


def _json(shown: Shown, services: Services, status: int = 200) -> Response:
    return Json(body(shown, services.phrases), status, headers={"Cache-Control": "no-store"})


def body(shown: Shown, phrases: Phrases) -> dict[str, Any]:
    """The promised shape."""
    return {
        "number": shown.number,
        "query_code": shown.query_code,
        "kind": shown.kind,
        "category": shown.category,
        "urgent": shown.urgent,
        "department": shown.department,
        "co_departments": list(shown.co_departments),
        "candidates": [dict(candidate) for candidate in shown.candidates],
        "state": shown.state,
        "due_at": shown.due_at,
        "provisional": shown.provisional,
        "duplicate_of": shown.duplicate_of,
        "filed_at": shown.filed_at,
        "text": shown.text,
        "location": shown.location,
        "case_number": shown.case_number,
        "happened": shown.happened,
        "wish": shown.wish,
        "joined": shown.joined,
        "merged_into": shown.merged_into,
        "answer": shown.answer,
        "events": [dict(event) for event in shown.events],
        "advice": phrases.say(f"emergency.{shown.danger or GENERAL}") if shown.urgent else None,
    }
