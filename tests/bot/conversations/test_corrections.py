"""What a correction takes back and what it says instead."""

from __future__ import annotations

import pytest

from bot.conversations.corrections import Correction, correction, takes_back, turns_away


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("不是补领，是换领", "补领", "换领"),
        ("不是饭店 是培训机构", "饭店", "培训机构"),
        ("说的是医保 不是养老", "养老", "医保"),
        ("不对 是作废", "", "作废"),
        ("说错了 是护照", "", "护照"),
        ("打错了 不是小学 是幼儿园", "小学", "幼儿园"),
        ("不是合作社 家庭农场就行", "合作社", "家庭农场就行"),
    ],
)
def test_correction(text: str, wrong: str, right: str) -> None:
    assert correction(text) == Correction(wrong, right)


@pytest.mark.parametrize("text", ["身份证丢了怎么补", "补行驶证是不是只要身份证", "是不是非要回去补", "换领呢"])
def test_questions_correct_nothing(text: str) -> None:
    assert correction(text) is None


def test_only_the_matter_that_was_named_is_taken_back() -> None:
    assert takes_back("补领", "居民身份证丢失补领", "换领")
    assert not takes_back("补领", "居民身份证有效期满换领", "换领")
    assert not takes_back("离婚", "补领离婚证", "补离婚证")


@pytest.mark.parametrize(
    "text",
    [
        "那要是没丢，就是到期了呢",
        "那我这本是到期的，没丢，能网上弄不",
        "要是老人留下来的房子，不是买卖，要多久",
        "那丢了呢",
        "不对，我是还没办过，头一回领的去哪",
        "其实没丢，是快到年头了，最早啥时候能换",
    ],
)
def test_a_text_turns_away_from_the_matter(text: str) -> None:
    assert turns_away(text)


@pytest.mark.parametrize(
    "text", ["他爸妈没领证，是不是还得多拿东西", "那要多少钱", "他是在家里走的，没去过医院", "不是要带户口本吗", "去哪"]
)
def test_a_text_that_goes_on_does_not_turn_away(text: str) -> None:
    assert not turns_away(text)
