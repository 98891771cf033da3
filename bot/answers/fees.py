"""Fees in words: an amount with its unit as a citizen reads it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

_RANGE = re.compile(r"\d+(?:\.\d+)?\s*[-~—至到]\s*\d+(?:\.\d+)?")
_NOTHING = {"", "无", "-", "—", "/"}


class Fee(Protocol):
    @property
    def item(self) -> str | None: ...
    @property
    def amount(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def basis(self) -> str | None: ...
    @property
    def reduction(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class FeeView:
    """One fee; ``amount`` is None where the guide names no amount, ``free`` where it is zero."""

    item: str | None
    amount: str | None
    free: bool
    basis: str | None
    reduction: str | None


def _said(text: str | None) -> str | None:
    return None if text is None or text.strip() in _NOTHING else text.strip().rstrip("。；;")


def amount_words(amount: str | None, unit: str | None) -> str | None:
    """``20`` and ``元/证`` become ``20 元/证``; a formula stays as the guide has it."""
    text, unit = _said(amount), _said(unit)
    if text is None:
        return None
    numeric = _RANGE.fullmatch(text) is not None
    try:
        Decimal(text)
        numeric = True
    except InvalidOperation:
        pass
    if numeric:
        if unit is None:
            return f"{text} 元"
        return f"{text} {unit}" if "元" in unit else f"{text} 元/{unit}"
    return text if unit is None or "元" in text or "%" in text else f"{text}（{unit}）"


def is_free(amount: str | None) -> bool:
    try:
        return amount is not None and Decimal(amount.strip()) == 0
    except InvalidOperation:
        return False


def views(fees: Sequence[Fee]) -> list[FeeView]:
    return [
        FeeView(f.item, amount_words(f.amount, f.unit), is_free(f.amount), _said(f.basis), _said(f.reduction))
        for f in fees
    ]
