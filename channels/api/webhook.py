"""POST /webhook: Rasa's custom actions, executed in this process by rasa-sdk.

A plain route: every turn passes here, and what FastAPI adds to one (dependencies, validation) would not be used.
"""

from __future__ import annotations

from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Request
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import InvalidInput
from channels.api.json import Json
from channels.messages import explained
from channels.security import require_action_caller
from channels.wiring import services_of

log = structlog.get_logger("wenban.actions")


async def run_action(request: Request) -> Response:
    """Run ``next_action``; 400 and 404 are words of rasa-sdk's protocol, in its own shape."""
    services = services_of(request)
    require_action_caller(request, services.settings.action_token)
    try:
        result = await services.actions.run(_call(await request.body()))
    except ActionExecutionRejection as rejection:
        log.info("action_rejected", action=rejection.action_name, reason=rejection.message)
        return Json({"error": rejection.message, "action_name": rejection.action_name}, 400)
    except ActionNotFoundException as missing:
        log.error("action_unknown", action=missing.action_name)
        return Json({"error": missing.message, "action_name": missing.action_name}, 404)
    return Json(result.model_dump() if result else {"events": [], "responses": []})


def _call(body: bytes) -> dict[str, Any]:
    """The call as rasa-sdk takes it. Raises InvalidInput where it is none."""
    try:
        call = orjson.loads(body)
    except orjson.JSONDecodeError:
        call = None
    if not isinstance(call, dict) or not isinstance(call.get("tracker"), dict):
        text, remedy = explained("action_call")
        raise InvalidInput(text, code="bad_action_call", remedy=remedy)
    # Our actions read nothing of the domain, and endpoints.yml keeps Rasa from sending it.
    return {"domain": {}, **call}


router = APIRouter(routes=[Route("/webhook", run_action, methods=["POST"], include_in_schema=False)])
