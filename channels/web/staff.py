"""Who of the staff asks: the sign-in's cookie, the roles a page wants, and the token that forms must bring back."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bot.errors import Forbidden
from bot.people.model import ROLE_NAMES, Account, Role
from channels.messages import explained
from channels.security import require_same_site
from channels.web.access import menu
from channels.wiring import ServicesDep

COOKIE = "wenban_staff"


def requires(*roles: Role) -> Callable[..., Coroutine[Any, Any, Account]]:
    """A dependency that gives the signed-in account; leads others to the sign-in, and refuses other roles."""

    async def account(request: Request, services: ServicesDep) -> Account:
        token = request.cookies.get(COOKIE)
        found = await run_in_threadpool(services.people.authenticate, token) if token else None
        if found is None:
            raise HTTPException(303, headers={"Location": f"/login?back={quote(request.url.path)}"})
        if found.role not in roles:
            text, remedy = explained("role")
            raise Forbidden(text, code="role_missing", remedy=remedy)
        return found

    account.roles = frozenset(roles)  # type: ignore[attr-defined]  # read by channels.web.access
    return account


def form_token(request: Request) -> str:
    """What a form of this sign-in carries: another site can neither read nor guess it."""
    return hashlib.sha256(b"form\0" + request.cookies.get(COOKIE, "").encode()).hexdigest()


def check_form(request: Request, token: str) -> None:
    """Refuse a form that another page sent. Raises Forbidden."""
    require_same_site(request)
    if not hmac.compare_digest(token.encode(), form_token(request).encode()):
        text, remedy = explained("csrf")
        raise Forbidden(text, code="form_expired", remedy=remedy)


def staff_context(request: Request, account: Account) -> dict[str, Any]:
    """What every page of the staff draws: who is signed in, the pages of that role, the forms' token."""
    return {
        "account": account,
        "role": ROLE_NAMES[account.role],
        "menu": menu(account.role),
        "token": form_token(request),
    }


def local(path: str, default: str) -> str:
    """``path`` where it stays on this site, else ``default``."""
    stays = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(c) < 32 for c in path)
    return path if stays else default
