"""/login and /logout of the staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.errors import TooManyRequests, Unauthenticated, WenbanError
from bot.people.model import LONGEST_PASSWORD, SIGNED_IN_FOR
from channels.security import RateLimiter, address, require_same_site
from channels.web.access import home
from channels.web.staff import COOKIE, check_form, local
from channels.wiring import Services, ServicesDep

router = APIRouter(include_in_schema=False)

HOME = "/console"
"""Where one goes who did not say; whoever has no business there is led to the first page of his role."""


@router.get("/login")
async def login(request: Request, services: ServicesDep, back: str = HOME) -> Response:
    return _page(request, services, local(back, HOME))


@router.post("/login")
async def sign_in(
    request: Request,
    services: ServicesDep,
    username: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form(max_length=LONGEST_PASSWORD + 1)] = "",
    back: Annotated[str, Form(max_length=500)] = HOME,
) -> Response:
    """Sign in and go where one wanted to; a wrong name and a wrong password are told apart by nothing."""
    require_same_site(request)
    target = local(back, HOME)
    try:
        await services.limiter.check(RateLimiter.SIGN_INS_BY_ADDRESS, "sign-in", address(request))
        token, account = await run_in_threadpool(services.people.login, username, password)
    except (Unauthenticated, TooManyRequests) as refusal:
        return _page(request, services, target, refusal, username)
    if target == HOME:
        target = home(account.role)
    response = RedirectResponse(target, 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SIGNED_IN_FOR.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/logout")
async def sign_out(request: Request, services: ServicesDep, token: Annotated[str, Form()] = "") -> Response:
    check_form(request, token)
    await run_in_threadpool(services.people.logout, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _page(
    request: Request, services: Services, back: str, refusal: WenbanError | None = None, username: str = ""
) -> Response:
    return services.pages.render(
        request,
        "login.html",
        status=refusal.status if refusal else 200,
        refusal=refusal,
        username=username,
        back=back,
    )
