"""Notices danger to life by its wording. Pure; made to miss little, and to be quiet when somebody only asks."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from bot.text import normalise

GENERAL = "general"
_SAME = {"medical_first": "medical", "fall_in_water": "crime"}
"""Kinds that only stand apart for their order; who has fallen into water is a matter for 110."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bot.conversations").joinpath("danger.toml").read_text(encoding="utf-8"))


@cache
def _any_of(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_table()[name]))


@cache
def _kinds() -> dict[str, re.Pattern[str]]:
    return {name: re.compile("|".join(signs)) for name, signs in _table()["kinds"].items()}


def kind_of_danger(text: str) -> str | None:
    """Which danger the wording may mean (fire, medical, crime …), harmless or not; None where it means none."""
    folded = normalise(text)
    kind = next((name for name, signs in _kinds().items() if signs.search(folded)), None)
    return _SAME.get(kind, kind) if kind else None


def is_certain(text: str) -> bool:
    """Whether the wording leaves no doubt, whatever else the text says."""
    return _any_of("always").search(normalise(text)) is not None


def sounds_harmless(text: str) -> bool:
    """Whether the text only asks, or tells of the past."""
    folded = normalise(text)
    return _any_of("harmless").search(folded) is not None and _any_of("always").search(folded) is None


def danger_now(text: str) -> str | None:
    """The danger that threatens somebody now, by the wording alone."""
    kind = kind_of_danger(text)
    return None if kind is None or sounds_harmless(text) else kind
