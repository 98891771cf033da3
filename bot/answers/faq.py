"""A guide's own questions and answers: quoted where the citizen asks the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from bot.text import normalise

_SIGNS = re.compile(r"[\W_]+")
NEAR = 0.6
"""Share of common character pairs from which a question of the guide counts as the same question in other words."""


class Entry(Protocol):
    @property
    def q(self) -> str: ...
    @property
    def a(self) -> str: ...


E = TypeVar("E", bound=Entry)


def bare(text: str) -> str:
    """The text without punctuation and spaces, folded for comparison."""
    return _SIGNS.sub("", normalise(text)).casefold()


def pairs(text: str) -> set[str]:
    folded = bare(text)
    return {folded[i : i + 2] for i in range(len(folded) - 1)}


def exact(text: str, entries: Sequence[E]) -> E | None:
    """The entry whose question the text is, punctuation aside."""
    asked = bare(text)
    return next((entry for entry in entries if asked and bare(entry.q) == asked), None)


def near(text: str, entries: Sequence[E]) -> E | None:
    """The entry that asks nearly the same in the same words, or None."""
    asked = pairs(text)
    best: tuple[float, E] | None = None
    for entry in entries:
        other = pairs(entry.q)
        union = len(asked | other)
        share = len(asked & other) / union if union else 0.0
        if share >= NEAR and (best is None or share > best[0]):
            best = (share, entry)
    return best[1] if best else None
