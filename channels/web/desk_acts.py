"""/desk: what an operator does with a conversation. Every step is a form; what is refused is shown in its place."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.errors import WenbanError
from bot.people.model import Account
from channels.web import desk_page as drawn
from channels.web.desk_page import Conversation, Number, Once, Operator, Text, Token, done, to
from channels.web.staff import check_form
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/desk", include_in_schema=False)


@router.post("/presence")
async def presence(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    token: Token = "",
    state: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    conversation: Conversation = "",
) -> Response:
    check_form(request, token)
    presences = services.handing_off.presences
    return await done(request, services, operator, conversation, lambda: presences.set(operator, state, reason))


@router.post("/take")
async def take(
    request: Request, services: ServicesDep, operator: Operator, handoff: Number, token: Token = ""
) -> Response:
    """One gets it; the others see who."""
    check_form(request, token)
    return await _got(request, services, operator, handoff, services.handing_off.operating.take)


@router.post("/take-over")
async def take_over(
    request: Request, services: ServicesDep, operator: Operator, handoff: Number, token: Token = ""
) -> Response:
    """A supervisor steps in for an operator."""
    check_form(request, token)
    return await _got(request, services, operator, handoff, services.handing_off.operating.take_over)


@router.post("/step-in")
async def step_in(
    request: Request, services: ServicesDep, operator: Operator, conversation: Conversation, token: Token = ""
) -> Response:
    check_form(request, token)
    operating = services.handing_off.operating
    return await done(request, services, operator, conversation, lambda: operating.step_in(conversation, operator))


@router.post("/phone")
async def phone(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    number: Annotated[str, Form(max_length=40)] = "",
    token: Token = "",
) -> Response:
    """The telephone has rung: a conversation for what the caller says."""
    check_form(request, token)
    try:
        opened = await run_in_threadpool(services.handing_off.phoning.open, operator, number)
    except WenbanError as refusal:
        return await drawn.page(request, services, operator, "", refusal)
    return to(opened)


@router.post("/heard")
async def heard(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    text: Text = "",
    token: Token = "",
) -> Response:
    """What the caller said, typed by the operator."""
    check_form(request, token)
    said = services.handing_off.phoning.said
    return await done(request, services, operator, conversation, lambda: said(handoff, operator, text))


@router.post("/reply")
async def reply(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    text: Text = "",
    code: Annotated[str, Form(max_length=64)] = "",
    asked: Annotated[str, Form(max_length=500)] = "",
    reply_id: Once = None,
    token: Token = "",
) -> Response:
    """A word to the citizen; ``code`` and ``asked``: the guide's passage it was made of, whose source it then keeps.

    Asked by htmx the answer is the place for refusals, empty when it was sent.
    """
    check_form(request, token)
    refusal: WenbanError | None = None

    def step() -> None:
        said, more = text, {}
        if code and text.strip():
            cited = services.assist.cited(code, asked, text, services.clock.now().date())
            said, more = cited.text, {"guide": {"code": cited.code, "edited": cited.edited}}
        services.handing_off.operating.reply(handoff, operator, said, reply_id, more=more)

    try:
        await run_in_threadpool(step)
    except WenbanError as error:
        refusal = error
    if "hx-request" in request.headers:
        return services.pages.render(
            request,
            "desk/sent.html",
            status=refusal.status if refusal else 200,
            refusal=refusal,
            reply_id=reply_id if refusal else secrets.token_hex(8),
        )
    if refusal is not None:
        return await drawn.page(request, services, operator, conversation, refusal, draft=text)
    return to(conversation)


@router.post("/typing", status_code=204)
async def typing(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    on: Annotated[bool, Form()] = True,
    token: Token = "",
) -> Response:
    """The operator types, or has stopped: the citizen's page shows it."""
    check_form(request, token)
    await run_in_threadpool(services.handing_off.noting.types, handoff, operator, typing=on)
    return Response(status_code=204)


@router.post("/note")
async def note(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    text: Text = "",
    token: Token = "",
) -> Response:
    """A whisper that the citizen never sees."""
    check_form(request, token)
    noting = services.handing_off.noting
    return await done(request, services, operator, conversation, lambda: noting.note(handoff, operator, text))


@router.post("/tags")
async def tags(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    tags: Annotated[str, Form(max_length=400)] = "",
    token: Token = "",
) -> Response:
    """Sets the tags, parted by spaces, commas or 、."""
    check_form(request, token)
    wanted = tags.replace("、", " ").replace("，", " ").replace(",", " ").split()
    noting = services.handing_off.noting
    return await done(request, services, operator, conversation, lambda: noting.tag(handoff, operator, wanted))


@router.post("/transfer")
async def transfer(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    to: Annotated[str, Form(max_length=540)] = "",
    text: Text = "",
    token: Token = "",
) -> Response:
    """To a queue (``queue:NAME``), a department's queue (``department:NAME``) or a colleague (``account:ID``)."""
    check_form(request, token)
    kind, _, name = to.partition(":")
    aim: dict[str, Any] = {}
    if kind == "queue":
        aim = {"queue": name}
    elif kind == "department":
        aim = {"queue": services.handing_off.desk.queue_for(name).name}
        text = f"（{name}）{text}" if text.strip() else text
    elif kind == "account" and name.isdecimal():
        aim = {"to": int(name)}
    operating = services.handing_off.operating
    return await done(
        request, services, operator, conversation, lambda: operating.transfer(handoff, operator, text, **aim)
    )


@router.post("/address")
async def address(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    salutation: Annotated[str, Form(max_length=80)] = "",
    token: Token = "",
) -> Response:
    """How the citizen is addressed; canned replies then say it."""
    check_form(request, token)
    noting = services.handing_off.noting
    return await done(request, services, operator, conversation, lambda: noting.address(handoff, operator, salutation))


@router.post("/return")
async def give_back(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    matter: Annotated[str, Form(max_length=64)] = "",
    token: Token = "",
) -> Response:
    """Back to the assistant, with what the conversation is about."""
    check_form(request, token)

    def step() -> None:
        if matter.strip():
            services.guide(matter.strip())
        services.handing_off.operating.give_back(handoff, operator, matter.strip() or None)

    return await done(request, services, operator, conversation, step)


@router.post("/close")
async def close(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    outcome: Annotated[str, Form(max_length=20)] = "",
    token: Token = "",
) -> Response:
    check_form(request, token)
    operating = services.handing_off.operating
    return await done(request, services, operator, conversation, lambda: operating.close(handoff, operator, outcome))


async def _got(request: Request, services: Services, operator: Account, handoff: int, step: Any) -> Response:
    try:
        taken = await run_in_threadpool(step, handoff, operator)
    except WenbanError as refusal:
        return await drawn.page(request, services, operator, "", refusal)
    return to(taken)
