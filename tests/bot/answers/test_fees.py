"""Amounts as a citizen reads them."""

from __future__ import annotations

import pytest

from bot.answers.fees import amount_words, is_free


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [
        ("20", "元/证", "20 元/证"),
        ("20", None, "20 元"),
        ("100-300", "元", "100-300 元"),
        ("80", "人次", "80 元/人次"),
        ("计税价格×1%-3%", "元", "计税价格×1%-3%"),
        ("按车型60至600", "元/副", "按车型60至600（元/副）"),
        ("无", "元", None),
        (None, None, None),
    ],
)
def test_amount_words(amount: str | None, unit: str | None, words: str | None) -> None:
    assert amount_words(amount, unit) == words


def test_only_zero_is_free() -> None:
    assert is_free("0")
    assert is_free("0.00")
    assert not is_free("20")
    assert not is_free("按面积")
    assert not is_free(None)
