"""/matters: the list of guides and one guide as a page to read, print and share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.matters.model import Guide, Material, MatterKind, Situation
from channels.security import RateLimiter, address
from channels.wiring import ServicesDep

router = APIRouter(prefix="/matters", include_in_schema=False)


class Group(NamedTuple):
    """Materials needed in one situation; ``title`` is empty for those always needed."""

    title: str
    materials: Sequence[Material]


class Asked(NamedTuple):
    q: str
    department: str
    kind: str
    page: int


@router.get("")
async def matters(
    request: Request,
    services: ServicesDep,
    q: Annotated[str, Query(max_length=200)] = "",
    department: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Search by name, alias or code."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "matters", address(request))
    found = await run_in_threadpool(
        services.matters.search, q, department=department or None, kind=kind or None, page=page
    )
    filters = {"q": q, "department": department, "kind": kind}
    return services.pages.render(
        request,
        "matters.html",
        page="matters",
        query=Asked(q, department, kind, page),
        results=found.items,
        total=found.total,
        pages=max(1, -(-found.total // found.size)),
        departments=list((await run_in_threadpool(services.matters.counts)).departments),
        kinds=get_args(MatterKind),
        link=lambda number: urlencode({**{k: v for k, v in filters.items() if v}, "page": number}),
    )


@router.get("/{code}")
async def matter(request: Request, services: ServicesDep, code: str) -> Response:
    """The full guide. A guide out of force is shown with a warning: a link to it may be old."""
    await services.limiter.check(RateLimiter.READS_BY_ADDRESS, "matters", address(request))
    published = await run_in_threadpool(services.any_guide, code)
    guide = published.guide
    today = services.clock.now().date()
    return services.pages.render(
        request,
        "matter.html",
        page="matters",
        guide=guide,
        catalogue_version=published.catalogue_version,
        published_at=published.published_at,
        in_force=guide.is_valid_on(today),
        not_yet=guide.valid_from is not None and guide.valid_from > today,
        materials=list(by_situation(guide.materials, guide.situations)),
        sections=list(sections(guide)),
    )


def by_situation(materials: Sequence[Material], situations: Sequence[Situation]) -> Iterable[Group]:
    """Materials in the order of the guide: always needed, then by the situations' options."""
    always = [item for item in materials if item.applies_when is None]
    if always:
        yield Group("", always)
    named = [option for situation in situations for option in situation.options]
    others = [item.applies_when for item in materials if item.applies_when and item.applies_when not in named]
    for option in dict.fromkeys([*named, *others]):
        needed = [item for item in materials if item.applies_when == option]
        if needed:
            yield Group(option, needed)


def sections(guide: Guide) -> Iterable[str]:
    """Names of the sections that the page of ``guide`` has, in their order."""
    yield "materials"
    if guide.conditions:
        yield "conditions"
    yield "fees"
    if guide.process:
        yield "process"
    yield "where"
    if guide.result:
        yield "result"
    if guide.faq:
        yield "faq"
    if guide.legal_basis:
        yield "legal_basis"
    yield "contact"
