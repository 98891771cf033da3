"""Which facets a text asks for, and which it leaves as they were. Pure."""

from __future__ import annotations

from bot.conversations.model import Focus, Understanding
from bot.conversations.reading import facets_said, is_elliptic

BELIEVED = 0.5
PLAIN = 0.8
"""A facet guessed with this confidence counts as asked for even in a text that names none, and stands alone."""
POSSIBLE = 0.08
"""A doubtful first guess is answered together with the next one, if that has at least this confidence."""
MOST = 3
OVERVIEW = ("overview",)


def asked_facets(understanding: Understanding, focus: Focus, *, follows_up: bool) -> tuple[str, ...]:
    """The facets to answer, first asked first. A follow-up that names none keeps those asked before."""
    said = facets_said(understanding.text)
    guesses = understanding.facets
    if follows_up and focus.facets and not said and not _says_one(understanding):
        return focus.facets
    believed = [guess.name for guess in guesses if guess.confidence >= BELIEVED] or [g.name for g in guesses[:1]]
    if guesses and guesses[0].confidence < PLAIN and len(believed) < 2:
        believed += [g.name for g in guesses[1:2] if g.confidence >= POSSIBLE]
    return tuple(dict.fromkeys([*believed, *said]))[:MOST] or OVERVIEW


def _says_one(understanding: Understanding) -> bool:
    """Whether the understanding is sure of a facet; of the overview only in a text that stands by itself."""
    stands_alone = not is_elliptic(understanding.text)
    return any(g.confidence >= PLAIN and (g.name != "overview" or stands_alone) for g in understanding.facets)
