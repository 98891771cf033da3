"""Pictures sent into a conversation: taken in by content, given out to the conversation they belong to."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from channels.api.json import Json
from channels.api.models import errors
from channels.security import RateLimiter, address
from channels.wiring import ServicesDep

router = APIRouter(tags=["conversation"])

UPLOADS = "/api/v1/attachments"
AT_ONCE = asyncio.Semaphore(2)
"""Pictures decoded at the same time: each may take a few hundred megabytes for a moment."""


class Attached(BaseModel):
    """A picture as it was kept: made anew, without what its file told beside what is seen."""

    conversation_id: str
    id: str
    media_type: str
    width: int
    height: int
    url: Annotated[str, Field(description="Where the conversation's own client finds it.")]


@router.post("/attachments", status_code=201, response_model=Attached, responses=errors(404, 409, 413, 422, 429))
async def attach(
    request: Request,
    services: ServicesDep,
    picture: UploadFile,
    conversation_id: Annotated[str | None, Form(max_length=64)] = None,
    client_message_id: Annotated[
        str | None, Form(min_length=16, max_length=64, description="Sent again, it gets the picture kept before.")
    ] = None,
) -> Response:
    """Send a picture (JPEG, PNG, GIF, WebP or BMP, at most 10 MB) into a conversation, or begin one with it.

    What it is is told by its content. A complaint told in the conversation takes it along.
    """
    caller = address(request)
    await services.limiter.check(RateLimiter.TURNS_BY_ADDRESS, "attachment", caller)
    if conversation_id:
        await services.limiter.check(RateLimiter.TURNS_BY_CONVERSATION, "attachment", conversation_id)
    content = await picture.read()
    async with AT_ONCE:
        kept = await run_in_threadpool(
            services.sent.picture, content, conversation_id, client_message_id, "api", caller
        )
    services.bus.announce(kept.conversation_id)
    attachment = kept.attachment
    body = {
        "conversation_id": kept.conversation_id,
        "id": attachment.id,
        "media_type": attachment.media_type,
        "width": attachment.width,
        "height": attachment.height,
        "url": f"/api/v1/conversations/{kept.conversation_id}/attachments/{attachment.id}",
    }
    return Json(body, 200 if kept.repeated else 201, headers={"Cache-Control": "no-store"})


@router.get("/conversations/{conversation_id}/attachments/{attachment_id}", responses=errors(404, 429))
async def attachment(request: Request, services: ServicesDep, conversation_id: str, attachment_id: str) -> Response:
    """A picture of the conversation, for whoever knows the conversation's id."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "attachment", address(request))
    return given(await run_in_threadpool(services.sent.content, conversation_id, attachment_id))


def given(content: bytes) -> Response:
    """A picture as it goes out: never sniffed, never kept by caches in between."""
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type="image/jpeg", headers=headers)
