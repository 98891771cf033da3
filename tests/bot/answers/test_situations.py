"""Which situation a citizen has said, and what it changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers.situations import Chosen, ages, chinese_number, grouped, merged, said_options
from tests.bot.conversations.city import FIRST, REPLACEMENT, guide

APPLICANT = guide("A1", "某事", situations=[{"question": "谁来办", "options": ["本人办理", "委托他人代办"]}]).situations
MARRIED = guide("A1", "某事", situations=[{"question": "婚姻", "options": ["父母已婚", "父母未婚"]}]).situations


@pytest.mark.parametrize("text", ["我是替我妈办", "帮我爸办的", "让别人去行吗", "本人来不了"])
def test_somebody_else_applies(text: str) -> None:
    assert said_options(text, APPLICANT, asked=True) == (Chosen("谁来办", "委托他人代办"),)


def test_applying_oneself() -> None:
    assert said_options("我自己去办", APPLICANT) == (Chosen("谁来办", "本人办理"),)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("我家娃12岁", "未满16周岁由监护人代为申请"),
        ("十五岁了", "未满16周岁由监护人代为申请"),
        ("我三十二岁", "年满16周岁本人申请"),
        ("16岁", "年满16周岁本人申请"),
    ],
)
def test_an_age_decides(text: str, option: str) -> None:
    assert said_options(text, FIRST.situations)[0].option == option


def test_negated_words_do_not_choose_the_opposite() -> None:
    assert said_options("我们没有领证", MARRIED, asked=True) == (Chosen("婚姻", "父母未婚"),)


def test_a_question_that_says_nothing_of_it_chooses_nothing() -> None:
    assert said_options("身份证丢了补办要多少钱", REPLACEMENT.situations) == ()


@given(st.integers(min_value=0, max_value=99))
def test_chinese_numbers(number: int) -> None:
    digits = "零一二三四五六七八九"
    tens, units = divmod(number, 10)
    written = (
        digits[number] if tens == 0 else ("" if tens == 1 else digits[tens]) + "十" + (digits[units] if units else "")
    )
    assert chinese_number(written) == number
    assert ages(f"今年{written}岁") == [number]


def test_a_later_answer_replaces_the_earlier() -> None:
    assert merged([Chosen("问", "甲"), Chosen("别的", "丙")], [Chosen("问", "乙")]) == (
        Chosen("问", "乙"),
        Chosen("别的", "丙"),
    )


def test_every_material_is_either_always_or_under_an_option() -> None:
    sorted_out = grouped(FIRST.materials, FIRST.situations, ())
    assert [m.name for m in sorted_out.always] == ["居民户口簿"]
    assert [option for option, _ in sorted_out.by_option] == ["未满16周岁由监护人代为申请"]
    assert len(sorted_out.open_questions) == 1
