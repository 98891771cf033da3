"""Choices are taken by number in any writing, by position, by name or in other words."""

from __future__ import annotations

import pytest

from bot.conversations.choices import Taken, taken

TITLES = ["居民身份证首次申领", "居民身份证有效期满换领", "居民身份证丢失补领"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 0),
        ("２", 1),
        ("①", 0),
        ("3️⃣", 2),
        ("二", 1),
        ("第二个", 1),
        ("第1个吧", 0),
        ("选2", 1),
        ("2。", 1),
        ("就第三个", 2),
        ("选A", 0),
        ("b吧", 1),
        ("dier ge", 1),
        ("the second one", 1),
        ("上面那个", 0),
        ("中间那个", 1),
        ("后面那个", 2),
        ("最后一个", 2),
        ("头一个", 0),
        ("补领", 2),
        ("换领的那个", 1),
        ("有“换领”字的", 1),
        ("名字最长的那个", 1),
        ("丢了的", 2),
        ("居民身份证丢失补领", 2),
        ("哪个都不是", "none"),
        ("以上都不是", "none"),
        ("都要", "all"),
        ("4", None),
        ("2个人可以吗", None),
        ("身份证", None),
        ("办护照多少钱", None),
        ("", None),
        ("👍", None),
    ],
)
def test_taken(text: str, expected: Taken) -> None:
    assert taken(text, TITLES) == expected


def test_an_option_that_is_a_refusal_can_be_taken() -> None:
    assert taken("没有", ["有诊断证明", "没有"]) == 1


def test_nothing_offered_nothing_taken() -> None:
    assert taken("1", []) is None


def test_everyday_titles_are_taken_only_whole_or_by_number() -> None:
    titles = ["要多少钱", "去哪里办"]
    assert taken("护照要多少钱", titles, in_other_words=False) is None
    assert taken("要多少钱", titles, in_other_words=False) == 0
    assert taken("2", titles, in_other_words=False) == 1
