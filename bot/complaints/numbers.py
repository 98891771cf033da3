"""Numbers of complaints: easy to read aloud, with a check digit; and the code that opens one. Pure but for the dice."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from bot.codes import SPOKEN

PREFIX = "TS"
_DRAWN = 6
NUMBER_LENGTH = len(PREFIX) + 6 + _DRAWN + 1
_DIGITS_FIRST = "23456789"
_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 O 1 I L, which people mistake for each other."""
CODE_LENGTH = 6
_WORD = re.compile(r"[A-Z]{3}")
_KEPT = re.compile(r"[^0-9A-Z]")


def new_number(now: datetime) -> str:
    """A number of the day: TS, year, month and day, six drawn digits, a check digit."""
    digits = f"{now:%y%m%d}{secrets.randbelow(10**_DRAWN):0{_DRAWN}d}"
    return PREFIX + digits + check_digit(digits)


def new_code() -> str:
    """A query code: a digit and five signs, over a hundred million of them.

    Never three letters in a row: a code is told from a word (``bot.codes``), and no word is spelled by chance.
    """
    while True:
        code = secrets.choice(_DIGITS_FIRST) + "".join(secrets.choice(_SIGNS) for _ in range(CODE_LENGTH - 1))
        if not _WORD.search(code):
            return code


def check_digit(digits: str) -> str:
    """The check digit of ISO 7064 MOD 11,10: tells every single wrong digit and most that were swapped."""
    rest = 10
    for digit in digits:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - rest) % 10)


def folded_number(text: str) -> str:
    """A number as it is kept: capitals and digits alone; digits read aloud (幺二三) count, the TS may be missing."""
    plain = "".join(SPOKEN.get(sign, sign) for sign in unicodedata.normalize("NFKC", text).upper())
    plain = _KEPT.sub("", plain)[:24]
    return PREFIX + plain if plain.isdigit() else plain


def folded_code(text: str) -> str:
    """A query code as it is compared."""
    return _KEPT.sub("", unicodedata.normalize("NFKC", text).upper())[:16]


def is_number(number: str) -> bool:
    """Whether ``number`` (folded) has the shape and check digit of one, so that a slip is told from a number."""
    digits = number.removeprefix(PREFIX)
    return (
        number.startswith(PREFIX) and len(digits) == 13 and digits.isdigit() and check_digit(digits[:-1]) == digits[-1]
    )


def aloud(number: str) -> str:
    """The number in groups, for reading out: TS 261125 1234 567."""
    digits = number.removeprefix(PREFIX)
    return f"{PREFIX} {digits[:6]} {digits[6:10]} {digits[10:]}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says of a complaint: its number (folded) and its code; ``bare``: it says little else."""

    number: str | None = None
    code: str | None = None
    bare: bool = False


_GAP = r"[ \-—_.·、,，]*"
_SIGN = f"[0-9{''.join(SPOKEN)}]"
_WRITTEN = re.compile(rf"T{_GAP}S{_GAP}({_SIGN}(?:{_GAP}{_SIGN}){{12}})(?![0-9])")
_PLAIN = re.compile(rf"(?<![0-9A-Z])({_SIGN}(?:{_GAP}{_SIGN}){{12}})(?![0-9])")
_CODED = re.compile(rf"(?<![0-9A-Z])([2-9](?:[ \-]?[{_SIGNS}]){{5}})(?![0-9A-Z])")
_LEAD_OF_CODE = re.compile(r"查询码|密码|码|是|为|[:：]|的|我|就|它|哦|啊|呢|吧|给你")
_LONGEST_BARE = 14


def said(text: str, *, asked: str = "") -> Said:
    """The number and the code in a text, in any writing: in groups, in full width, read aloud (幺二三), without TS.

    Without TS only thirteen digits with a possible date and the right check digit count. ``asked``: "code", where that
    was asked for: then a short text is one.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    match = _WRITTEN.search(plain)
    number = folded_number("TS" + match.group(1)) if match else None
    if match is None:
        for match in _PLAIN.finditer(plain):
            number = folded_number(match.group(1))
            if is_number(number) and _dated(number):
                break
            number = None
        else:
            match = None
    rest = plain if match is None else f"{plain[: match.start()]} {plain[match.end() :]}"
    found = _CODED.search(rest)
    code = folded_code(found.group(1)) if found and (number or asked) else None
    if asked == "code" and number is None and code is None:
        whole = "".join(SPOKEN.get(sign, sign) for sign in _LEAD_OF_CODE.sub("", rest))
        whole = folded_code(whole)
        code = whole if len(whole) == CODE_LENGTH else None
    others = re.sub(r"[\W_]+", "", _CODED.sub("", rest))
    return Said(number, code, number is not None and len(others) <= _LONGEST_BARE)


def _dated(number: str) -> bool:
    month, day = int(number[4:6]), int(number[6:8])
    return 1 <= month <= 12 and 1 <= day <= 31
