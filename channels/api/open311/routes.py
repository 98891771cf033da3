"""/open311/v2: the paths of GeoReport v2. What is filed here goes the way of every complaint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.complaints.filing import Asker
from bot.complaints.listing import ComplaintListing, Listed
from bot.complaints.numbers import folded_number
from bot.errors import NotFound, WenbanError
from bot.keys.model import Key, Scope
from channels.api.open311.rendering import Format, rendered, rendered_one
from channels.api.open311.requests import filing, paging, shown, wanted
from channels.api.open311.services import Service, by_code
from channels.messages import explained, message
from channels.security import RateLimiter, address
from channels.wiring import Services, ServicesDep

_SHAPES: dict[str, Any] = {"content": {"application/json": {"schema": {}}, "text/xml": {"schema": {}}}}
router = APIRouter(
    prefix="/open311/v2",
    tags=["open311"],
    responses={
        200: {"description": "As GeoReport v2 describes it.", **_SHAPES},
        **{status: {"description": "A list of errors.", **_SHAPES} for status in (401, 403, 404, 422, 429)},
    },
)

CHANNEL = "open311"
log = structlog.get_logger(__name__)

ApiKey = Annotated[str, Query(max_length=200, description="An API key; or send it as `Authorization: Bearer`.")]
Bearer = Annotated[str, Header(description="`Bearer` and an API key.")]


@router.get("/discovery.{shape}")
async def discovery(request: Request, services: ServicesDep, shape: Format) -> Response:
    """Where this endpoint is, which formats and versions it speaks."""
    base = (services.settings.public_url or str(request.base_url)).rstrip("/")
    return rendered_one(
        shape,
        "discovery",
        {
            "changeset": services.started_at.isoformat(timespec="seconds"),
            "contact": message("open311_contact", hotline=services.settings.hotline),
            "key_service": message("open311_key_service"),
            "endpoints": [
                {
                    "specification": "http://wiki.open311.org/GeoReport_v2",
                    "url": f"{base}{router.prefix}",
                    "changeset": services.started_at.isoformat(timespec="seconds"),
                    "type": services.settings.environment,
                    "formats": [{"format": "text/xml"}, {"format": "application/json"}]
                    if shape == "xml"
                    else ["text/xml", "application/json"],
                }
            ],
        },
    )


@router.get("/services.{shape}")
async def services_list(services: ServicesDep, shape: Format) -> Response:
    """The categories a request may be filed under."""

    async def answer() -> Response:
        return rendered(shape, "services", "service", [s.as_dict() for s in (await _services(services)).values()])

    return await _answered(shape, answer)


@router.get("/services/{code}.{shape}")
async def service_definition(services: ServicesDep, code: str, shape: Format) -> Response:
    """What is asked about a service besides the usual: nothing."""

    async def answer() -> Response:
        if code not in await _services(services):
            raise _missing("service")
        return rendered_one(shape, "service_definition", {"service_code": code, "attributes": []})

    return await _answered(shape, answer)


@router.post("/requests.{shape}", status_code=201, responses={201: {"description": "Filed.", **_SHAPES}})
async def file_request(
    request: Request,
    services: ServicesDep,
    shape: Format,
    api_key: ApiKey = "",
    authorization: Bearer = "",
    idempotency_key: Annotated[str | None, Header(max_length=500)] = None,
) -> Response:
    """File a complaint on a citizen's behalf (scope `complaints:write`). `Idempotency-Key` makes it safe to retry."""

    async def answer() -> Response:
        form = {k: v for k, v in (await request.form(max_files=0, max_fields=50)).items() if isinstance(v, str)}
        key = await _key(services, form.get("api_key", api_key), authorization, Scope.COMPLAINTS_WRITE)
        await services.limiter.check(RateLimiter.TURNS_BY_ADDRESS, CHANNEL, address(request))
        taken = filing(form, await _services(services))
        asker = Asker(CHANNEL, origin=f"key:{key.name}")
        filed = await run_in_threadpool(services.complaints.service.file, taken, asker, idempotency_key)
        notice = message("open311_notice", code=filed.query_code)
        item = {"service_request_id": filed.number, "service_notice": notice, "account_id": None}
        return rendered(shape, "service_requests", "request", [item], 200 if filed.repeated else 201)

    return await _answered(shape, answer)


@router.get("/requests.{shape}")
async def list_requests(
    request: Request, services: ServicesDep, shape: Format, api_key: ApiKey = "", authorization: Bearer = ""
) -> Response:
    """Requests of the last ninety days or by date, service and status (scope `complaints:read`); texts are masked."""

    async def answer() -> Response:
        query = dict(request.query_params)
        await _key(services, api_key, authorization, Scope.COMPLAINTS_READ)
        await services.limiter.check(RateLimiter.READS_BY_ADDRESS, CHANNEL, address(request))
        asked = wanted(query, await _services(services), services.clock.now())
        most, skip = paging(query)
        found = await run_in_threadpool(ComplaintListing(services.store).listed, asked, most, skip)
        return _requests(shape, found)

    return await _answered(shape, answer)


@router.get("/requests/{number}.{shape}")
async def one_request(
    request: Request,
    services: ServicesDep,
    number: str,
    shape: Format,
    api_key: ApiKey = "",
    authorization: Bearer = "",
) -> Response:
    """One request (scope `complaints:read`)."""

    async def answer() -> Response:
        await _key(services, api_key, authorization, Scope.COMPLAINTS_READ)
        await services.limiter.check(RateLimiter.READS_BY_ADDRESS, CHANNEL, address(request))
        asked = wanted({"service_request_id": folded_number(number)[:20]}, {}, services.clock.now())
        found = await run_in_threadpool(ComplaintListing(services.store).listed, asked, 1)
        if not found:
            raise _missing("request")
        return _requests(shape, found)

    return await _answered(shape, answer)


@router.get("/tokens/{token}.{shape}")
async def token(shape: Format, token: str) -> Response:  # noqa: ARG001  (numbers are given at once: there are no tokens)
    """Numbers are given at once, so there is never a token to resolve."""

    async def answer() -> Response:
        raise _missing("token")

    return await _answered(shape, answer)


async def _answered(shape: Format, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, or the refusal in GeoReport's own shape."""
    try:
        return await answer()
    except WenbanError as error:
        if error.status >= 500:
            log.error("request_failed", channel=CHANNEL, code=error.code, message=error.message)
        item = {"code": error.status, "description": f"{error.code}: {error.message}{error.remedy}"}
        response = rendered(shape, "errors", "error", [item], error.status)
        retry_after = getattr(error, "retry_after", None)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response


def _requests(shape: Format, found: list[Listed]) -> Response:
    return rendered(shape, "service_requests", "request", [shown(each) for each in found])


async def _services(services: Services) -> dict[str, Service]:
    return by_code(await run_in_threadpool(services.complaints.category_names))


async def _key(services: Services, api_key: str, authorization: str, scope: Scope) -> Key:
    shown_key = authorization.removeprefix("Bearer ").strip() or api_key.strip()
    return await run_in_threadpool(services.casework.keys.authorise, shown_key, scope)


def _missing(what: str) -> NotFound:
    text, remedy = explained(f"open311_no_{what}")
    return NotFound(text, code=f"{what}_not_found", remedy=remedy)
