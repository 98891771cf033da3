"""/learn: what was not known, grouped; an editor turns a group into a change of a guide, or dismisses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import WenbanError
from bot.learning.drafting import Asked
from bot.learning.model import (
    ACT_NAMES,
    CAUSE_NAMES,
    LONGEST_FAQ_ANSWER,
    LONGEST_REASON,
    LONGEST_TEXT,
    MOST_EXAMPLES,
    STAGE_NAMES,
    Act,
    Stage,
)
from bot.learning.repository import Wanted
from bot.people.model import Account, Role
from channels.web.staff import check_form, requires, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/learn", include_in_schema=False)

Editor = Annotated[Account, Depends(requires(Role.EDITOR))]
Token = Annotated[str, Form(max_length=100)]
GroupNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
Version = Annotated[int, Form(ge=0, le=2**31 - 1)]
FOUND = 8
"""Guides that a search shows."""
ADDING = tuple(act for act in ACT_NAMES if act is not Act.WITHDRAW)


class ChangeForm(BaseModel):
    """A change as the editor fills it in."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    act: Literal["question", "alias", "faq", "not"] = "question"
    code: Annotated[str, Field(max_length=64)] = ""
    text: Annotated[str, Field(max_length=400)] = ""
    answer: Annotated[str, Field(max_length=2 * LONGEST_FAQ_ANSWER)] = ""
    examples: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=2 * MOST_EXAMPLES)] = []
    q: Annotated[str, Field(max_length=200)] = ""
    token: Annotated[str, Field(max_length=100)] = ""


@router.get("")
async def groups(
    request: Request,
    services: ServicesDep,
    editor: Editor,
    stage: Stage = Stage.OPEN,
    order: Literal["size", "latest"] = "size",
    cause: Annotated[str, Query(max_length=10)] = "",
    page: Annotated[int, Query(ge=1, le=500)] = 1,
) -> Response:
    """The groups of a stage, those asked most first."""
    wanted = Wanted(stage, order, page, cause if cause in {each.value for each in CAUSE_NAMES} else "")
    listed = await run_in_threadpool(services.learning.reviewing.page, wanted)
    kept = {"stage": stage.value, "order": order, "cause": wanted.cause}
    return services.pages.render(
        request,
        "learn/groups.html",
        **staff_context(request, editor),
        **await beside(services),
        listed=listed,
        wanted=wanted,
        stage_names=STAGE_NAMES,
        causes=CAUSE_NAMES,
        link=lambda **more: urlencode({**kept, "page": 1, **more}),
    )


@router.get("/groups/{number}")
async def group(
    request: Request,
    services: ServicesDep,
    editor: Editor,
    number: GroupNumber,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """One group with its questions, and what may be made of it; ``q`` looks for the guide it belongs to."""
    return await _page(request, services, editor, number, ChangeForm(q=q))


@router.post("/groups/{number}/change")
async def change(
    request: Request, services: ServicesDep, editor: Editor, number: GroupNumber, form: Annotated[ChangeForm, Form()]
) -> Response:
    """Puts a change into the draft."""
    check_form(request, form.token)
    asked = Asked(Act(form.act), form.code, form.text, form.answer, tuple(form.examples), group=(number, form.version))
    try:
        await run_in_threadpool(services.learning.drafting.add, asked, editor)
    except WenbanError as refusal:
        return await _page(request, services, editor, number, form, refusal)
    return RedirectResponse("/learn/draft", 303)


@router.post("/groups/{number}/dismiss")
async def dismiss(
    request: Request,
    services: ServicesDep,
    editor: Editor,
    number: GroupNumber,
    version: Version = 0,
    reason: Annotated[str, Form(max_length=2 * LONGEST_REASON)] = "",
    token: Token = "",
) -> Response:
    """Takes the group off the list."""
    check_form(request, token)
    reviewing = services.learning.reviewing
    return await _decided(request, services, editor, number, lambda: reviewing.dismiss(number, version, reason, editor))


@router.post("/groups/{number}/reopen")
async def reopen(
    request: Request,
    services: ServicesDep,
    editor: Editor,
    number: GroupNumber,
    version: Version = 0,
    token: Token = "",
) -> Response:
    """Puts a dismissed group back."""
    check_form(request, token)
    reviewing = services.learning.reviewing
    return await _decided(request, services, editor, number, lambda: reviewing.reopen(number, version, editor))


async def _decided(
    request: Request, services: Services, editor: Account, number: int, step: Callable[[], None]
) -> Response:
    try:
        await run_in_threadpool(step)
    except WenbanError as refusal:
        return await _page(request, services, editor, number, ChangeForm(), refusal)
    return RedirectResponse("/learn", 303)


async def _page(
    request: Request,
    services: Services,
    editor: Account,
    number: int,
    form: ChangeForm,
    refusal: WenbanError | None = None,
) -> Response:
    shown = await run_in_threadpool(services.learning.reviewing.group, number)
    found = await run_in_threadpool(services.matters.search, form.q, size=FOUND) if form.q.strip() else None
    codes = [code for each in shown.questions for code in (each.matter, each.then) if code]
    codes += [code for code, _ in shown.suggested] + ([form.code] if form.code else [])
    return services.pages.render(
        request,
        "learn/group.html",
        status=refusal.status if refusal else 200,
        **staff_context(request, editor),
        **await beside(services),
        group=shown,
        form=form,
        found=found,
        names=await run_in_threadpool(names_of, services, codes),
        refusal=refusal,
        acts={act: ACT_NAMES[act] for act in ADDING},
        causes=CAUSE_NAMES,
        stage_names=STAGE_NAMES,
        longest={"text": LONGEST_TEXT, "answer": LONGEST_FAQ_ANSWER, "reason": LONGEST_REASON},
    )


async def beside(services: Services) -> Mapping[str, Any]:
    """What every page of the editors shows: how much the draft holds."""
    draft = await run_in_threadpool(services.learning.drafting.current)
    return {"draft": draft}


def names_of(services: Services, codes: Iterable[str]) -> dict[str, str]:
    """The names of guides by code; a code that is published no more stands for itself."""
    found = {}
    for code in dict.fromkeys(codes):
        published = services.matters.get_any(code)
        found[code] = published.guide.name if published else code
    return found
