"""What a pressed choice sends, and what people type who know a matter's code: ``CODE`` and maybe more words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.text import normalise

_INSIDE = re.compile(r"(?<![0-9A-Za-z_-])(?=[0-9A-Za-z_-]*\d)[0-9A-Za-z][0-9A-Za-z_-]{5,63}(?![0-9A-Za-z_-])")
_LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class Coded:
    """A text that may name a matter by its code; ``rest`` is what else it says."""

    code: str
    rest: str


def coded(text: str) -> Iterator[Coded]:
    """Every reading of ``text`` as a code and a rest; whether a code exists is for the caller to find out."""
    folded = normalise(text)
    first, _, rest = folded.partition(" ")
    if any(c.isdigit() for c in first) and 4 <= len(first) <= _LONGEST_CODE:
        yield Coded(first, rest.strip())
    for match in _INSIDE.finditer(folded):
        if match.group() != first:
            yield Coded(match.group(), f"{folded[: match.start()]} {folded[match.end() :]}".strip())
