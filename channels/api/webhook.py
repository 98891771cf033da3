"""POST /webhook: Rasa's custom actions, executed in this process by rasa-sdk."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import APIRouter, Body, Request
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from starlette.responses import Response

from channels.api.json import Json
from channels.security import require_action_caller
from channels.wiring import ServicesDep

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("wenban.actions")


@router.post("/webhook")
async def run_action(request: Request, services: ServicesDep, call: dict[str, Any] = Body()) -> Response:  # noqa: B008
    """Run ``next_action``; 400 and 404 are words of rasa-sdk's protocol, in its own shape."""
    require_action_caller(request, services.settings.action_token)
    try:
        result = await services.actions.run(call)
    except ActionExecutionRejection as rejection:
        log.info("action_rejected", action=rejection.action_name, reason=rejection.message)
        return Json({"error": rejection.message, "action_name": rejection.action_name}, 400)
    except ActionNotFoundException as missing:
        log.error("action_unknown", action=missing.action_name)
        return Json({"error": missing.message, "action_name": missing.action_name}, 404)
    return Json(result.model_dump() if result else {"events": [], "responses": []})
