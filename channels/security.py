"""What every request passes: security headers, bounds on size and time, rate limits, and who may call what."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import math
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import Forbidden, TooLarge, TooManyRequests, Unavailable, WenbanError
from channels.messages import explained

MAX_BODY = 64 * 1024
"""Bytes of a request's body; a citizen's text is bounded far below this."""
READ_SECONDS = 15.0
"""Seconds within which a body must have arrived."""
ANSWER_SECONDS = 60.0
"""Seconds within which an answer must have begun."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds the headers to every response that has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, headed if scope["type"] == "http" else send)


class Bounds:
    """Bounds the size of a body, the time it takes to arrive, and the time until the answer begins.

    Streams are not bounded once they have begun. Refusals are raised as errors where the body is read, so that they
    come out in the promised shape.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_body: int = MAX_BODY,
        read_s: float = READ_SECONDS,
        answer_s: float = ANSWER_SECONDS,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        """``larger``: paths to which more may be sent, with how much."""
        self.app = app
        self.max_body = max_body
        self.larger = larger or {}
        self.read_s = read_s
        self.answer_s = answer_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = 0
        complete = False
        most = self.larger.get(scope["path"], self.max_body)
        declared = int(dict(scope["headers"]).get(b"content-length", b"0") or b"0")

        async def bounded() -> Message:
            nonlocal seen, complete
            if complete:
                return await receive()  # waiting for the client to leave may take as long as the answer
            if declared > most:
                raise self._too_large(most)
            try:
                async with asyncio.timeout(self.read_s):
                    message = await receive()
            except TimeoutError:
                text, remedy = explained("slow_body", seconds=int(self.read_s))
                raise Unavailable(text, code="slow_body", remedy=remedy) from None
            seen += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if seen > most:
                raise self._too_large(most)
            return message

        try:
            async with asyncio.timeout(self.answer_s) as clock:

                async def started(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        clock.reschedule(None)
                    await send(message)

                await self.app(scope, bounded, started)
        except TimeoutError:
            if not clock.expired():
                raise
            text, remedy = explained("timeout", seconds=int(self.answer_s))
            raise Unavailable(text, code="timeout", remedy=remedy) from None

    @staticmethod
    def _too_large(most: int) -> WenbanError:
        text, remedy = explained("too_large", limit=most // 1024)
        return TooLarge(text, remedy=remedy)


class LimitReached(TooManyRequests):
    """``retry_after``: seconds until the next request is let through."""

    def __init__(self, retry_after: int) -> None:
        text, remedy = explained("rate", seconds=retry_after)
        super().__init__(text, remedy=remedy)
        self.retry_after = retry_after


class RateLimiter:
    """Moving windows per subject, kept in this process: a bound against floods, not an account of use.

    An address may be a whole service hall behind one router, so its bound is generous; one conversation is one person.
    """

    TURNS_BY_CONVERSATION = RateLimitItemPerMinute(30)
    TURNS_BY_ADDRESS = RateLimitItemPerMinute(600)
    READS_BY_ADDRESS = RateLimitItemPerMinute(1200)
    SIGN_INS_BY_ADDRESS = RateLimitItemPerMinute(10)

    def __init__(self, on: bool) -> None:
        self.on = on
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    async def check(self, limit: RateLimitItem, *subject: str) -> None:
        """Count one request of ``subject``; raises LimitReached when it is one too many."""
        if not self.on or await self._windows.hit(limit, *subject):
            return
        reset = (await self._windows.get_window_stats(limit, *subject)).reset_time
        raise LimitReached(max(1, math.ceil(reset - time.time())))


def address(request: Request) -> str:
    """The caller's address. Behind a proxy uvicorn has already put the forwarded one here, for proxies it trusts."""
    return request.client.host if request.client else "unknown"


def require_same_site(request: Request) -> None:
    """Refuse forms posted from other sites: by the browser's own word, else by the Origin header."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site in {"cross-site", "same-site"} if site else False
    if not foreign and origin and origin != "null":
        foreign = urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        text, remedy = explained("cross_site")
        raise Forbidden(text, code="cross_site", remedy=remedy)


def require_action_caller(request: Request, token: SecretStr | None) -> None:
    """Only the Rasa server calls actions: from this machine, or with the shared token where one is set."""
    if token is not None:
        shown = request.query_params.get("token") or request.headers.get("authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(shown.encode(), token.get_secret_value().encode())
    else:
        allowed = _is_loopback(address(request)) and "x-forwarded-for" not in request.headers
    if not allowed:
        text, remedy = explained("webhook")
        raise Forbidden(text, remedy=remedy)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
