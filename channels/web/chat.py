"""/chat: the citizen's page. The script talks to the API; without it the form posts here and the page is drawn anew."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import Conflict, InvalidInput, NotFound, TooManyRequests, WenbanError
from channels.api.attachments import AT_ONCE
from channels.api.events import as_dict, read
from channels.security import RateLimiter, address, require_same_site
from channels.turns import Said
from channels.web.pages import ELDER_COOKIE
from channels.web.staff import local
from channels.web.starters import transcript_words
from channels.wiring import Services, ServicesDep

router = APIRouter(include_in_schema=False)

CONVERSATION_COOKIE = "wenban_conversation"
"""Only for browsers without the script; the script keeps the conversation itself."""
UPLOADS = "/chat/attachments"
COOKIE_SECONDS = 12 * 3600
YEAR_SECONDS = 365 * 24 * 3600


@router.get("/")
async def root() -> Response:
    return RedirectResponse("/chat", 307)


@router.get("/chat")
async def chat(request: Request, services: ServicesDep, ask: str = "") -> Response:
    """The page, with the conversation so far where the browser works without the script."""
    return await _page(request, services, draft=ask)


@router.post("/chat", dependencies=[Depends(require_same_site)])
async def say(
    request: Request,
    services: ServicesDep,
    text: Annotated[str, Form()] = "",
    quick: Annotated[str, Form()] = "",
    place: Annotated[str, Form()] = "",
    client_message_id: Annotated[str | None, Form(max_length=64)] = None,
) -> Response:
    """One turn of a browser without the script; a button's text goes before what is in the field."""
    spoken = services.phrases.say("attachment.place", place=place.strip()) if place.strip() else quick or text
    said = Said(spoken, request.cookies.get(CONVERSATION_COOKIE), client_message_id)
    try:
        answered = await services.converse(said, "web", request)
    except NotFound:  # the cookie outlived the conversation: begin anew
        answered = await services.converse(Said(said.text, None, client_message_id), "web", request)
    except (InvalidInput, TooManyRequests) as refusal:
        return await _page(request, services, draft=text, refusal=refusal)
    return _back(request, answered.conversation_id)


@router.post("/chat/attachments", dependencies=[Depends(require_same_site)])
async def send_picture(
    request: Request,
    services: ServicesDep,
    picture: UploadFile,
    client_message_id: Annotated[str | None, Form(min_length=16, max_length=64)] = None,
) -> Response:
    """A picture from a browser without the script."""
    caller = address(request)
    await services.limiter.check(RateLimiter.TURNS_BY_ADDRESS, "attachment", caller)
    conversation, content = request.cookies.get(CONVERSATION_COOKIE), await picture.read()
    keep = services.sent.picture
    try:
        async with AT_ONCE:
            try:
                kept = await run_in_threadpool(keep, content, conversation, client_message_id, "web", caller)
            except NotFound:  # the cookie outlived the conversation
                kept = await run_in_threadpool(keep, content, None, client_message_id, "web", caller)
    except (InvalidInput, Conflict) as refusal:
        return await _page(request, services, refusal=refusal)
    return _back(request, kept.conversation_id)


def _back(request: Request, conversation_id: str) -> Response:
    """To the page, with the conversation remembered."""
    response = RedirectResponse("/chat#content", 303)
    response.set_cookie(
        CONVERSATION_COOKIE,
        conversation_id,
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/preferences", dependencies=[Depends(require_same_site)])
async def prefer(
    request: Request, elder: Annotated[str, Form()] = "off", back: Annotated[str, Form(max_length=500)] = "/chat"
) -> Response:
    """Elder mode on or off, remembered for a year."""
    response = RedirectResponse(local(back, "/chat"), 303)
    response.set_cookie(
        ELDER_COOKIE,
        "1" if elder == "on" else "0",
        max_age=YEAR_SECONDS,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def _page(
    request: Request, services: Services, *, draft: str = "", refusal: WenbanError | None = None
) -> Response:
    conversation = request.cookies.get(CONVERSATION_COOKIE)
    events = []
    if conversation:
        try:
            events = [as_dict(event) for event in await read(services, conversation, 0)]
        except NotFound:
            conversation = None
    catalogue = await run_in_threadpool(services.starters.summary)
    return services.pages.render(
        request,
        "chat.html",
        status=refusal.status if refusal else 200,
        page="chat",
        conversation=conversation,
        events=events,
        shown=transcript_words(events),
        refusal=refusal,
        draft=draft[: services.longest_text],
        longest=services.longest_text,
        client_message_id=secrets.token_hex(16),
        starters=catalogue.starters if catalogue else (),
        catalogue=catalogue,
        words=services.pages.chat_words(),
    )
