"""Questions typed in pinyin ("shenfenzheng zenme ban"), as some do on phones without an input method.

Letters are cut into Mandarin syllables and compared, two at a time, with the syllables of the names. That finds
what is meant well enough to offer choices, never to answer at once.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from pypinyin import lazy_pinyin
from pypinyin.constants import PINYIN_DICT

_LETTERS = re.compile(r"[a-z]+")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LONGEST_SYLLABLE = 6
_FEWEST = 3
"""Syllables a text must have to count as pinyin: two are as likely an abbreviation."""


@cache
def _table() -> frozenset[str]:
    """Every toneless syllable of the dictionary."""
    readings = lazy_pinyin("".join(map(chr, list(PINYIN_DICT)[:8000])))
    return frozenset(r.replace("ü", "v") for r in readings if _LETTERS.fullmatch(r.replace("ü", "v")))


def syllables(text: str) -> list[str]:
    """The syllables of ``text`` when it is pinyin throughout, else an empty list."""
    lowered = text.lower()
    if _HAN.search(lowered):
        return []
    found: list[str] = []
    for run in _LETTERS.findall(lowered):
        cut = _cut(run)
        if cut is None:
            return []
        found += cut
    return found if len(found) >= _FEWEST else []


def _cut(run: str) -> list[str] | None:
    """``run`` as the fewest syllables, or None when it is none."""
    best: list[list[str] | None] = [[]] + [None] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST_SYLLABLE), end):
            before = best[start]
            known = best[end]
            if before is not None and run[start:end] in _table() and (known is None or len(before) + 1 < len(known)):
                best[end] = [*before, run[start:end]]
    return best[-1]


def pairs(sounds: list[str]) -> list[str]:
    """Neighbouring syllables joined, the tokens that are compared."""
    return [a + b for a, b in pairwise(sounds)]


def sound(text: str) -> list[str]:
    """Syllable pairs of the Han characters of ``text``."""
    return [pair for run in _HAN.findall(text) for pair in pairs([s.replace("ü", "v") for s in lazy_pinyin(run)])]
