"""The stand-in's API under the platform's own paths: HTTP 200 always, refusals as ``errcode``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from channels.wechat.simulator.platform import Platform, Refusal


def router_of(platform: Platform) -> APIRouter:
    """The routes over ``platform``."""
    router = APIRouter(prefix="/cgi-bin")

    async def answered(request: Request, act: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]) -> Response:
        try:
            if not request.url.path.endswith("/stable_token"):
                platform.check_token(request.query_params.get("access_token", ""))
            body = await request.json() if request.method == "POST" else {}
            return JSONResponse(act(body) or {"errcode": 0, "errmsg": "ok"})
        except Refusal as refusal:
            return JSONResponse({"errcode": refusal.errcode, "errmsg": refusal.errmsg})
        except json.JSONDecodeError:
            return JSONResponse({"errcode": 47001, "errmsg": "data format error"})

    @router.post("/stable_token")
    async def stable_token(request: Request) -> Response:
        return await answered(request, platform.token)

    @router.post("/message/custom/send")
    async def custom(request: Request) -> Response:
        return await answered(request, platform.custom)

    @router.post("/message/subscribe/bizsend")
    async def notice(request: Request) -> Response:
        return await answered(request, platform.notice)

    @router.post("/menu/create")
    async def menu(request: Request) -> Response:
        return await answered(request, platform.publish_menu)

    @router.get("/get_current_selfmenu_info")
    async def current_menu(request: Request) -> Response:
        return await answered(request, lambda _: {"is_menu_open": 1, "selfmenu_info": platform.menu})

    @router.get("/media/get")
    async def media(request: Request) -> Response:
        found = platform.media.get(request.query_params.get("media_id", ""))

        def missing(_: Mapping[str, Any]) -> None:
            if found is None:
                raise Refusal(40007, "invalid media_id")

        checked = await answered(request, missing)
        if json.loads(bytes(checked.body))["errcode"] or found is None:
            return checked
        return Response(found[1], media_type=found[0])

    return router
