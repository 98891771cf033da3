"""Text made comparable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import LONGEST, is_blank, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我想問一下身份證補領要帶什麼", "我想问一下身份证补领要带什么"),
        ("ＡＢＣ　１２３", "ABC 123"),
        ("  多\r\n 行\t文  ", "多 行 文"),
        ("看不\u200b见\ufeff的\x00字\x1b符", "看不见的字符"),
        ("孤\ud800立", "孤立"),
        ("😀办证", "😀办证"),
        ("<b>' OR 1=1 --", "<b>' OR 1=1 --"),
        ("①②", "12"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff", "\x00", "\u3000"])
def test_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "。", "😀", " 1 "])
def test_not_blank(text: str) -> None:
    assert not is_blank(text)


@given(st.text(max_size=300))
def test_normalised_text_is_stable_clean_and_utf_8(text: str) -> None:
    once = normalise(text)
    assert once == once.strip()
    assert "  " not in once
    assert all(character.isprintable() or character == " " for character in once)
    once.encode()
    assert is_blank(text) <= is_blank(once)


def test_length_is_bounded_even_where_characters_expand() -> None:
    assert len(normalise("\ufdfa" * 10_000)) <= LONGEST
    assert len(normalise("长" * 100_000, longest=10)) == 10
