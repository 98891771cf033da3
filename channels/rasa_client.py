"""Speaks to the Rasa server: one citizen turn through its REST channel, one parse, one look at its health.

Rasa answers 200 with an empty list when an action failed or the action server was out of reach, so silence is an
error here. Both errors tell the caller to answer without Rasa.

Every turn passes here, so the client is aiohttp's: a call costs a fifth of what it costs with httpx.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from bot.errors import Unavailable

ANSWERS_AT = "/webhooks/rest/"
"""Rasa listens only after its model is loaded, so an answer here means ready; its administrative API stays closed."""

JSON = {"Content-Type": "application/json"}

KEPT_OPEN = 4.0
"""Seconds an idle connection is kept: less than Rasa's five, so that none is used while Rasa closes it."""


class RasaUnavailable(Unavailable):
    """Rasa could not be reached, did not answer in time, or answered with an error."""

    default_code = "rasa_unavailable"


class RasaSilent(Unavailable):
    """Rasa answered, but said nothing: an action failed behind it."""

    default_code = "rasa_silent"


class RasaClient:
    """A pool of connections to one Rasa server. Use as an async context manager, or call `close`."""

    def __init__(self, url: str, timeout: float = 3.0) -> None:
        """`timeout` in seconds, for connecting and for the whole reply alike."""
        self._url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=min(timeout, 1.0))
        self._opened: aiohttp.ClientSession | None = None

    @property
    def _http(self) -> aiohttp.ClientSession:
        """The session, opened in the event loop that first needs it."""
        if self._opened is None:
            connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=KEPT_OPEN)
            self._opened = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._opened

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        if self._opened is not None:
            await self._opened.close()

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
            async with self._http.get(self._url + ANSWERS_AT) as reply:
                return reply.status == HTTPStatus.OK and bool(await reply.json(loads=orjson.loads) == {"status": "ok"})
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            async with self._http.post(self._url + path, data=orjson.dumps(body), headers=JSON) as reply:
                if reply.status != HTTPStatus.OK:
                    raise _unavailable(f"status {reply.status}")
                return orjson.loads(await reply.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
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
