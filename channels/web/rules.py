"""/rules: the tables of rules that the administrator edits. Checked before they hold; the text before is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.complaints.categories import CATEGORIES
from bot.complaints.clocks import TABLE as LIMITS
from bot.errors import NotFound, WenbanError
from bot.people.model import Account, Role
from bot.rule_file import LONGEST, RuleFile, digest
from bot.supervision.rules import TABLE as SUPERVISION
from channels.messages import explained
from channels.web.staff import check_form, requires, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(prefix="/rules", include_in_schema=False)

Administrator = Annotated[Account, Depends(requires(Role.ADMINISTRATOR))]
Token = Annotated[str, Form(max_length=100)]
PATHS = tuple(f"/rules/{table.name}" for table in (CATEGORIES, LIMITS, SUPERVISION))
MOST_BYTES = 9 * LONGEST + 64 * 1024
"""Bytes of a form that brings a table: a Chinese character has three, each of them three signs in a form."""


@router.get("")
async def rules(request: Request, services: ServicesDep, administrator: Administrator) -> Response:
    """Every table, and whether the city has its own."""
    tables = list(rule_files(services).values())
    return services.pages.render(request, "rules.html", tables=tables, **staff_context(request, administrator))


@router.get("/{name}")
async def one(request: Request, services: ServicesDep, administrator: Administrator, name: str) -> Response:
    """The text of a table, to be changed."""
    file = _file(services, name)
    return _page(request, services, administrator, file, await run_in_threadpool(file.text))


@router.post("/{name}")
async def change(
    request: Request,
    services: ServicesDep,
    administrator: Administrator,
    name: str,
    text: Annotated[str, Form(max_length=2 * LONGEST)] = "",
    seen: Annotated[str, Form(max_length=64)] = "",
    act: Annotated[str, Form(max_length=10)] = "check",
    token: Token = "",
) -> Response:
    """``act``: check looks whether the text could hold, save puts it in force, restore goes back to what ships."""
    check_form(request, token)
    file = _file(services, name)
    text = text.replace("\r\n", "\n")
    acts: dict[str, Callable[[], Any]] = {
        "check": lambda: file.table.checked(text),
        "save": lambda: file.write(text, seen),
        "restore": file.restore,
    }

    def done() -> None:
        before = digest(file.text())
        acts.get(act, acts["check"])()
        if act in {"save", "restore"}:
            with services.store.write() as work:
                details = {"before": before[:12], "after": digest(file.text())[:12]}
                work.audit(administrator.username, f"rules.{act}", f"rules:{name}", details)

    try:
        await run_in_threadpool(done)
    except WenbanError as refusal:
        return _page(request, services, administrator, file, text, seen, refusal=refusal)
    if act == "check":
        return _page(request, services, administrator, file, text, seen, sound=True)
    return RedirectResponse(f"/rules/{name}?saved=1", 303)


def rule_files(services: Services) -> dict[str, RuleFile[Any]]:
    """The tables by name."""
    complaints = services.complaints
    files: list[RuleFile[Any]] = [complaints.categories, complaints.limits, services.supervision.rules]
    return {file.table.name: file for file in files}


def _file(services: Services, name: str) -> RuleFile[Any]:
    file = rule_files(services).get(name)
    if file is None:
        text, remedy = explained("no_rules")
        raise NotFound(text, code="rules_not_found", remedy=remedy)
    return file


def _page(
    request: Request,
    services: Services,
    administrator: Account,
    file: RuleFile[Any],
    text: str,
    seen: str = "",
    *,
    refusal: WenbanError | None = None,
    sound: bool = False,
) -> Response:
    return services.pages.render(
        request,
        "rule.html",
        status=refusal.status if refusal else 200,
        file=file,
        text=text,
        seen=seen or digest(text),
        refusal=refusal,
        sound=sound,
        saved=request.query_params.get("saved") == "1",
        longest=LONGEST,
        **staff_context(request, administrator),
    )
