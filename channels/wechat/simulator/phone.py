"""A phone to try the Official Account with: one citizen's screen, drawn by the server, newest line last."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, File, Form, Request, UploadFile
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from channels.security import require_same_site
from channels.wechat.simulator.platform import Citizen, Platform

HERE = Path(__file__).parent
CITIZEN_COOKIE = "wenban_phone"
FIRST = "citizen-1"
ELDER_COOKIE = "wenban_elder"
LONGEST = 600
WAIT_SECONDS = 5.0
"""How long the screen is waited for: shorter than the server waits when it is stopped."""
SHOWN_SECONDS = 1.0
"""What is answered so soon is on the screen that follows a press."""
LOOK = 0.1
PLACES = (
    ("云山市政务服务中心", "25.2741", "110.2993"),
    ("东湖公园北门", "25.2836", "110.3021"),
    ("老城区解放路路口", "25.2698", "110.2875"),
)
_NAME = re.compile(r"[0-9A-Za-z_-]{1,24}")


def citizen_of(request: Request, name: Annotated[str, Cookie(alias=CITIZEN_COOKIE)] = FIRST) -> Citizen:
    """Whose phone the browser shows."""
    platform: Platform = request.app.state.platform
    return platform.citizen(name if _NAME.fullmatch(name) else FIRST)


Who = Annotated[Citizen, Depends(citizen_of)]


def router_of(platform: Platform, city: str) -> APIRouter:
    """The pages over ``platform``."""
    router = APIRouter(include_in_schema=False)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tasks: set[asyncio.Task[Any]] = set()

    async def begun(work: Coroutine[Any, Any, Any]) -> Response:
        """The work goes on while the screen is shown again."""
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.wait([task], timeout=SHOWN_SECONDS)
        return RedirectResponse("/#end", 303)

    posts = [Depends(require_same_site)]

    def drawn(template: str, request: Request, citizen: Citizen) -> HTMLResponse:
        page = environment.get_template(template).render(
            citizen=citizen,
            platform=platform,
            city=city,
            buttons=platform.menu.get("button", []),
            places=PLACES,
            elder=request.cookies.get(ELDER_COOKIE) == "1",
            longest=LONGEST,
            busy=bool(tasks),
        )
        return HTMLResponse(page, headers={"Cache-Control": "no-store", "X-Version": str(citizen.version)})

    @router.get("/")
    async def show(request: Request, citizen: Who) -> Response:
        return drawn("phone.html", request, citizen)

    @router.get("/screen")
    async def screen(request: Request, citizen: Who, version: int = -1) -> Response:
        """The screen once it is another than ``version``, at the latest after a while."""
        for _ in range(int(WAIT_SECONDS / LOOK)):
            if citizen.version != version:
                break
            await asyncio.sleep(LOOK)
        return drawn("screen.html", request, citizen)

    @router.post("/say", dependencies=posts)
    async def say(
        citizen: Who, text: Annotated[str, Form(max_length=LONGEST)] = "", voice: Annotated[str, Form()] = ""
    ) -> Response:
        if not text.strip():
            return RedirectResponse("/#end", 303)
        if not voice:
            return await begun(platform.say(citizen.openid, "text", {"Content": text}, text))
        media_id = platform.keep_media(b"", "audio/amr")
        fields = {"MediaId": media_id, "Format": "amr", "Recognition": text}
        return await begun(platform.say(citizen.openid, "voice", fields, f"[语音] {text}"))

    @router.post("/picture", dependencies=posts)
    async def picture(citizen: Who, file: Annotated[UploadFile, File()]) -> Response:
        content = await file.read()
        media_id = platform.keep_media(content, file.content_type or "application/octet-stream")
        fields = {"PicUrl": "", "MediaId": media_id}
        return await begun(platform.say(citizen.openid, "image", fields, f"[图片] {file.filename or ''}"[:80]))

    @router.post("/place", dependencies=posts)
    async def place(citizen: Who, number: Annotated[int, Form(ge=0, lt=len(PLACES))]) -> Response:
        label, north, east = PLACES[number]
        fields = {"Location_X": north, "Location_Y": east, "Scale": "16", "Label": label}
        return await begun(platform.say(citizen.openid, "location", fields, f"[位置] {label}"))

    @router.post("/act", dependencies=posts)
    async def act(
        citizen: Who, event: Annotated[str, Form()], key: Annotated[str, Form(max_length=128)] = ""
    ) -> Response:
        """A follow, a scan, a press of the menu."""
        shown = {"subscribe": "关注了公众号", "unsubscribe": "取消关注", "SCAN": f"扫码 {key}", "CLICK": "点了菜单"}
        if event not in shown:
            return RedirectResponse("/#end", 303)
        fields = {"EventKey": key, "Ticket": "demo"} if event == "SCAN" else {"EventKey": key}
        if event == "SCAN" and not citizen.followed:
            event, fields = "subscribe", {"EventKey": f"qrscene_{key}", "Ticket": "demo"}
        return await begun(platform.event(citizen.openid, event, fields, shown.get(event, event)))

    @router.post("/consent", dependencies=posts)
    async def consent(citizen: Who, template: Annotated[str, Form(min_length=1, max_length=64)]) -> Response:
        """The citizen accepts (or no longer accepts) notices of a template."""
        accepts = template not in citizen.consents
        (citizen.consents.add if accepts else citizen.consents.discard)(template)
        inner = "SubscribeMsgPopupEvent"
        fields = {"SubscribeStatusString": "accept" if accepts else "reject", "TemplateId": template, "PopupScene": "1"}
        shown = f"{'同意' if accepts else '不再'}接收通知 {template}"
        return await begun(platform.nested_event(citizen.openid, "subscribe_msg_popup_event", inner, fields, shown))

    @router.post("/phone", dependencies=posts)
    async def other(name: Annotated[str, Form()] = "", elder: Annotated[str, Form()] = "") -> Response:
        """Another citizen's phone, or larger letters."""
        response = RedirectResponse("/", 303)
        if _NAME.fullmatch(name):
            response.set_cookie(CITIZEN_COOKIE, name, httponly=True, samesite="lax")
        if elder:
            response.set_cookie(ELDER_COOKIE, "1" if elder == "on" else "0", httponly=True, samesite="lax")
        return response

    return router
