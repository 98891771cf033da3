"""Case numbers and codes as people write and say them: full width, spaced, dashed, read digit by digit. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.codes import SPOKEN, find_codes

LONGEST_NUMBER = 64
SHORTEST_CODE, LONGEST_CODE = 4, 32

_KEPT = re.compile(r"[^0-9A-Z\u3007\u4e00-\u9fff]")
_SPOKEN_RUN = re.compile(rf"[\d{''.join(SPOKEN)}]{{4,}}")
_COMPLAINT = re.compile(r"TS\d")
_WHOLE_CODE = re.compile(r"[0-9A-Z]{4,32}")
_SPELLED = re.compile(r"[\u4e00-\u9fff]{0,8}?([A-Z]{1,4}\d{8,24})[\u4e00-\u9fff]{0,6}")
"""A text whose letters and digits, drawn together, are one number: Y S 2 6 0 3 …"""
_BEFORE_CODE = re.compile(r"((?<![0-9A-Za-z])(?:[A-Za-z]{1,4}\d{8,20}|\d{12,20}))\s+(?=[0-9A-Za-z]{4,8}$)")
_LONGEST_BARE = 18
"""Signs beside a number up to which a text says nothing but the number."""


def folded(number: str) -> str:
    """A number in the one spelling it is kept and compared by: capitals, digits and Han, nothing between them.

    Digits read aloud (幺二三八) count as digits where four or more stand together.
    """
    plain = _KEPT.sub("", unicodedata.normalize("NFKC", number).upper())
    return _SPOKEN_RUN.sub(lambda run: "".join(SPOKEN.get(sign, sign) for sign in run.group()), plain)[:LONGEST_NUMBER]


def plain_number(number: str) -> str:
    """Letters and digits alone: how people give a number such as 云政2026-0315-087 when they leave the words out."""
    return "".join(sign for sign in folded(number) if sign.isascii())


def folded_code(code: str) -> str:
    """A query code, or the last four of an identity card or a phone, in one spelling."""
    return _KEPT.sub("", _digits(unicodedata.normalize("NFKC", code).upper()))[:LONGEST_CODE]


def last_four(number: str) -> str:
    """The last four signs of an identity or phone number, in one spelling; empty for a shorter one."""
    plain = folded_code(number)
    return plain[-4:] if len(plain) >= 4 else ""


@dataclass(frozen=True, slots=True)
class SaidNumbers:
    """What a text says: case numbers (folded), and what may be codes, both in the order said."""

    numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    bare: bool = False
    """Whether the text says little else."""


def said_numbers(text: str, *, asked: str = "") -> SaidNumbers:
    """The case numbers and codes of ``text``. ``asked``: "number" or "code", where that was just asked for.

    Complaint numbers (TS…) are no case numbers. A full identity or phone number stands for its last four.
    """
    numbers: list[str] = []
    codes: list[str] = []
    covered = 0
    # A number in one piece and a code after it are two things, though a number may also be written in pieces.
    text = _BEFORE_CODE.sub(r"\1，", unicodedata.normalize("NFKC", text))
    for code in find_codes(text):
        covered += code.end - code.start
        if code.kind == "case_number":
            if not _COMPLAINT.match(code.value):
                numbers.append(folded(code.value))
        elif code.kind in ("id_number", "phone"):
            codes.append(last_four(code.value))
        else:
            codes.append(folded_code(code.value))
    whole = folded(text)
    spelled = _SPELLED.fullmatch(whole)
    if spelled and not _COMPLAINT.match(spelled.group(1)) and all(spelled.group(1).endswith(each) for each in numbers):
        return SaidNumbers((spelled.group(1),), _distinct(codes), True)
    if asked == "number" and not numbers and _is_number(text, whole):
        return SaidNumbers((whole,), (), True)
    if asked == "code" and not codes:
        plain = folded_code(text)
        if _WHOLE_CODE.fullmatch(plain) and any(sign.isdigit() for sign in plain):
            # A long run of digits where a code was asked for: an identity or phone number in full.
            codes = [plain if len(plain) <= 10 else plain[-4:]]
            numbers = []
    return SaidNumbers(_distinct(numbers), _distinct(codes), len(text) - covered <= _LONGEST_BARE)


def _is_number(text: str, whole: str) -> bool:
    """Whether a whole text may be a number of an unusual shape: letters, digits and few Han, no sentence."""
    digits = sum(sign.isdigit() for sign in whole)
    return digits >= 4 and len(whole) <= 40 and digits * 2 >= len(whole) and not re.search(r"[?？吗呢]", text)


def _digits(text: str) -> str:
    """``text`` with digits read aloud written as digits; 叉 is the X of an identity card."""
    if all(sign in SPOKEN or not sign.strip() or sign in "-.0123456789X叉" for sign in text):
        return "".join("X" if sign == "叉" else SPOKEN.get(sign, sign) for sign in text)
    return text


def _distinct(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
