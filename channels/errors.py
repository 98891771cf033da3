"""Errors as the outside meets them: one JSON shape for machines, a page for people, an id for the unknown."""

from __future__ import annotations

import secrets
import traceback
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import InvalidInput, WenbanError
from channels.messages import explained, message, reason
from channels.web.pages import Pages

log = structlog.get_logger("wenban.errors")


def install(app: FastAPI, pages: Pages) -> None:
    """Teach ``app`` to answer errors in the promised shape."""

    async def known(request: Request, error: Exception) -> Response:
        return rendered(request, cast(WenbanError, error), pages)

    async def invalid(request: Request, error: Exception) -> Response:
        return rendered(request, from_validation(cast(RequestValidationError, error)), pages)

    async def http(request: Request, error: Exception) -> Response:
        raised = cast(HTTPException, error)
        if 300 <= raised.status_code < 400:
            return Response(status_code=raised.status_code, headers=dict(raised.headers or {}))
        response = rendered(request, from_http(raised), pages)
        response.headers.update(raised.headers or {})
        return response

    app.add_exception_handler(WenbanError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def rendered(request: Request, error: WenbanError, pages: Pages, incident: str | None = None) -> Response:
    """``error`` as JSON, or as a page where a browser asked for one."""
    headers = {"Cache-Control": "no-store"}
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and incident is None:
        log.error("request_failed", path=request.url.path, code=error.code, message=error.message, remedy=error.remedy)
    if wants_page(request):
        return pages.error(request, error, incident=incident, headers=headers)
    body = error.as_dict() | ({"incident": incident} if incident else {})
    return JSONResponse(body, error.status, headers)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asked (and not a program, which gets JSON)."""
    if request.url.path.startswith(("/api/", "/webhook")):
        return False
    return "text/html" in request.headers.get("accept", "")


def from_validation(error: RequestValidationError) -> InvalidInput:
    """FastAPI's list of faults as one Chinese sentence, the faults in ``details``."""
    details = []
    for fault in error.errors():
        place = [str(part) for part in fault["loc"][1:] if not isinstance(part, int)] or [message("invalid_body")]
        details.append({"field": ".".join(place), "reason": reason(fault["type"], fault.get("ctx") or {})})
    text, remedy = explained("invalid", **details[0])
    return InvalidInput(text, remedy=remedy, details=details)


def from_http(error: HTTPException) -> WenbanError:
    """Starlette's own refusals (no such path, wrong method) in our shape."""
    if isinstance(error.__cause__, WenbanError):
        return error.__cause__  # FastAPI wraps what is raised while a body is read
    name = HTTPStatus(error.status_code).name.lower()
    key = name if name in {"not_found", "method_not_allowed"} else "http"
    text, remedy = explained(key)
    converted = WenbanError(text, code=name, remedy=remedy)
    converted.status = error.status_code  # type: ignore[misc]  # this one error has the status of what it stands for
    return converted


class Incidents:
    """Outermost: an exception nobody foresaw becomes a plain 500 with an incident id and one log line."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message_: Message) -> None:
            nonlocal started
            started = started or message_["type"] == "http.response.start"
            await send(message_)

        try:
            await self.app(scope, receive, watched)
        except WenbanError as error:  # raised by a middleware, outside of the handlers above
            if not started:
                await rendered(Request(scope, receive), error, self.pages)(scope, receive, send)
        except Exception as error:
            incident = secrets.token_hex(6)
            log.error("incident", incident=incident, method=scope["method"], path=scope["path"], **_told(error))
            if started:
                return  # the client sees the connection end; there is no second status to send
            request = Request(scope, receive)
            text, remedy = explained("internal", incident=incident)
            failure = WenbanError(text, code="internal", remedy=remedy)
            await rendered(request, failure, self.pages, incident)(scope, receive, send)


def _told(error: Exception) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "raised": type(error).__name__,
        "reason": str(error)[:500],
        "trace": " > ".join(
            f"{frame.filename.rsplit('/site-packages/')[-1]}:{frame.lineno} {frame.name}" for frame in frames
        ),
    }
