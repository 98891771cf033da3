"""Which facets a text asks for, and which it leaves as they were. Pure."""

from __future__ import annotations

from bot.conversations.model import Focus, Understanding
from bot.conversations.reading import facets_said, is_elliptic

BELIEVED = 0.5
PLAIN = 0.8
"""A facet guessed with this confidence counts as asked for even in a text that names none."""
LIKELIEST = 0.3
MOST = 3
OVERVIEW = ("overview",)


def asked_facets(understanding: Understanding, focus: Focus, *, follows_up: bool) -> tuple[str, ...]:
    """The facets to answer, first asked first. A follow-up that names none keeps those asked before."""
    said = facets_said(understanding.text)
    guesses = understanding.facets
    if follows_up and focus.facets and not said and not _says_one(understanding):
        return focus.facets
    believed = [guess.name for guess in guesses if guess.confidence >= BELIEVED]
    if not believed and said:
        believed = list(said)
    if not believed and guesses and guesses[0].confidence >= LIKELIEST:
        believed = [guesses[0].name]
    if len(believed) > 1:
        believed = [name for name in believed if name != "overview"]
    return tuple(believed[:MOST]) or OVERVIEW


def _says_one(understanding: Understanding) -> bool:
    """Whether the understanding is sure of a facet; of the overview only in a text that stands by itself."""
    stands_alone = not is_elliptic(understanding.text)
    return any(g.confidence >= PLAIN and (g.name != "overview" or stands_alone) for g in understanding.facets)
