"""What the pages of /desk draw: lists, a conversation, help beside it. No routes; who may ask was decided before."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.clock import ZONE
from bot.codes import find_codes
from bot.complaints.listing import ComplaintListing, Wanted
from bot.complaints.model import STATE_NAMES
from bot.complaints.numbers import folded_number, is_number
from bot.conversations.model import Event
from bot.errors import Forbidden, NotFound, Unavailable, WenbanError
from bot.handoff.model import (
    LONGEST_REPLY,
    OUTCOME_NAMES,
    PHONE,
    PRESENCE_NAMES,
    REASON_NAMES,
    Note,
    is_late,
)
from bot.handoff.quality import outcome_name
from bot.handoff.reading import Lists, Queued, Thread
from bot.people.model import Account, Role
from bot.wechat import inbox
from channels.web.handling import HOMES
from channels.web.staff import requires, staff_context
from channels.wiring import Services

Operator = Annotated[Account, Depends(requires(Role.OPERATOR, Role.SUPERVISOR))]
Text = Annotated[str, Form(max_length=LONGEST_REPLY * 2)]
Token = Annotated[str, Form(max_length=100)]
Number = Annotated[int, Form(ge=0)]
Opened = Annotated[str, Query(max_length=64)]
Conversation = Annotated[str, Form(max_length=64)]
Once = Annotated[str | None, Form(max_length=64)]

MOST_COMPLAINTS = 5
MOST_WORDS = 40
COMPLAINTS_SINCE = timedelta(days=90)
"""How far back complaints are looked for by words."""
CHANNELS = {"wechat": "公众号", "web": "网页", "api": "接口", PHONE: "电话", "cli": "终端"}


async def done(
    request: Request, services: Services, operator: Account, conversation: str, step: Callable[[], object]
) -> Response:
    """Does one step and shows the desk again, with what was refused."""
    try:
        await run_in_threadpool(step)
    except WenbanError as refusal:
        return await page(request, services, operator, conversation, refusal)
    return to(conversation)


def to(conversation: str) -> Response:
    """To the desk with ``conversation`` open."""
    return RedirectResponse(f"/desk?conversation={conversation}" if conversation else "/desk", 303)


async def page(
    request: Request,
    services: Services,
    operator: Account,
    conversation: str,
    refusal: WenbanError | None = None,
    draft: str = "",
) -> Response:
    """The whole desk; without the conversation where it is not for this operator."""
    context: dict[str, Any] = await run_in_threadpool(lists, services, operator, conversation)
    if conversation:
        try:
            context |= await run_in_threadpool(thread, services, operator, conversation)
            context |= await assist(services, conversation, "")
        except (Forbidden, NotFound) as closed:
            conversation, refusal = "", refusal or closed
    return services.pages.render(
        request,
        "desk/page.html",
        status=refusal.status if refusal else 200,
        **staff_context(request, operator),
        refusal=refusal,
        draft=draft,
        reply_id=secrets.token_hex(8),
        longest=LONGEST_REPLY,
        outcomes=OUTCOME_NAMES,
        canned=await _canned(services, operator, context.get("thread")),
        desk=services.handing_off.desk,
        **{**context, "conversation": conversation},
    )


def lists(services: Services, operator: Account, conversation: str) -> dict[str, Any]:
    """The left side."""
    reading = services.handing_off.reading
    mine, offered = reading.mine(operator)
    return _calls(services, operator, conversation, reading.parted(operator, reading.queued(), mine, offered))


def own(services: Services, operator: Account, conversation: str) -> dict[str, Any]:
    """The part of it that is the operator's own."""
    reading = services.handing_off.reading
    mine, offered = reading.mine(operator)
    nothing = Queued((), {}, (), reading.present(operator))
    return _calls(services, operator, conversation, reading.parted(operator, nothing, mine, offered))


def queue(services: Services, operator: Account, conversation: str, shared: object) -> dict[str, Any]:
    """The part of it that all share, as of the snapshot's ``shared``."""
    reading = services.handing_off.reading
    return _calls(services, operator, conversation, reading.parted(operator, reading.queued(shared)))


