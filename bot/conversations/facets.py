"""Which facets a text asks for, and which it leaves as they were. Pure.

The numbers were chosen on the development questions and on another city's: with them 1.7 and 1.8 facets are answered.
"""

from __future__ import annotations

from bot.answers.faq import bare
from bot.conversations.corrections import correction
from bot.conversations.model import Focus, Understanding
from bot.conversations.reading import asks_only_facets, facets_said, is_elliptic

PLAIN = 0.5
"""A facet guessed with this confidence counts as asked for even in a short follow-up that names none."""
POSSIBLE = 0.08
"""A further guess is answered together with the first from this confidence on."""
NAMED = 0.05
"""… or from this on, where the text names it; a word may name a facet that nobody asks for ("带着材料跑了三趟")."""
SHORT = 4
"""Characters up to which a follow-up says too little to ask for another facet without naming it."""
MOST = 3
OVERVIEW = ("overview",)


def asked_facets(understanding: Understanding, focus: Focus, *, follows_up: bool) -> tuple[str, ...]:
    """The facets to answer, most probable first. A short follow-up that names none keeps those asked before.

    A text that asks nothing but facets ("多少钱，几天") gets those it names; otherwise the guesses are followed.
    """
    text = understanding.text
    said = facets_said(text)
    guesses = understanding.facets
    if follows_up and focus.facets and not said and _says_little(understanding):
        return focus.facets
    if said and (not guesses or asks_only_facets(text)):
        return said[:MOST]
    likely = [
        guess.name
        for place, guess in enumerate(guesses)
        if place == 0 or guess.confidence >= (NAMED if guess.name in said else POSSIBLE)
    ]
    return tuple(likely[:MOST]) or OVERVIEW


def _says_little(understanding: Understanding) -> bool:
    """Whether the text is too short to tell what it asks, or puts another matter right, and no guess is sure."""
    if not understanding.facets:
        return True
    leaning = is_elliptic(understanding.text) or correction(understanding.text) is not None
    if not leaning and len(bare(understanding.text)) > SHORT:
        return False
    first = understanding.facets[0]
    return first.confidence < PLAIN or (first.name == "overview" and leaning)
