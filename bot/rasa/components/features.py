"""What the classifiers see of a text: runs of one to four characters, and cues given as regular expressions.

Spoken Chinese has dialect words, typing slips and no spaces; character runs need no word list and survive all three.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONGEST_RUN = 4
"""Longest character run used as a feature."""

LONGEST_TEXT = 400
"""Characters read; what follows rarely changes what is wanted and would cost time."""

_ASKS = re.compile(
    "吗|么|呢|啥|什么|怎|咋|多少|哪|几(?!乎)|谁|多久|不$|没$|没有$|能不|可不|要不|是不|行不|嘛$|何|还是|有没|[?]"
)
_LENGTHS = (2, 4, 7, 12, 20, 35)

_CLAUSES = re.compile(r"(?<=\?)|[,。!;、 ]+")
_SPACES = re.compile(r"\s+")
_LONG_NUMBER = re.compile(r"\d{5,}")


def plain(text: str) -> str:
    """One spelling for what means the same: half width, lower case, single spaces, no control characters."""
    text = unicodedata.normalize("NFKC", text[: LONGEST_TEXT * 2]).lower()
    text = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)
    return _SPACES.sub(" ", text).strip()[:LONGEST_TEXT]


def runs(text: str, longest: int = LONGEST_RUN) -> list[str]:
    """Every character run of the text with its start and end marked; long numbers count as one sign (「#」)."""
    marked = "^" + _LONG_NUMBER.sub("#####", plain(text)) + "$"
    return [
        marked[start : start + length] for length in range(1, longest + 1) for start in range(len(marked) - length + 1)
    ]


def asking_clauses(text: str) -> list[str]:
    """Those clauses of the text that ask, in one spelling."""
    return [clause for clause in _CLAUSES.split(plain(text)) if _ASKS.search(clause)]


def asking(text: str, longest: int = LONGEST_RUN) -> list[str]:
    """The character runs of those clauses that ask, marked: what is told around them matters less."""
    return [f"ask:{run}" for clause in asking_clauses(text) for run in runs(clause, longest)]


def shape(text: str) -> list[str]:
    """How long the text is, in steps, and whether it asks or tells: fragments answer, sentences ask."""
    text = plain(text)
    length = sum(len(text) > limit for limit in _LENGTHS)
    manner = "ask" if _ASKS.search(text) else "tell"
    return [f"cue:length{length}", f"cue:{manner}", f"cue:{manner}{length}"]


class Cues:
    """Named regular expressions; a text has the feature `cue:<name>` where the expression of that name occurs."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self.patterns = list(patterns)
        self._compiled = [(name, re.compile(pattern)) for name, pattern in self.patterns]

    def found(self, text: str) -> list[str]:
        """The names of the cues that occur in the text, each once, in their given order."""
        text = plain(text)
        return list(dict.fromkeys(f"cue:{name}" for name, pattern in self._compiled if pattern.search(text)))
