"""What follows on the pages of those who handle complaints: alarms and documents, calls to citizens, rectifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import WenbanError
from bot.judgements.model import LEVELS
from bot.people.model import OF_UNITS, Account, Role
from bot.supervision.calling import Outcome
from bot.supervision.model import CLOCK_NAMES, LEVEL_NAMES
from channels.web.handling import HOMES, NEWS, actor_of, page
from channels.web.staff import check_form, requires, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(include_in_schema=False)

Handler = Annotated[Account, Depends(requires(*OF_UNITS, Role.OPERATOR, Role.SUPERVISOR))]
Clerk = Annotated[Account, Depends(requires(*OF_UNITS))]
Operator = Annotated[Account, Depends(requires(Role.OPERATOR))]
Supervisor = Annotated[Account, Depends(requires(Role.SUPERVISOR))]
ClerkOrSupervisor = Annotated[Account, Depends(requires(*OF_UNITS, Role.SUPERVISOR))]
Token = Annotated[str, Form(max_length=100)]
Text = Annotated[str, Form(max_length=10_000)]
Number = Annotated[str, Form(max_length=30)]
OUTCOMES = {
    Outcome.SATISFIED: "满意，已解决",
    Outcome.DISSATISFIED: "不满意，没有解决",
    Outcome.UNREACHABLE: "没有联系上",
}
STATES = {"open": "整改中", "submitted": "待督办员审核", "accepted": "已通过"}


@router.get("/alarms")
async def alarms(request: Request, services: ServicesDep, handler: Handler) -> Response:
    """What this role (and unit) was told, the latest first."""
    notices = await run_in_threadpool(services.supervision.alarms.notices, actor_of(handler))
    return _render(request, services, handler, "handling/alarms.html", notices=notices)


@router.get("/alarms/{notice}")
async def notice(request: Request, services: ServicesDep, handler: Handler, notice: int) -> Response:
    """The alarms behind one notice, which is read with that."""
    found = await run_in_threadpool(services.supervision.alarms.alarms_of_notice, notice, actor_of(handler))
    await run_in_threadpool(services.supervision.alarms.see, notice, actor_of(handler))
    return _render(request, services, handler, "handling/notice.html", alarms=found)


@router.post("/alarms/urge")
async def urge(
    request: Request, services: ServicesDep, supervisor: Supervisor, number: Number, note: Text = "", token: Token = ""
) -> Response:
    """Urges the unit that holds the complaint (催办)."""
    check_form(request, token)
    step = services.supervision.alarms.urge
    return await _on(request, services, supervisor, number, lambda: step(number, note, actor_of(supervisor)))


@router.post("/alarms/{alarm}/answer")
async def answer(
    request: Request,
    services: ServicesDep,
    clerk: Clerk,
    alarm: int,
    number: Number,
    note: Text = "",
    token: Token = "",
) -> Response:
    """The unit's answer to a document."""
    check_form(request, token)
    step = services.supervision.alarms.answer
    return await _on(request, services, clerk, number, lambda: step(alarm, note, actor_of(clerk)))


@router.post("/alarms/{alarm}/revoke")
async def revoke(
    request: Request,
    services: ServicesDep,
    supervisor: Supervisor,
    alarm: int,
    number: Number,
    note: Text = "",
    token: Token = "",
) -> Response:
    """A document is taken back."""
    check_form(request, token)
    step = services.supervision.alarms.revoke
    return await _on(request, services, supervisor, number, lambda: step(alarm, note, actor_of(supervisor)))


@router.get("/callbacks")
async def callbacks(request: Request, services: ServicesDep, operator: Operator) -> Response:
    """The calls to make, the first due first."""
    return await _callbacks(request, services, operator)


@router.post("/callbacks/{callback}")
async def called(
    request: Request,
    services: ServicesDep,
    operator: Operator,
    callback: int,
    version: Annotated[int, Form(ge=0)],
    outcome: Annotated[Outcome, Form()],
    note: Text = "",
    reopen: Annotated[bool, Form()] = False,
    token: Token = "",
) -> Response:
    """What came of a call."""
    check_form(request, token)
    finish = services.supervision.calls.finish
    try:
        await run_in_threadpool(finish, callback, version, outcome, note, actor_of(operator), reopen=reopen)
    except WenbanError as refusal:
        return await _callbacks(request, services, operator, refusal)
    services.bus.announce(NEWS)
    return RedirectResponse("/callbacks", 303)


@router.get("/rectifications")
async def rectifications(request: Request, services: ServicesDep, account: ClerkOrSupervisor) -> Response:
    """What units put right after bad judgements: a unit's own, or all."""
    return await _rectifications(request, services, account)


@router.post("/rectifications/{rectification}")
async def rectify(
    request: Request,
    services: ServicesDep,
    account: ClerkOrSupervisor,
    rectification: int,
    version: Annotated[int, Form(ge=0)],
    act: Annotated[str, Form(max_length=20)],
    note: Text = "",
    token: Token = "",
) -> Response:
    """A unit reports (submit); a supervisor accepts or sends back."""
    check_form(request, token)
    service, actor = services.supervision.rectifications, actor_of(account)
    steps: dict[str, Callable[[], object]] = {
        "submit": lambda: service.submit(rectification, version, note, actor),
        "accept": lambda: service.accept(rectification, version, actor),
        "send_back": lambda: service.send_back(rectification, version, note, actor),
    }
    try:
        await run_in_threadpool(steps.get(act, steps["submit"]))
    except WenbanError as refusal:
        return await _rectifications(request, services, account, refusal)
    services.bus.announce(NEWS)
    return RedirectResponse("/rectifications", 303)


async def _on(
    request: Request, services: Services, account: Account, number: str, step: Callable[[], object]
) -> Response:
    """Does a step on a complaint and shows the complaint again, with what was refused."""
    try:
        await run_in_threadpool(step)
    except WenbanError as refusal:
        return await page(request, services, account, number, refusal=refusal)
    services.bus.announce(NEWS)
    return RedirectResponse(f"{HOMES[account.role]}/{number}", 303)


async def _callbacks(
    request: Request, services: Services, operator: Account, refusal: WenbanError | None = None
) -> Response:
    found = await run_in_threadpool(services.supervision.calls.callbacks)
    return _render(request, services, operator, "handling/callbacks.html", refusal, callbacks=found, outcomes=OUTCOMES)


async def _rectifications(
    request: Request, services: Services, account: Account, refusal: WenbanError | None = None
) -> Response:
    unit = account.department or "" if account.role in OF_UNITS else None
    found = await run_in_threadpool(lambda: services.supervision.rectifications.rectifications(unit=unit))
    return _render(
        request,
        services,
        account,
        "handling/rectifications.html",
        refusal,
        found=found,
        states=STATES,
        judged=LEVELS,
        is_unit=unit is not None,
    )


def _render(
    request: Request,
    services: Services,
    account: Account,
    template: str,
    refusal: WenbanError | None = None,
    **context: Any,
) -> Response:
    return services.pages.render(
        request,
        template,
        status=refusal.status if refusal else 200,
        home=HOMES[account.role],
        refusal=refusal,
        now=services.clock.now(),
        levels=LEVEL_NAMES,
        clocks=CLOCK_NAMES,
        **staff_context(request, account),
        **context,
    )
