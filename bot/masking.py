"""Hides personal numbers and codes in what is logged or kept: identity cards, phones, bank cards, query codes. Pure."""

from __future__ import annotations

import re
import unicodedata

from bot.codes import find_codes

_IDENTITY = re.compile(r"(?<![0-9A-Za-z])(\d{3})\d{11}(\d{3}[0-9Xx])(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<!\d)(\d{4})\d{8,11}(\d{4})(?!\d)")
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)")
_DIGITS = re.compile(r"[0-9A-Za-z０-９零〇一幺二两三四五六七八九]")
_LONGEST_SECRET = 40
_MAIL = re.compile(r"([A-Za-z0-9_.+-])[A-Za-z0-9_.+-]*(@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


def masked(text: str) -> str:
    """``text`` with the middle of every such number starred. The result is for logs only."""
    text = unicodedata.normalize("NFKC", text)
    text = _IDENTITY.sub(r"\1***********\2", text)
    text = _CARD.sub(r"\1********\2", text)
    text = _PHONE.sub(r"\1****\2", text)
    return _MAIL.sub(r"\1***\2", text)


def without_codes(text: str, *, awaited: bool = False) -> str:
    """``text`` with what opens a case starred: codes beside a case number, or ``awaited`` ones whatever their shape.

    Other texts stay as they are: four digits may be anything.
    """
    found = find_codes(text)
    if not awaited and not any(code.kind == "case_number" for code in found):
        return text
    secrets = [code for code in found if code.kind != "case_number"]
    for code in reversed(secrets):
        text = text[: code.start] + "*" * (code.end - code.start) + text[code.end :]
    if awaited and not secrets and len(text) <= _LONGEST_SECRET:
        return _DIGITS.sub("*", text)
    return text
