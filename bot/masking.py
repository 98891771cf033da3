"""Hides personal numbers in what goes into logs: identity cards, phones, bank cards, e-mail addresses. Pure."""

from __future__ import annotations

import re
import unicodedata

_IDENTITY = re.compile(r"(?<![0-9A-Za-z])(\d{3})\d{11}(\d{3}[0-9Xx])(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<!\d)(\d{4})\d{8,11}(\d{4})(?!\d)")
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)")
_MAIL = re.compile(r"([A-Za-z0-9_.+-])[A-Za-z0-9_.+-]*(@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


def masked(text: str) -> str:
    """``text`` with the middle of every such number starred. The result is for logs only."""
    text = unicodedata.normalize("NFKC", text)
    text = _IDENTITY.sub(r"\1***********\2", text)
    text = _CARD.sub(r"\1********\2", text)
    text = _PHONE.sub(r"\1****\2", text)
    return _MAIL.sub(r"\1***\2", text)
