"""Text messages: through a gateway that speaks HTTP, whatever shape it wants, or in development into a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson

from bot.errors import ConfigurationError
from bot.notifications.ports import Delivery, Later, Outgoing, Refused, Sent, Unsure
from bot.settings import Settings
from bot.store.faults import explaining

CHANNEL = "sms"
TIMEOUT = 15.0
"""Seconds a gateway gets for everything."""
AGAIN = timedelta(minutes=1)
FILE = "notices/sms.jsonl"
"""Under the home: where development keeps what would have been sent."""

_SLOT = re.compile(r"\{(phone|text|key|template|secret|values)\}")
_LONGEST_RETRY = 3600


class HttpSms:
    """A gateway reached by HTTP. Address, headers and body are templates of the settings."""

    channel = CHANNEL

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Raises ConfigurationError where the templates do not make a request."""
        self._url = settings.sms_url or ""
        self._method = settings.sms_method
        self._secret = settings.sms_secret.get_secret_value() if settings.sms_secret else ""
        self._headers = _headers(settings.sms_headers)
        self._body = settings.sms_body
        self._accepted = _pattern(settings.sms_accepted)
        kind = next((value for name, value in self._headers.items() if name.lower() == "content-type"), "")
        self._written: Callable[[object], str] = _json if "json" in kind.lower() else _form
        if self._written is _json:
            self._check_body()
        self._http = httpx.AsyncClient(timeout=TIMEOUT, transport=transport, trust_env=False)

    async def deliver(self, address: str, outgoing: Outgoing, now: datetime) -> Delivery:
        """Sends ``outgoing.text`` to the phone ``address``; the answer decides how it ended, silence is unsure."""
        values = self._values(address, outgoing)
        url = _filled(self._url, values, _form)
        headers = {name: _filled(value, values, str) for name, value in self._headers.items()}
        body = None if self._method == "GET" else _filled(self._body, values, self._written).encode()
        try:
            answer = await self._http.request(self._method, url, headers=headers, content=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Later(f"not reached: {type(error).__name__}", now + AGAIN)
        except httpx.HTTPError as error:
            return Unsure(f"no answer: {type(error).__name__}")
        return self._judged(answer, now)

    async def close(self) -> None:
        await self._http.aclose()

    def _judged(self, answer: httpx.Response, now: datetime) -> Delivery:
        status = answer.status_code
        if status in (429, 503):
            after = answer.headers.get("Retry-After", "")
            pause = timedelta(seconds=min(int(after), _LONGEST_RETRY)) if after.isdecimal() else AGAIN
            return Later(f"status {status}", now + max(pause, timedelta(seconds=1)))
        if status >= 500:
            return Unsure(f"status {status}")
        if not answer.is_success:
            return Refused(f"http_{status}", f"status {status}")
        if self._accepted is not None and not self._accepted.search(answer.text):
            return Refused("not_accepted", "the gateway's answer is not the one of WENBAN_SMS_ACCEPTED")
        return Sent()

    def _values(self, phone: str, outgoing: Outgoing) -> Mapping[str, object]:
        return {
            "phone": phone,
            "text": outgoing.text,
            "key": outgoing.key,
            "template": outgoing.template,
            "secret": self._secret,
            "values": dict(outgoing.values),
        }

    def _check_body(self) -> None:
        example = self._values("13900000000", Outgoing("key", "template", {"name": "value"}, "text"))
        try:
            orjson.loads(_filled(self._body, example, _json))
        except orjson.JSONDecodeError as error:
            raise _unusable("WENBAN_SMS_BODY", f"填好后不是 JSON（第 {error.colno} 个字符附近）") from error


class FileSms:
    """Writes messages to a file that only the owner reads: development, and a first look at the texts."""

    channel = CHANNEL

    def __init__(self, home: Path) -> None:
        self._file = home / FILE

    async def deliver(self, address: str, outgoing: Outgoing, now: datetime) -> Delivery:
        """Appends one line of JSON."""
        line = {"at": now.isoformat(), "phone": address, "key": outgoing.key, "text": outgoing.text}
        with explaining():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(orjson.dumps(line) + b"\n")
        return Sent()

    async def close(self) -> None:
        """Holds nothing."""


def _filled(template: str, values: Mapping[str, object], written: Callable[[object], str]) -> str:
    return _SLOT.sub(lambda slot: written(values[slot.group(1)]), template)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _form(value: object) -> str:
    return quote(value if isinstance(value, str) else _json(value), safe="")


def _headers(text: str) -> dict[str, str]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _unusable("WENBAN_SMS_HEADERS", "不是 JSON 对象") from error
    if not isinstance(found, dict):
        raise _unusable("WENBAN_SMS_HEADERS", "不是 JSON 对象")
    return {str(name): str(value) for name, value in found.items()}


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise _unusable("WENBAN_SMS_ACCEPTED", f"不是正则表达式（{error}）") from error


def _unusable(name: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"设置 {name} 不可用：{reason}。",
        code="sms_settings_invalid",
        remedy="请对照 docs/cases.md 的短信一节改正。",
        details=[{"setting": name}],
    )
