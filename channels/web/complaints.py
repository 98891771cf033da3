"""/complaints: a citizen's own complaint, opened with its query code by a form; works without a script.

The code never stands in an address: it travels once in the form and then sealed in a short-lived cookie.
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.complaints import numbers
from bot.complaints.card import card
from bot.complaints.filing import (
    LONGEST_CONTACT,
    LONGEST_HAPPENED,
    LONGEST_LOCATION,
    LONGEST_WISH,
    Asker,
    Filing,
    Shown,
)
from bot.complaints.handling import LONGEST_NOTE, Step
from bot.complaints.model import CORRECTABLE_FOR, OPEN, Act, Actor, Kind, Party, State
from bot.errors import ConfigurationError, InvalidInput, WenbanError
from bot.judgements.model import LEVELS
from bot.text import LONGEST
from channels.security import RateLimiter, address, require_same_site
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/complaints", include_in_schema=False)

COOKIE = "wenban_complaint"
OPEN_FOR = timedelta(minutes=30)
_CONTEXT = "complaints.page"
_ANSWERED = frozenset({State.ANSWERED, State.REVIEWED, State.CLOSED})
_HEADERS = {"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex"}
Words = Annotated[str, Form(max_length=LONGEST * 2)]


@router.get("")
async def ask(request: Request, services: ServicesDep) -> Response:
    """The form for number and code."""
    return _asked(request, services)


@router.post("", dependencies=[Depends(require_same_site)])
async def open_it(
    request: Request,
    services: ServicesDep,
    number: Annotated[str, Form(max_length=64)] = "",
    code: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Opens a complaint: the right code is remembered for half an hour."""
    await services.limiter.check(RateLimiter.SIGN_INS_BY_ADDRESS, "complaint", address(request))
    try:
        shown = await run_in_threadpool(services.complaints.service.look_up, number, code, _asker(request))
    except WenbanError as refusal:
        return _asked(request, services, number=number, refusal=refusal)
    until = services.clock.now() + OPEN_FOR
    kept = orjson.dumps({"number": shown.number, "code": shown.query_code, "until": until.isoformat()}).decode()
    sealed = base64.urlsafe_b64encode(services.casework.sealer.seal(kept, _CONTEXT)).decode()
    response = RedirectResponse(f"/complaints/{shown.number}#content", 303)
    response.set_cookie(
        COOKIE,
        sealed,
        max_age=int(OPEN_FOR.total_seconds()),
        path="/complaints",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.get("/{number}")
async def one(request: Request, services: ServicesDep, number: str) -> Response:
    """The complaint, where its code was given a moment ago; else the form for it."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "complaints", address(request))
    shown = await _opened(request, services, number)
    return _asked(request, services, number=number) if shown is None else await _page(request, services, shown)


@router.post("/{number}", dependencies=[Depends(require_same_site)])
async def change(
    request: Request,
    services: ServicesDep,
    number: str,
    act: Annotated[str, Form(max_length=20)] = "",
    text: Words = "",
    place: Annotated[str, Form(max_length=LONGEST_LOCATION * 2)] = "",
    happened: Annotated[str, Form(max_length=LONGEST_HAPPENED * 2)] = "",
    wish: Annotated[str, Form(max_length=LONGEST_WISH * 2)] = "",
    contact: Annotated[str, Form(max_length=LONGEST_CONTACT * 2)] = "",
    reason: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    """Withdraws, corrects, adds to or disagrees with the complaint that was opened."""
    await services.limiter.check(RateLimiter.SIGN_INS_BY_ADDRESS, "complaint", address(request))
    shown = await _opened(request, services, number)
    if shown is None:
        return _asked(request, services, number=number)
    filing = Filing(
        text=text,
        kind=Kind(shown.kind),
        location=place,
        contact=contact,
        anonymous=shown.anonymous and not contact.strip(),
        attachments=shown.attachments,
        happened=happened,
        wish=wish,
        urgent=shown.urgent,
    )
    asker = _asker(request)
    try:
        if act == "withdraw":
            await run_in_threadpool(services.complaints.service.withdraw, shown.number, shown.query_code, asker)
        elif act == "correct":
            await run_in_threadpool(services.complaints.service.correct, shown.number, shown.query_code, filing, asker)
        elif act == "supplement":
            await run_in_threadpool(services.complaints.following.supplement, shown, reason)
        elif act == "reopen" and not shown.as_joiner:
            step = Step(shown.number, Act.REOPEN, shown.version, note=reason)
            await run_in_threadpool(services.complaints.handling.act, step, Actor(Party.CITIZEN, "citizen"))
        else:
            raise InvalidInput("没有这种操作。", code="complaint_act", remedy="请刷新后再试。")
    except WenbanError as refusal:
        again = await _opened(request, services, number)
        return await _page(request, services, again or shown, refusal)
    return RedirectResponse(f"/complaints/{shown.number}?done={act}#content", 303)


async def _opened(request: Request, services: Services, number: str) -> Shown | None:
    """The complaint whose code this browser has given lately."""
    kept = request.cookies.get(COOKIE)
    if not kept:
        return None
    try:
        value = orjson.loads(services.casework.sealer.open(base64.urlsafe_b64decode(kept), _CONTEXT))
    except (ConfigurationError, binascii.Error, ValueError):
        return None
    wanted = numbers.folded_number(number)[:20]
    if value["number"] != wanted or value["until"] < services.clock.now().isoformat():
        return None
    try:
        return await run_in_threadpool(services.complaints.service.look_up, wanted, value["code"], _asker(request))
    except WenbanError:
        return None


def _asker(request: Request) -> Asker:
    return Asker("page", address(request))


def _asked(request: Request, services: Services, *, number: str = "", refusal: WenbanError | None = None) -> Response:
    return services.pages.render(
        request,
        "complaint.html",
        status=refusal.status if refusal else 200,
        headers=_HEADERS,
        page="complaints",
        number=number[:64],
        refusal=refusal,
        shown=None,
        done="",
        words=services.pages.words["complaint"],
    )


async def _page(request: Request, services: Services, shown: Shown, refusal: WenbanError | None = None) -> Response:
    now = services.clock.now()
    state = State(shown.handled_state)
    answered = state in _ANSWERED and not shown.as_joiner
    subject = f"complaint:{shown.number}"
    token = await run_in_threadpool(services.casework.judgements.latest_token, subject) if answered else None
    judged = await run_in_threadpool(services.casework.judgements.read, token) if token else None
    own = not shown.as_joiner
    changeable = own and not shown.joined and shown.state in (State.FILED, State.DISPATCHED)
    return services.pages.render(
        request,
        "complaint.html",
        status=refusal.status if refusal else 200,
        headers=_HEADERS,
        page="complaints",
        number=shown.number,
        refusal=refusal,
        shown=shown,
        card=card(shown, services.phrases, now.date()),
        changeable=changeable and now - shown.filed_at <= CORRECTABLE_FOR,
        open=own and shown.state in OPEN,
        answered=answered,
        token=token,
        judged=judged.level if judged else None,
        levels=LEVELS,
        longest=LONGEST,
        done=request.query_params.get("done", "") if refusal is None else "",
        words=services.pages.words["complaint"],
    )
