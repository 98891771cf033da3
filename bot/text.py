"""Citizens' text made comparable: one width, one script, no invisible characters."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from opencc import OpenCC

LONGEST = 2_000
"""Characters of a citizen's text that are looked at; longer texts are refused where they come in."""

_SPACE = re.compile(r"\s+")


def normalise(text: str, longest: int = LONGEST) -> str:
    """``text`` for finding and comparing: NFKC, simplified, one space for any white space, no control characters.

    What remains is at most ``longest`` characters. The result is for machines; people are shown what was written.
    """
    text = unicodedata.normalize("NFKC", text[:longest])
    text = "".join(" " if character.isspace() else character for character in text if _is_kept(character))
    return _SPACE.sub(" ", _simplifier().convert(text)).strip()[:longest]


def is_blank(text: str) -> bool:
    """Whether ``text`` shows nothing at all: only white space, control and invisible characters."""
    return not any(_is_kept(character) and not character.isspace() for character in text)


def _is_kept(character: str) -> bool:
    # Cc control (white space among them is kept to part words), Cf invisible format, Cs lone surrogates, Co private use
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")
