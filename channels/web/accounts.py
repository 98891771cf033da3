"""/accounts and /keys: who may sign in and as what; which programs may call and for what. For administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import Conflict, InvalidInput, WenbanError
from bot.keys.model import Scope
from bot.people.model import LONGEST_PASSWORD, ROLE_NAMES, Account, Role
from channels.messages import explained
from channels.web.staff import check_form, requires, staff_context
from channels.wiring import Services, ServicesDep

router = APIRouter(include_in_schema=False)

Administrator = Annotated[Account, Depends(requires(Role.ADMINISTRATOR))]
Token = Annotated[str, Form(max_length=100)]
Username = Annotated[str, Form(max_length=80)]
Password = Annotated[str, Form(max_length=LONGEST_PASSWORD + 1)]
Name = Annotated[str, Form(max_length=80)]


@router.get("/accounts")
async def accounts(request: Request, services: ServicesDep, administrator: Administrator) -> Response:
    """Every account, without secrets."""
    return await _accounts(request, services, administrator)


@router.post("/accounts")
async def add_account(
    request: Request,
    services: ServicesDep,
    administrator: Administrator,
    username: Username = "",
    password: Password = "",
    role: Annotated[str, Form(max_length=40)] = "",
    display_name: Name = "",
    department: Annotated[str, Form(max_length=500)] = "",
    token: Token = "",
) -> Response:
    """A new account."""
    check_form(request, token)

    def create() -> None:
        if role not in {known.value for known in Role}:
            text, remedy = explained("role_unknown")
            raise InvalidInput(text, code="role_unknown", remedy=remedy)
        services.people.create(
            username,
            password,
            Role(role),
            display_name=display_name.strip(),
            department=department.strip() or None,
            actor=administrator.username,
        )

    return await _done(request, services, administrator, create)


@router.post("/accounts/{username}/password")
async def set_password(
    request: Request,
    services: ServicesDep,
    administrator: Administrator,
    username: str,
    password: Password = "",
    token: Token = "",
) -> Response:
    """A new password; the account's sign-ins end."""
    check_form(request, token)
    actor = administrator.username
    return await _done(
        request, services, administrator, lambda: services.people.change_password(username, password, actor=actor)
    )


@router.post("/accounts/{username}/active")
async def set_active(
    request: Request,
    services: ServicesDep,
    administrator: Administrator,
    username: str,
    active: Annotated[bool, Form()] = False,
    token: Token = "",
) -> Response:
    """Closes or reopens an account; nobody shuts himself out."""
    check_form(request, token)

    def change() -> None:
        if username == administrator.username and not active:
            text, remedy = explained("own_account")
            raise Conflict(text, code="own_account", remedy=remedy)
        services.people.set_active(username, active, actor=administrator.username)

    return await _done(request, services, administrator, change)


@router.get("/keys")
async def keys(request: Request, services: ServicesDep, administrator: Administrator) -> Response:
    """Every API key, without tokens."""
    return await _keys(request, services, administrator)


@router.post("/keys")
async def add_key(
    request: Request,
    services: ServicesDep,
    administrator: Administrator,
    name: Name = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    token: Token = "",
) -> Response:
    """A new key; its token is shown in this answer and never again."""
    check_form(request, token)
    known = {scope.value: scope for scope in Scope}
    chosen = [known[scope] for scope in scopes or () if scope in known]
    try:
        made = await run_in_threadpool(services.casework.keys.add, name, chosen, actor=administrator.username)
    except WenbanError as refusal:
        return await _keys(request, services, administrator, refusal)
    return await _keys(request, services, administrator, made=made)


@router.post("/keys/{name}/revoke")
async def revoke_key(
    request: Request, services: ServicesDep, administrator: Administrator, name: str, token: Token = ""
) -> Response:
    """Takes a key back at once."""
    check_form(request, token)
    try:
        await run_in_threadpool(services.casework.keys.revoke, name, actor=administrator.username)
    except WenbanError as refusal:
        return await _keys(request, services, administrator, refusal)
    return RedirectResponse("/keys", 303)


async def _done(request: Request, services: Services, administrator: Account, change: Callable[[], None]) -> Response:
    """The list again after ``change``, or with what refused it."""
    try:
        await run_in_threadpool(change)
    except WenbanError as refusal:
        return await _accounts(request, services, administrator, refusal)
    return RedirectResponse("/accounts", 303)


async def _accounts(
    request: Request, services: Services, administrator: Account, refusal: WenbanError | None = None
) -> Response:
    return services.pages.render(
        request,
        "accounts.html",
        status=refusal.status if refusal else 200,
        refusal=refusal,
        accounts=await run_in_threadpool(services.people.accounts),
        roles=ROLE_NAMES,
        departments=list((await run_in_threadpool(services.matters.counts)).departments),
        **staff_context(request, administrator),
    )


async def _keys(
    request: Request,
    services: Services,
    administrator: Account,
    refusal: WenbanError | None = None,
    made: tuple[str, Any] | None = None,
) -> Response:
    return services.pages.render(
        request,
        "keys.html",
        status=refusal.status if refusal else 200,
        refusal=refusal,
        made=made,
        keys=await run_in_threadpool(services.casework.keys.keys),
        scopes=services.pages.words["scopes"],
        **staff_context(request, administrator),
    )
