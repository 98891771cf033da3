"""The sentences of ``notices.toml``: citizen-facing words kept out of the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_VALUE = re.compile(r"\{(\w+)\}")


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bot.notifications").joinpath("notices.toml").read_text(encoding="utf-8"))


def templates() -> tuple[str, ...]:
    """The names of all notifications."""
    return tuple(_table())


def title(template: str) -> str:
    """What the notification is called, in a few words. KeyError for one that is not in the file."""
    return str(_table()[template]["title"])


def text(template: str, values: Mapping[str, str]) -> str:
    """The notification in full. KeyError for a template or a value that is not there: programming faults."""
    body: str = _table()[template]["text"]

    def optional(match: re.Match[str]) -> str:
        part = match.group(1)
        return part if all(values[name] for name in _VALUE.findall(part)) else ""

    return _OPTIONAL.sub(optional, body).format(**values)
