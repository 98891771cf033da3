"""The edge's own sentences, kept in ``messages.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

_FILE = Path(__file__).with_name("messages.toml")


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return cast(Mapping[str, Mapping[str, str]], tomllib.loads(_FILE.read_text("utf-8")))


def message(key: str, **values: Any) -> str:
    """The sentence ``key`` of the section [error], its braces filled in."""
    return _table()["error"][key].format(**values)


def explained(key: str, **values: Any) -> tuple[str, str]:
    """The sentence and its remedy."""
    return message(key, **values), message(f"{key}_remedy", **values)


def reason(kind: str, context: Mapping[str, Any]) -> str:
    """Why a field was refused, from the validator's error ``kind`` (its own name for the fault)."""
    reasons = _table()["reason"]
    return reasons.get(kind, reasons["other"]).format_map(_Lenient(context))


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"
