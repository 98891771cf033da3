"""/learn/draft: the editors' changes, what they do, publishing them; regression cases and earlier additions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import WenbanError
from bot.learning.drafting import Asked, Draft
from bot.learning.model import ACT_NAMES, Act
from bot.learning.questions import SOURCE_NAMES
from bot.matters.additions import AdditionKind
from bot.people.model import Account
from channels import worker
from channels.web.learn import Editor, Token, beside, names_of
from channels.web.staff import check_form, form_token, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/learn", include_in_schema=False)

Number = Annotated[int, Form(ge=0, le=2**31 - 1)]
MOST_CASES = 300
"""Regression cases on their page; how many there are is said."""


@router.get("/draft")
async def draft(request: Request, services: ServicesDep, editor: Editor) -> Response:
    """The changes collected so far, and the evaluation."""
    return await _page(request, services, editor)


@router.get("/draft/state")
async def state(request: Request, services: ServicesDep, editor: Editor) -> Response:  # noqa: ARG001  (the role)
    """How far the evaluation is; drawn anew while it runs."""
    found = await run_in_threadpool(services.learning.drafting.current)
    return services.pages.render(
        request, "learn/state.html", token=form_token(request), **await _drawn(services, found)
    )


@router.post("/draft/evaluate")
async def evaluate(request: Request, services: ServicesDep, editor: Editor, token: Token = "") -> Response:
    """Asks for an evaluation of the draft as it is."""
    check_form(request, token)
    drafting = services.learning.drafting
    return await _done(request, services, editor, lambda: drafting.evaluate(editor))


@router.post("/draft/remove")
async def remove(
    request: Request, services: ServicesDep, editor: Editor, change: Number, token: Token = ""
) -> Response:
    """Takes a change out of the draft."""
    check_form(request, token)
    drafting = services.learning.drafting
    return await _done(request, services, editor, lambda: drafting.remove(change, editor))


@router.post("/draft/publish")
async def publish(
    request: Request,
    services: ServicesDep,
    editor: Editor,
    digest: Annotated[str, Form(max_length=64)] = "",
    worse: Number = 0,
    token: Token = "",
) -> Response:
    """Publishes what was seen and evaluated as a new version of the catalogue."""
    check_form(request, token)
    drafting = services.learning.drafting
    return await _done(request, services, editor, lambda: drafting.publish(digest, editor, worse=worse))


@router.get("/cases")
async def cases(request: Request, services: ServicesDep, editor: Editor) -> Response:
    """The regression cases in force."""
    kept = services.learning.cases
    listed = await run_in_threadpool(kept.all, MOST_CASES)
    codes = [code for case in listed for code in (*case.expected.matters, case.expected.never) if code]
    return services.pages.render(
        request,
        "learn/cases.html",
        **staff_context(request, editor),
        **await beside(services),
        cases=listed,
        total=await run_in_threadpool(kept.count),
        names=await run_in_threadpool(names_of, services, codes),
    )


@router.post("/cases/retire")
async def retire(request: Request, services: ServicesDep, editor: Editor, case: Number, token: Token = "") -> Response:
    """Lets a case hold no longer."""
    check_form(request, token)
    await run_in_threadpool(services.learning.cases.retire, case, editor)
    return RedirectResponse("/learn/cases", 303)


@router.get("/additions")
async def additions(request: Request, services: ServicesDep, editor: Editor) -> Response:
    """What editors added to the guides."""
    listed = await run_in_threadpool(services.matters.recent_additions)
    return services.pages.render(
        request,
        "learn/additions.html",
        **staff_context(request, editor),
        **await beside(services),
        additions=listed,
        acts=ACT_NAMES,
        names=await run_in_threadpool(names_of, services, [each.addition.code for each in listed]),
    )


@router.post("/additions/withdraw")
async def withdraw(
    request: Request,
    services: ServicesDep,
    editor: Editor,
    code: Annotated[str, Form(max_length=64)],
    kind: Annotated[AdditionKind, Form()],
    text: Annotated[str, Form(max_length=500)],
    token: Token = "",
) -> Response:
    """Puts the withdrawal of an addition into the draft."""
    check_form(request, token)
    asked = Asked(Act.WITHDRAW, code, text, kind=kind)
    return await _done(request, services, editor, lambda: services.learning.drafting.add(asked, editor))


async def _done(request: Request, services: Services, editor: Account, step: Callable[[], Any]) -> Response:
    try:
        await run_in_threadpool(step)
    except WenbanError as refusal:
        return await _page(request, services, editor, refusal)
    return RedirectResponse("/learn/draft", 303)


async def _page(request: Request, services: Services, editor: Account, refusal: WenbanError | None = None) -> Response:
    found = await run_in_threadpool(services.learning.drafting.current)
    return services.pages.render(
        request,
        "learn/draft.html",
        status=refusal.status if refusal else 200,
        **staff_context(request, editor),
        **await _drawn(services, found),
        refusal=refusal,
        acts=ACT_NAMES,
        published=await run_in_threadpool(services.learning.drafting.published),
    )


async def _drawn(services: Services, found: Draft) -> dict[str, Any]:
    """What the draft's page and its moving part both draw."""
    codes = [change.code for change in found.changes]
    result = found.evaluation.result if found.evaluation else {}
    codes += list(_codes(result))
    names = await run_in_threadpool(names_of, services, codes)
    alive = worker.alive(services.settings.home, services.clock.now())
    return {"worker": alive, "draft": found, "result": result, "names": names, "sources": SOURCE_NAMES}


def _codes(result: Any) -> Iterator[str]:
    """The guides that a result tells of."""
    for name in ("worse", "better", "still_wrong"):
        for each in result.get(name, ()):
            yield from each["expected"]
            for given in (each["before"], each["after"]):
                yield from filter(None, (given["matter"], *given["offered"][:3]))
            if each["never"]:
                yield each["never"]
