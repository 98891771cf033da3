"""Personal numbers do not reach the logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.masking import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的身份证是45990219900307123X", "我的身份证是459***********123X"),
        ("电话13800002468谢谢", "电话138****2468谢谢"),
        ("１３８００００２４６８", "138****2468"),
        ("卡号6222021234567890123", "卡号6222********0123"),
        ("写信到zhang.san@example.com", "写信到z***@example.com"),
        ("2026年12月4日交40元", "2026年12月4日交40元"),
    ],
)
def test_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(st.integers(min_value=13_000_000_000, max_value=19_999_999_999))
def test_no_phone_survives(number: int) -> None:
    phone = str(number)
    assert phone not in masked(f"打{phone}找我")
