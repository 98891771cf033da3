"""Rendering pages: the Jinja environment, addresses of static files with their content's hash, and error pages."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot.answers.phrases import facet_words
from bot.clock import ZONE
from bot.errors import WenbanError
from bot.matters.model import Limit
from bot.settings import Settings

UI = Path(__file__).resolve().parents[1] / "ui"
OFFERED = ("materials", "fees", "time_limit", "process", "where", "conditions", "online")
"""Facets that every answer offers as buttons; the rest stands in the full guide."""
ELDER_COOKIE = "wenban_elder"
_PHONE = re.compile(r"(?<![\d-])(0\d{2,3}-?\d{7,8}|1[3-9]\d{9}|[19]\d{4}|1[12]\d)(?![\d-])")


class PhonePart(NamedTuple):
    """A piece of text; ``dial`` is the number to call where the piece is one."""

    text: str
    dial: str | None


class Pages:
    """Everything pages need, made once for an application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.words: Mapping[str, Any] = tomllib.loads((UI / "words.toml").read_text("utf-8"))
        self.version = _fingerprint(UI / "static")
        self._environment = Environment(
            loader=FileSystemLoader(UI / "templates"),
            autoescape=select_autoescape(["html", "svg"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=self.asset, city=settings.city_name, hotline=settings.hotline, page=None, elder=False, here="/chat"
        )
        self._environment.filters.update(phones=phones, limit=self.limit, moment=moment, short=short)

    def asset(self, name: str) -> str:
        """Address of a static file. The folder's fingerprint is part of it, so it may be cached for ever."""
        return f"/static/{self.version}/{name}"

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page, in elder mode where the citizen has switched it on."""
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        context = {"elder": request.cookies.get(ELDER_COOKIE) == "1", "here": here, **context}
        body = self._environment.get_template(template).render(context)
        return HTMLResponse(body, status, {"Cache-Control": "no-store", "Vary": "Cookie", **(headers or {})})

    def chat_words(self) -> Mapping[str, Any]:
        """The words the chat's script needs, the hotline filled in."""
        words = {name: text for name, text in self.words.items() if isinstance(text, str)}
        words["very_slow"] = words["very_slow"].format(hotline=self.settings.hotline)
        known = facet_words()
        return {
            **words,
            "case": self.words["case"],
            "complaint": self.words["complaint"],
            "beside": self.words["beside"],
            "facets": [{"name": name, "word": known[name].word} for name in OFFERED],
        }

    def limit(self, value: Limit | None) -> str:
        """A time limit in words."""
        words: Mapping[str, str] = self.words["limit"]
        if value is None:
            return words["unknown"]
        if value.value == 0:
            return words["at_once"]
        return words["length"].format(value=value.value, unit=words[value.unit])

    def error(
        self, request: Request, error: WenbanError, *, incident: str | None, headers: Mapping[str, str]
    ) -> HTMLResponse:
        """The page of an error."""
        return self.render(
            request,
            "error.html",
            status=error.status,
            headers=headers,
            message=error.message,
            remedy=error.remedy,
            incident=incident,
        )


class ImmutableFiles(StaticFiles):
    """Static files under an address that changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Any:
        fingerprint, _, name = path.partition("/")
        response = await super().get_response(name, scope)
        if response.status_code == 200 and re.fullmatch(r"[0-9a-f]{12}", fingerprint):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def phones(text: str) -> list[PhonePart]:
    """``text`` cut into plain pieces and telephone numbers."""
    parts = []
    at = 0
    for match in _PHONE.finditer(text):
        if match.start() > at:
            parts.append(PhonePart(text[at : match.start()], None))
        parts.append(PhonePart(match.group(), match.group().replace("-", "")))
        at = match.end()
    if at < len(text):
        parts.append(PhonePart(text[at:], None))
    return parts


def moment(iso: str) -> str:
    """``2026-11-16T10:00:00+08:00`` in words: 11月16日 10:00; empty for an empty text."""
    if not iso:
        return ""
    when = datetime.fromisoformat(iso)
    day = f"{when.month}月{when.day}日"
    return day if (when.hour, when.minute) == (0, 0) else f"{day} {when:%H:%M}"


def short(at: datetime, today: date | None = None) -> str:
    """A moment for staff: the time alone where it is ``today``, else with the day."""
    when = at.astimezone(ZONE)
    return f"{when:%H:%M}" if when.date() == today else f"{when:%m-%d %H:%M}"


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
