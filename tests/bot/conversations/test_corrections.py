"""What a correction takes back and what it says instead."""

from __future__ import annotations

import pytest

from bot.conversations.corrections import Correction, correction, takes_back


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
