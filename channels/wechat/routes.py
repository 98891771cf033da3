"""``/wechat``: the address that is entered as the Official Account's server URL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from bot.errors import NotFound, TooLarge
from channels.wechat.service import WeChat, arrived_now
from channels.wechat.words import say

router = APIRouter(include_in_schema=False)


async def channel_of(request: Request) -> WeChat:
    """The channel. Raises NotFound where it is not switched on."""
    wechat: WeChat | None = request.app.state.services.wechat
    if wechat is None:
        raise NotFound(say("refused.off"), code="wechat_off", remedy=say("refused.off_remedy"))
    return wechat


Channel = Annotated[WeChat, Depends(channel_of)]


@router.get("/wechat")
async def verify(request: Request, wechat: Channel) -> Response:
    """The platform's check that the address is ours."""
    return PlainTextResponse(wechat.verify(request.query_params), headers={"Cache-Control": "no-store"})


@router.post("/wechat")
async def post(request: Request, wechat: Channel) -> Response:
    """One message or event; the same one may be posted three times."""
    arrived = arrived_now()
    try:
        posted = await request.body()
    except ClientDisconnect:
        return PlainTextResponse("", 400)  # nobody is there any more; the platform posts again
    except TooLarge:
        raise wechat.refused("too_large") from None
    body = await wechat.post(request.query_params, posted, arrived)
    if not body:
        return PlainTextResponse("success")
    return Response(body, media_type="text/xml; charset=utf-8")
