"""/desk: the operators' page. Drawn by the server; htmx draws its parts anew when the stream says so."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.errors import WenbanError
from channels.web import desk_page as drawn
from channels.web.desk_page import Opened, Operator
from channels.web.staff import form_token
from channels.wiring import ServicesDep

router = APIRouter(prefix="/desk", include_in_schema=False)


@router.get("")
async def desk(request: Request, services: ServicesDep, operator: Operator, conversation: Opened = "") -> Response:
    """Queues, own conversations, and the one that is open. Looking into what is not one's own is written down."""
    if conversation:
        try:
            await run_in_threadpool(services.handing_off.rights.open, conversation, operator)
        except WenbanError as refusal:
            return await drawn.page(request, services, operator, "", refusal)
    return await drawn.page(request, services, operator, conversation)


@router.get("/mine")
async def mine(request: Request, services: ServicesDep, operator: Operator, conversation: Opened = "") -> Response:
    """The operator himself: whether he is there, what he has, what he is asked to take."""
    context = await run_in_threadpool(drawn.own, services, operator, conversation)
    return services.pages.render(request, "desk/mine.html", token=form_token(request), **context)


@router.get("/queue")
async def queue(request: Request, services: ServicesDep, operator: Operator, conversation: Opened = "") -> Response:
    """What waits in his queues, and who else is there."""
    shared = (await services.snapshots()).shared
    context = await run_in_threadpool(drawn.queue, services, operator, conversation, shared)
    return services.pages.render(request, "desk/queue.html", token=form_token(request), **context)


@router.get("/thread")
async def thread(request: Request, services: ServicesDep, operator: Operator, conversation: Opened) -> Response:
    """What was said, and who has the conversation; reading it marks it as read."""
    context = await run_in_threadpool(drawn.thread, services, operator, conversation)
    return services.pages.render(request, "desk/thread.html", **context)


@router.get("/assist")
async def assist(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    conversation: Opened = "",
    q: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The best passages for what the citizen said last, or for what the operator looks for; then also who is in charge
    by the list of powers, the complaints that say so, and the way to a case whose number it is.
    """
    if conversation:
        await run_in_threadpool(services.handing_off.rights.check, conversation, operator)
    context = await drawn.assist(services, conversation, q)
    call = context["call"]
    mine = call is not None and call.state == "person" and call.operator_id == operator.id
    if q.strip():
        context |= await run_in_threadpool(drawn.looked_up, services, operator, q.strip())
    return services.pages.render(request, "desk/assist.html", token=form_token(request), mine=mine, **context)
