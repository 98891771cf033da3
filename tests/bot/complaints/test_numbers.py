"""Numbers that a slip of the tongue does not turn into another's."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.codes import find_codes
from bot.complaints import numbers

DIGITS = st.text("0123456789", min_size=12, max_size=12)


@given(DIGITS, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_always_shows(digits: str, place: int, off: int) -> None:
    number = digits + numbers.check_digit(digits)
    assert numbers.is_number("TS" + number)
    wrong = number[:place] + str((int(number[place]) + off) % 10) + number[place + 1 :]
    assert not numbers.is_number("TS" + wrong)


@given(DIGITS)
def test_a_number_is_the_same_however_it_is_written(digits: str) -> None:
    number = "TS" + digits + numbers.check_digit(digits)
    assert numbers.folded_number(numbers.aloud(number)) == number
    assert numbers.folded_number(number.lower().replace("ts", "ｔｓ－")) == number
    assert numbers.folded_number(number.removeprefix("TS")) == number


def test_numbers_and_codes_are_found_in_what_people_say() -> None:
    for _ in range(300):
        number, code = numbers.new_number(datetime(2026, 11, 20, tzinfo=ZONE)), numbers.new_code()
        assert numbers.is_number(number)
        assert len(code) == numbers.CODE_LENGTH
        assert not set(code) & set("01OIL")
        found = {each.kind: each.value for each in find_codes(f"我的投诉编号 {number} 查询码 {code}")}
        assert found == {"case_number": number, "query_code": code}
