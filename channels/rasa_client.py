"""Speaks to the Rasa server: one citizen turn through its REST channel, one parse, one look at its health.

Rasa answers 200 with an empty list when an action failed or the action server was out of reach, so silence is an
error here. Both errors tell the caller to answer without Rasa.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from bot.errors import Unavailable

ANSWERS_AT = "/webhooks/rest/"
"""Rasa listens only after its model is loaded, so an answer here means ready; its administrative API stays closed."""


class RasaUnavailable(Unavailable):
    """Rasa could not be reached, did not answer in time, or answered with an error."""

    default_code = "rasa_unavailable"


class RasaSilent(Unavailable):
    """Rasa answered, but said nothing: an action failed behind it."""

    default_code = "rasa_silent"


class RasaClient:
    """One pooled connection to one Rasa server. Use as an async context manager, or call `close`."""

    def __init__(self, url: str, timeout: float = 3.0, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`timeout` in seconds, for connecting and for the whole reply alike."""
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 1.0)),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
            transport=transport,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def turn(
        self, conversation_id: str, text: str, metadata: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Send one citizen message; the `custom` payloads its action replied with, in order.

        `metadata` reaches the action as `latest_message["metadata"]`. Raises RasaUnavailable or RasaSilent.
        """
        body = {"sender": conversation_id, "message": spoken(text), "metadata": dict(metadata or {})}
        replies = await self._post("/webhooks/rest/webhook", body)
        payloads = [
            reply["custom"] for reply in replies if isinstance(reply, dict) and isinstance(reply.get("custom"), dict)
        ]
        if not payloads:
            raise RasaSilent("对话引擎没有给出回答。", remedy="已改由办事指南直接作答；请查看动作服务的日志。")
        return payloads

    async def parse(self, text: str) -> dict[str, Any]:
        """What Rasa understands: `intent`, `intent_ranking`, `facets`, `entities`. Raises RasaUnavailable.

        Needs a Rasa started with `--enable-api`, as the tests do; the supervisor's is not.
        """
        understood = await self._post("/model/parse", {"text": spoken(text)})
        if not isinstance(understood, dict):
            raise _unavailable("unexpected reply")
        return understood

    async def health(self) -> bool:
        """Whether the server is up; never raises."""
        try:
            reply = await self._http.get(ANSWERS_AT)
            return reply.status_code == httpx.codes.OK and reply.json() == {"status": "ok"}
        except (httpx.HTTPError, ValueError):
            return False

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            reply = await self._http.post(path, json=body)
            reply.raise_for_status()
            return reply.json()
        except httpx.HTTPStatusError as error:
            raise _unavailable(f"status {error.response.status_code}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise _unavailable(f"{type(error).__name__}: {error}") from error


def spoken(text: str) -> str:
    """The text as Rasa may take it: a leading slash would let a citizen name intents (`/restart`) himself."""
    stripped = text.strip()
    return f"／{stripped[1:]}" if stripped.startswith("/") else stripped


def _unavailable(reason: str) -> RasaUnavailable:
    return RasaUnavailable(
        "对话引擎暂时连不上。",
        remedy="已改由办事指南直接作答；请检查 Rasa 进程是否在运行。",
        details=[{"reason": reason}],
    )
