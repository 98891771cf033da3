"""One complaint on the pages of those who handle it: what they see, the acts open to them, what happened meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.board.model import ACT_NAMES
from bot.board.service import Detail, Happened
from bot.complaints.categories import Category
from bot.complaints.handling import LONGEST_NOTE, Classing, Step
from bot.complaints.model import NEEDS_REASON, PARTIES, STATE_NAMES, Act, Actor, Kind, State
from bot.errors import Conflict, InvalidInput, NotFound, WenbanError
from bot.people.model import OF_UNITS, Account, Role
from bot.supervision.model import CLOCK_NAMES, LEVEL_NAMES
from channels.web.staff import check_form, staff_context
from channels.wiring import Services

NEWS = "complaints"
"""What the pages listen to on the bus."""
URGED = frozenset({State.DISPATCHED, State.SIGNED})
"""States in which a unit owes an answer, so that it may be urged."""
HOMES = {**dict.fromkeys(OF_UNITS, "/unit"), Role.OPERATOR: "/triage", Role.SUPERVISOR: "/board/items"}
"""Where the lists of a role are; a complaint of it is below."""


class Form(BaseModel):
    """What an act's form brings: the version and the last event that the page showed, and what was written."""

    act: Annotated[str, Field(max_length=40)]
    version: Annotated[int, Field(ge=0)]
    seen: Annotated[int, Field(ge=0)] = 0
    note: Annotated[str, Field(max_length=LONGEST_NOTE * 2)] = ""
    department: Annotated[str, Field(max_length=500)] = ""
    into: Annotated[str, Field(max_length=30)] = ""
    kind: Annotated[str, Field(max_length=20)] = ""
    category: Annotated[str, Field(max_length=200)] = ""
    urgent: bool = False
    token: Annotated[str, Field(max_length=100)] = ""


def actor_of(account: Account) -> Actor:
    """In which capacity ``account`` acts on complaints."""
    head = account.role is Role.HEAD
    return Actor(PARTIES[account.role], account.username, account.department, head=head)


def own_unit(account: Account) -> str | None:
    """The unit whose complaints alone the account sees; None where it sees all."""
    return account.department or "" if account.role in OF_UNITS else None


async def act(request: Request, services: Services, account: Account, number: str, form: Form) -> Response:
    """Does what the form says and shows the complaint again; refused, with what happened meanwhile."""
    check_form(request, form.token)
    refusal: WenbanError | None = None
    try:
        await run_in_threadpool(_step, services, account, number, form)
    except NotFound:
        raise
    except WenbanError as error:
        refusal = error
    else:
        services.bus.announce(NEWS)
        return RedirectResponse(f"{HOMES[account.role]}/{number}?done={form.act}", 303)
    return await page(request, services, account, number, refusal=refusal, form=form)


def _step(services: Services, account: Account, number: str, form: Form) -> None:
    detail = services.board.complaint(number, own_unit(account))  # another unit's is not there
    try:
        wanted = Act(form.act)
    except ValueError as error:
        raise InvalidInput("没有这种操作。", code="act_unknown", remedy="请从页面上选择。") from error
    department = form.department.strip() or None
    if wanted is Act.DISPATCH and department is not None:
        services.complaints.decider.check_unit(department)
    into = form.into.strip() or None
    classing = _classing(services, form) if wanted is Act.RECLASSIFY else None
    step = Step(detail.item.number, wanted, form.version, form.note.strip(), department, into, classing)
    services.complaints.handling.act(step, actor_of(account))


def _classing(services: Services, form: Form) -> Classing:
    services.complaints.decider.check_category(form.category)
    if form.kind not in set(Kind):
        raise InvalidInput("没有这种诉求类型。", code="kind_unknown", remedy="请从列出的类型里选择。")
    return Classing(Kind(form.kind), form.category, form.urgent)


async def page(
    request: Request,
    services: Services,
    account: Account,
    number: str,
    *,
    refusal: WenbanError | None = None,
    form: Form | None = None,
    **more: Any,
) -> Response:
    """The complaint as ``account`` may see it. Raises NotFound."""
    detail = await run_in_threadpool(services.board.complaint, number, own_unit(account))
    context: Mapping[str, Any] = more
    if account.role not in OF_UNITS:
        context = {**await run_in_threadpool(_triage, services, detail, request.query_params.get("q", "")), **more}
    done = request.query_params.get("done", "")
    return services.pages.render(
        request,
        "handling/complaint.html",
        status=refusal.status if refusal else 200,
        home=HOMES[account.role],
        **staff_context(request, account),
        detail=detail,
        item=detail.item,
        attachments=await run_in_threadpool(services.attachments.found, detail.attachments),
        alarms=await run_in_threadpool(services.supervision.alarms.alarms_of, detail.item.number),
        levels=LEVEL_NAMES,
        clocks=CLOCK_NAMES,
        urgeable=account.role is Role.SUPERVISOR and detail.item.state in URGED,
        acts=await run_in_threadpool(services.board.acts, detail, actor_of(account)),
        needs_reason=NEEDS_REASON,
        act_names=ACT_NAMES,
        state_names=STATE_NAMES,
        refusal=refusal,
        form=form,
        done=ACT_NAMES.get(done, ""),
        meanwhile=_meanwhile(detail, form) if isinstance(refusal, Conflict) else [],
        longest=LONGEST_NOTE,
        now=services.clock.now(),
        **{"candidates": [], "units": None, "similar": [], "q": "", "revealed": None, **context},
    )


async def reveal(
    request: Request, services: Services, account: Account, number: str, reason: str, token: str
) -> Response:
    """The complaint with its text and contact in clear, this once; refused without a reason."""
    check_form(request, token)
    try:
        shown = await run_in_threadpool(services.complaints.revealing.reveal, number, actor_of(account), reason)
    except (InvalidInput, Conflict) as refusal:
        return await page(request, services, account, number, refusal=refusal)
    return await page(request, services, account, number, revealed=shown)


async def picture(services: Services, account: Account, number: str, attachment: str) -> Response:
    """A picture of a complaint that ``account`` may see; audited. Raises NotFound."""
    detail = await run_in_threadpool(services.board.complaint, number, own_unit(account))
    if attachment not in detail.attachments:
        raise NotFound("没有这个附件。", code="attachment_not_found", remedy="请回到诉求页面。")
    where = f"complaint:{detail.item.number}"
    found, content = await run_in_threadpool(services.attachments.shown_to, attachment, account.username, where)
    return Response(content, media_type=found.media_type, headers={"Cache-Control": "private, no-store"})


def _meanwhile(detail: Detail, form: Form | None) -> Sequence[Happened]:
    return [event for event in detail.events if form is not None and event.number > form.seen]


def _by_parent(listed: Sequence[Category]) -> Mapping[str, Sequence[Category]]:
    found: dict[str, list[Category]] = {}
    for each in listed:
        found.setdefault(each.parent, []).append(each)
    return found


def _triage(services: Services, detail: Detail, query: str) -> Mapping[str, Any]:
    query = query.strip()[:100]
    return {
        "candidates": detail.candidates,
        "q": query,
        "units": services.complaints.decider.units(query) if query else None,
        "similar": services.similar.similar(detail.item.number),
        "kinds": tuple(Kind),
        "categories": _by_parent(services.complaints.categories.current()),
    }
