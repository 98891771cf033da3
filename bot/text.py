"""Citizens' text made comparable: one width, one script, no invisible characters."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

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
    return _SPACE.sub(" ", simplified(text)).strip()[:longest]


def simplified(text: str) -> str:
    """``text`` in simplified characters; most is already, and then nothing is converted."""
    return text if _traditional().isdisjoint(text) else _simplifier().convert(text)


def is_blank(text: str) -> bool:
    """Whether ``text`` shows nothing at all: only white space, control and invisible characters."""
    return not any(_is_kept(character) and not character.isspace() for character in text)


def _is_kept(character: str) -> bool:
    # Cc control (white space among them is kept to part words), Cf invisible format, Cs lone surrogates, Co private use
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


@cache
def _traditional() -> frozenset[str]:
    """Every character that the converter would change."""
    table = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return frozenset(pair[0] for pair in pairs if pair[0] not in pair[1].split(" ")[:1])


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")
