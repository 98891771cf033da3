"""/desk: help that is sent or done for the citizen: cards, notices, cases, what he did earlier, filing a complaint."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.cases.card import text as case_text
from bot.cases.service import Asker as CaseAsker
from bot.complaints.filing import Asker, Filing
from bot.complaints.model import Kind
from bot.errors import Forbidden, NotFound, WenbanError
from bot.handoff.reading import Thread
from bot.people.model import Account, Role
from channels.web import desk_page as drawn
from channels.web.desk_page import Conversation, Number, Once, Opened, Operator, Token, done
from channels.web.staff import check_form
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/desk", include_in_schema=False)

MOST_EARLIER = 10


class FilingForm(BaseModel):
    """A complaint as the operator writes it down."""

    handoff: Annotated[int, Field(ge=0)]
    conversation: Annotated[str, Field(max_length=64)]
    text: Annotated[str, Field(max_length=4000)] = ""
    kind: Literal["", "投诉", "求助", "咨询", "建议", "举报", "表扬"] = ""
    location: Annotated[str, Field(max_length=400)] = ""
    happened: Annotated[str, Field(max_length=200)] = ""
    wish: Annotated[str, Field(max_length=400)] = ""
    contact: Annotated[str, Field(max_length=200)] = ""
    caller: bool = False
    anonymous: bool = False
    urgent: bool = False
    attached: bool = False
    reply_id: Annotated[str | None, Field(max_length=64)] = None
    token: Annotated[str, Field(max_length=100)] = ""


@router.post("/card")
async def card(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    handoff: Number,
    conversation: Conversation,
    code: Annotated[str, Form(max_length=64)],
    asked: Annotated[str, Form(max_length=500)] = "",
    notice: Annotated[bool, Form()] = False,
    reply_id: Once = None,
    token: Token = "",
) -> Response:
    """Sends what a guide says as a card: to what was asked, or (``notice``) all a citizen must be told at once."""
    check_form(request, token)

    def step() -> None:
        prepared = services.assist.prepared(code, asked, services.clock.now().date(), notice=notice)
        operating = services.handing_off.operating
        operating.reply(handoff, operator, prepared.text, reply_id, card=prepared.card)

    return await done(request, services, operator, conversation, step)


@router.post("/file")
async def file(
    request: Request, services: ServicesDep, operator: Operator, form: Annotated[FilingForm, Form()]
) -> Response:
    """Files a complaint on the citizen's behalf, and tells him number and code in the conversation."""
    check_form(request, form.token)
    return await done(request, services, operator, form.conversation, lambda: _filed(services, operator, form))


def _filed(services: Services, operator: Account, form: FilingForm) -> None:
    handing_off = services.handing_off
    thread = handing_off.reading.thread(form.conversation)
    _check_his(thread, form.handoff, operator)
    contact = form.contact
    if form.caller and not form.anonymous and not contact:
        contact = handing_off.phoning.caller(form.handoff) or ""
    pictures = services.attachments.of_conversation(form.conversation) if form.attached else []
    filing = Filing(
        text=form.text,
        kind=Kind(form.kind) if form.kind else None,
        location=form.location,
        contact=contact,
        anonymous=form.anonymous,
        attachments=tuple(each.id for each in pictures),
        happened=form.happened,
        wish=form.wish,
        urgent=form.urgent,
    )
    asker = Asker(thread.channel, f"desk:{operator.username}", thread.citizen, form.conversation)
    shown = services.complaints.service.file(filing, asker, form.reply_id)
    at = shown.due_at
    told = services.phrases.say(
        "handoff.filed",
        number=shown.number,
        code=shown.query_code,
        unit=shown.department or services.phrases.say("handoff.unit_later"),
        day=services.phrases.day(at.date(), services.clock.now().date()),
    )
    more = {"complaint": shown.number}
    handing_off.operating.reply(form.handoff, operator, told, form.reply_id, more=more)
    if not shown.repeated:
        handing_off.noting.note(form.handoff, operator, f"已代为登记诉求 {shown.number}。")


