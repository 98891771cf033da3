"""POST /api/v1/chat: one citizen turn, as JSON or as a stream of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from bot.errors import WenbanError
from channels.api.json import Json
from channels.api.models import ChatReply, ChatRequest, errors
from channels.security import RateLimiter, address
from channels.turns import Answered, Said
from channels.wiring import ServicesDep

router = APIRouter(tags=["conversation"])

CHANNEL = "api"


@router.post(
    "/chat",
    response_model=ChatReply,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "The reply, or the same turn as events"},
        **errors(404, 409, 413, 422, 429, 503),
    },
)
async def chat(request: Request, services: ServicesDep, asked: ChatRequest) -> Response:
    """Say something and get the reply.

    With `Accept: text/event-stream` the same turn comes as events: `working` at once, a `message` for each message of
    the reply, then `reply` with the whole of it, or `error`.
    """
    said = Said(asked.text, asked.conversation_id, asked.client_message_id)
    if "text/event-stream" not in request.headers.get("accept", ""):
        return _json(await services.converse(said, CHANNEL, request))
    # Refused before the stream begins, where there is still a status to say it with.
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "stream", address(request))
    turn = asyncio.create_task(services.converse(said, CHANNEL, request))
    return EventSourceResponse(_events(turn), ping=15, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})


def _json(answered: Answered) -> Response:
    return Json(answered.to_dict(), headers={"Cache-Control": "no-store"})


async def _events(turn: asyncio.Task[Answered]) -> AsyncIterator[ServerSentEvent]:
    # The turn goes on when the client leaves: the reply is in the conversation's log when it comes back.
    yield ServerSentEvent("{}", event="working")
    try:
        answered = (await asyncio.shield(turn)).to_dict()
    except WenbanError as error:
        yield ServerSentEvent(_data({**error.as_dict(), "status": error.status}), event="error")
        return
    for message in answered["messages"]:
        yield ServerSentEvent(_data(message), event="message")
    yield ServerSentEvent(_data(answered), event="reply")


def _data(value: object) -> str:
    return orjson.dumps(value).decode()