def _calls(services: Services, operator: Account, conversation: str, found: Lists) -> dict[str, Any]:
    now, limits = services.clock.now(), services.handing_off.desk.limits
    waiting = (*found.offered, *found.waiting, *found.messages)
    shown = (*waiting, *found.mine, *found.held)
    return {
        "operator": operator,
        "supervises": operator.role is Role.SUPERVISOR,
        "today": now.astimezone(ZONE).date(),
        "lists": found,
        "me": next((each for each in found.colleagues if each.id == operator.id), None),
        "states": PRESENCE_NAMES,
        "reasons": REASON_NAMES,
        "channels": CHANNELS,
        "queues": services.handing_off.desk.queues,
        "conversation": conversation,
        "parallel": limits.parallel,
        "waited": {each.call.id: int((now - each.call.asked_at).total_seconds()) for each in waiting},
        "late": {each.call.id for each in shown if is_late(each.call, limits, now)},
        "first_reply": int(limits.first_reply.total_seconds() // 60),
    }


def thread(services: Services, operator: Account, conversation: str) -> dict[str, Any]:
    """One conversation; whoever has it has read it by this. Raises NotFound, Forbidden."""
    services.handing_off.rights.check(conversation, operator)
    found: Thread = services.handing_off.reading.thread(conversation)
    call = found.handoff
    mine = call is not None and call.state == "person" and call.operator_id == operator.id
    if mine and call is not None and found.events:
        services.handing_off.noting.seen(call.call.id, operator, found.events[-1].number)
    every: list[Event | Note] = [*found.events, *found.notes]
    return {
        "thread": found,
        "lines": sorted(every, key=lambda line: line.at),
        "mine": mine,
        "conversation": conversation,
        "reasons": REASON_NAMES,
        "channels": CHANNELS,
        "ended_as": outcome_name(call.outcome) if call is not None else None,
        "phone": found.channel == PHONE,
        "supervises": operator.role is Role.SUPERVISOR,
        "today": services.clock.now().astimezone(ZONE).date(),
        "attachments": services.attachments.of_conversation(conversation),
        "ledger": _ledger(services, found.citizen),
    }


async def assist(services: Services, conversation: str, query: str) -> dict[str, Any]:
    """What the guides say to the citizen's last word, or to what the operator looks for."""
    found = await run_in_threadpool(services.handing_off.reading.thread, conversation) if conversation else None
    asked = query.strip() or (found.last_citizen_text if found else "")
    today = services.clock.now().date()
    matter = found.matter if found and not query.strip() else None
    call = found.handoff if found else None
    context: dict[str, Any] = {
        "asked": asked,
        "query": query,
        "trouble": None,
        "conversation": conversation,
        "units": [],
        "complaints": [],
        "case_number": "",
        "call": call,
    }
    try:
        passages = await run_in_threadpool(services.assist.passages, asked, today, matter=matter)
    except Unavailable as trouble:
        return {**context, "trouble": trouble, "passages": []}
    return {**context, "passages": passages}


def looked_up(services: Services, operator: Account, query: str) -> dict[str, Any]:
    """What is found beside the guides: units in charge, complaints by number or words, a case's number to be opened."""
    numbers = [code.value for code in find_codes(query) if code.kind == "case_number"]
    folded = folded_number(query)
    named = folded if is_number(folded) else ""
    since = None if named else services.clock.now() - COMPLAINTS_SINCE
    wanted = Wanted(numbers=[named] if named else (), words="" if named else query[:MOST_WORDS], since=since)
    return {
        "units": [] if named else services.complaints.units(query),
        "complaints": ComplaintListing(services.store).listed(wanted, MOST_COMPLAINTS),
        "complaints_at": HOMES[operator.role],
        "state_names": STATE_NAMES,
        "case_number": numbers[0] if numbers and not named else "",
    }


async def _canned(services: Services, operator: Account, found: Thread | None) -> list[tuple[str, str]]:
    """The replies kept ready, with what is known of this conversation put in."""
    values = {"city": services.settings.city_name, "hotline": services.settings.hotline}
    values["operator"] = operator.display_name
    if found is not None:
        numbers = [str(event.payload["complaint"]) for event in found.events if event.payload.get("complaint")]
        values["number"] = numbers[-1] if numbers else await run_in_threadpool(_case_of, services, found.citizen)
        values["name"] = found.handoff.salutation if found.handoff is not None else ""
        published = await run_in_threadpool(services.matters.get_any, found.matter) if found.matter else None
        if published is not None:
            guide = published.guide
            values |= {"matter": guide.name, "department": guide.department, "phone": guide.consult_phone or ""}
    return [(each.title, each.filled(**values)) for each in services.handing_off.desk.canned]


def _case_of(services: Services, citizen: str | None) -> str:
    """The number of the citizen's only case; empty where there is none, or a choice."""
    linked = services.casework.cases.linked(citizen) if citizen is not None else []
    return linked[0].number if len(linked) == 1 else ""


def _ledger(services: Services, citizen: str | None) -> tuple[int, int] | None:
    """How many messages may still be sent to a citizen of the Official Account, and for how many hours more."""
    channel, _, openid = (citizen or "").partition(":")
    if channel != "wechat":
        return None
    now = services.clock.now()
    with services.store.read() as session:
        windows = inbox.known(session, openid).windows
    closes = windows.closes(now)
    return windows.left(now), int((closes - now).total_seconds() // 3600) if closes else 0