@router.post("/case")
async def case(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    number: Annotated[str, Form(max_length=64)] = "",
    code: Annotated[str, Form(max_length=64)] = "",
    token: Token = "",
) -> Response:
    """A case for somebody who tells number and code; wrong ones count against the operator; look-ups are audited."""
    check_form(request, token)
    asker = CaseAsker("desk", origin=f"desk:{operator.username}")
    found: str | None = None
    refusal: WenbanError | None = None
    try:
        shown = await run_in_threadpool(services.casework.cases.look_up, number, code, asker)
        found = case_text(shown.case, shown.progress, services.phrases, services.clock.now().date())
    except WenbanError as error:
        refusal = error
    status = refusal.status if refusal else 200
    return services.pages.render(request, "desk/case.html", status=status, found=found, refusal=refusal)


@router.get("/citizen")
async def citizen(request: Request, services: ServicesDep, operator: Operator, conversation: Opened) -> Response:
    """What the citizen did earlier: conversations, cases and complaints, masked, for whoever has the conversation."""
    context = await run_in_threadpool(_citizen, services, operator, conversation)
    return services.pages.render(
        request, "desk/citizen.html", channels=drawn.CHANNELS, supervises=operator.role is Role.SUPERVISOR, **context
    )


def _citizen(services: Services, operator: Account, conversation: str) -> dict[str, Any]:
    handing_off = services.handing_off
    thread = handing_off.reading.thread(conversation)
    if not handing_off.rights.check(conversation, operator).his and operator.role is not Role.SUPERVISOR:
        raise Forbidden(
            "接了这个对话才能看市民以往的记录。", code="not_yours", remedy="请先接这个对话，或者由督办员查看。"
        )
    call = thread.handoff
    same = handing_off.phoning.earlier(call.call.id, MOST_EARLIER) if call is not None else []
    earlier = handing_off.reading.earlier(conversation, thread.citizen, same, MOST_EARLIER)
    cases = []
    if thread.citizen is not None:
        asker = CaseAsker("desk", origin=f"desk:{operator.username}", citizen=thread.citizen)
        for linked in services.casework.cases.linked(thread.citizen)[:MOST_EARLIER]:
            shown = services.casework.cases.look_up_again(linked.number, asker)
            if shown is not None:
                today = services.clock.now().date()
                cases.append(case_text(shown.case, shown.progress, services.phrases, today))
    who = Asker(thread.channel, citizen=thread.citizen, conversation_id=conversation)
    complaints = services.complaints.following.mine(who)
    return {"earlier": earlier, "cases": cases, "complaints": complaints, "known": thread.citizen is not None or same}


@router.get("/attachments/{attachment}")
async def attachment(
    services: ServicesDep,
    operator: Operator,
    attachment: str,
    conversation: Annotated[str, Query(max_length=64)],
) -> Response:
    """A picture that the citizen sent, for whoever may see the conversation. Never another conversation's."""
    await run_in_threadpool(services.handing_off.rights.check, conversation, operator)
    kept = await run_in_threadpool(services.attachments.found, [attachment])
    if [each.conversation_id for each in kept] != [conversation]:
        raise NotFound("没有这个附件。", code="attachment_not_found", remedy="请刷新坐席台再看。")
    where = f"conversation:{conversation}"
    found, content = await run_in_threadpool(services.attachments.shown_to, attachment, operator.username, where)
    headers = {"Cache-Control": "private, max-age=600", "Content-Disposition": "inline"}
    return Response(content, media_type=found.media_type or "image/jpeg", headers=headers)


def _check_his(thread: Thread, handoff: int, operator: Account) -> None:
    call = thread.handoff
    if call is None or call.call.id != handoff or call.state != "person" or call.operator_id != operator.id:
        raise Forbidden("这个对话不在您手上。", code="not_yours", remedy="请先接这个对话再登记诉求。")
