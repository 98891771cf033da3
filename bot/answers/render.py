"""The Jinja2 environment of the answer templates: plain text, and nothing undefined passes silently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.answers.phrases import Phrases

_BLANK_LINES = re.compile(r"\n\s*\n+")


def _without_full_stop(text: str) -> str:
    """The text without its closing mark, to be put inside a sentence."""
    return text.strip().rstrip("。；;，, ")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.answers", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (plain text, no markup: every channel escapes for its own medium)
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["end"] = _without_full_stop
    environment.filters["bare_title"] = lambda title: title.strip("《》")
    return environment


def render(template: str, values: Mapping[str, object], *, phrases: Phrases, today: date) -> str:
    """One template's text, trimmed, without blank lines inside."""
    text = (
        _environment()
        .get_template(f"{template}.j2")
        .render(values, hotline=phrases.hotline, city=phrases.city, day=lambda day: phrases.day(day, today))
    )
    return _BLANK_LINES.sub("\n", text).strip()
