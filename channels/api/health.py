"""For operators and balancers: /healthz, /readyz, /metrics."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from channels.api.json import Json
from channels.wiring import ServicesDep

router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "A vital part is down, or the start is not complete"}})
async def ready(services: ServicesDep) -> Response:
    """Database, index, Rasa and worker, each with what it says; 200 when citizens can be sent here.

    Without Rasa or the worker a gateway that has once been complete stays ready, with the status `limited`.
    """
    readiness = await services.readiness()
    body = {
        "status": readiness.status,
        "parts": {
            part: {"up": state.up, **({"detail": state.detail} if state.detail else {})}
            for part, state in readiness.parts.items()
        },
    }
    return Json(body, 200 if readiness.ready else 503, {"Cache-Control": "no-store"})


@router.get("/metrics", response_class=Response)
async def metrics(services: ServicesDep) -> Response:
    """Prometheus's text format."""
    return Response(generate_latest(services.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
