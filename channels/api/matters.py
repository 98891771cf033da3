"""The catalogue over HTTP: search and one guide."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from channels.api.models import MatterPage, MatterRow, PublishedMatter, errors
from channels.security import RateLimiter, address
from channels.wiring import ServicesDep

router = APIRouter(prefix="/matters", tags=["matters"])


@router.get("", responses=errors(422, 429))
async def search_matters(
    request: Request,
    services: ServicesDep,
    q: Annotated[str, Query(max_length=200, description="Part of a name or alias, or a code.")] = "",
    department: Annotated[str | None, Query(max_length=200, description="The deciding unit, as written.")] = None,
    kind: Annotated[str | None, Query(max_length=20, description="事项类型, such as 行政许可.")] = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> MatterPage:
    """Matters of the published catalogue, a page at a time."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "matters", address(request))
    found = await run_in_threadpool(services.matters.search, q, department=department, kind=kind, page=page)
    return MatterPage(
        matters=[MatterRow(code=m.code, name=m.name, department=m.department, kind=m.kind) for m in found.items],
        total=found.total,
        page=found.number,
        pages=-(-found.total // found.size),
        catalogue_version=await run_in_threadpool(services.matters.current_version),
    )


@router.get("/{code}", responses=errors(404, 429))
async def one_matter(request: Request, services: ServicesDep, code: str) -> PublishedMatter:
    """One guide in force today, with the version of the catalogue it was published in."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "matters", address(request))
    published = await run_in_threadpool(services.guide, code)
    return PublishedMatter(
        guide=published.guide.model_dump(mode="json"),
        catalogue_version=published.catalogue_version,
        published_at=published.published_at,
    )
