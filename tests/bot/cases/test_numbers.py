"""Numbers and codes in any writing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.numbers import folded, folded_code, last_four, plain_number, said_numbers

SPOKEN = {
    "0": "零〇",
    "1": "一幺",
    "2": "二两",
    "3": "三",
    "4": "四",
    "5": "五",
    "6": "六",
    "7": "七",
    "8": "八",
    "9": "九",
}
WIDE = str.maketrans(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ"
)

numbers = st.builds(
    lambda letters, digits: letters + digits,
    st.sampled_from(["YS", "GJJ", "SP", "B", ""]),
    st.text("0123456789", min_size=12, max_size=16).filter(lambda digits: digits[0] not in "01"),
)


def pieces(draw: st.DrawFn, number: str, gaps: str) -> str:
    """The number with gaps between some of its signs."""
    letters = "".join(sign for sign in number if sign.isalpha())
    digits = number[len(letters) :]
    cuts = sorted(draw(st.sets(st.integers(1, len(digits) - 1), max_size=3)))
    parts = [digits[start:end] for start, end in zip([0, *cuts], [*cuts, len(digits)], strict=True)]
    return (letters + draw(st.sampled_from(["", *gaps])) if letters else "") + draw(st.sampled_from(gaps)).join(parts)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    number = draw(numbers)
    how = draw(st.sampled_from(["plain", "lower", "wide", "gaps", "spoken"]))
    if how == "lower":
        return number, number.lower()
    if how == "wide":
        return number, number.translate(WIDE)
    if how == "gaps":
        return number, pieces(draw, number, "-")
    if how == "spoken":
        return number, "".join(draw(st.sampled_from(SPOKEN[sign])) if sign in SPOKEN else sign for sign in number)
    return number, number


@given(written())
def test_a_number_is_read_however_it_is_written(said: tuple[str, str]) -> None:
    number, text = said
    assert folded(text) == number
    assert said_numbers(text, asked="number").numbers == (number,)


@given(written())
def test_and_within_a_sentence(said: tuple[str, str]) -> None:
    number, text = said
    assert said_numbers(f"帮我查一下办件编号{text}，办得怎么样了").numbers == (number,)


@given(written(), st.sampled_from(["830271", "12X4"]))
def test_a_code_beside_it_is_told_apart(said: tuple[str, str], code: str) -> None:
    number, text = said
    found = said_numbers(f"办件号{text}，查询码{code}")
    assert (found.numbers, found.codes) == ((number,), (code,))


@given(st.text(max_size=60))
def test_no_text_breaks_it_and_folding_twice_changes_nothing(text: str) -> None:
    said_numbers(text)
    said_numbers(text, asked="code")
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("text", "numbers", "codes"),
    [
        ("YS2611130099 830271", ("YS2611130099",), ("830271",)),
        ("459902202603040066 123X", ("459902202603040066",), ("123X",)),
        ("459900 20260302 0113", ("459900202603020113",), ()),
        ("Y S 2 6 0 3 2 0 0 0 3 3", ("YS2603200033",), ()),
        ("TS20260310077 到哪了", (), ()),
        ("用手机号查，139 0000 1234", (), ("1234",)),
        ("身份证换领要多少钱", (), ()),
        ("2026年11月20日交的", (), ()),
        ("第3项", (), ()),
    ],
)
def test_what_people_type(text: str, numbers: tuple[str, ...], codes: tuple[str, ...]) -> None:
    found = said_numbers(text)
    assert (found.numbers, found.codes) == (numbers, codes)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("830271", "830271"), ("８３ ０２ ７１", "830271"), ("八三零二七幺", "830271"), 
        ("我的查询码是 a7-k2-9q", "A7K29Q"),
        ("尾号 二二一叉", "221X"), ("1234", "1234"), ("459900199003071239", "1239"), ("13900001234", "1234"),
    ],
)  # fmt: skip
def test_a_code_that_was_asked_for(text: str, code: str) -> None:
    assert said_numbers(text, asked="code").codes == (code,)


def test_parts_of_numbers() -> None:
    assert folded("（2026）云受字第0319号") == "2026云受字第0319号"
    assert plain_number("（2026）云受字第0319号") == "20260319"
    assert (last_four("45990019900307123x"), last_four("123"), folded_code(" 83-02 71 ")) == ("123X", "", "830271")
