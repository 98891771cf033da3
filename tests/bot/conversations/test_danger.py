"""Danger to life is noticed, and honest questions that only sound like it are left alone."""

from __future__ import annotations

import pytest

from bot.conversations.danger import danger_now, is_certain


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("厨房着火了油锅烧起来了", "fire"),
        ("我被困在电梯里了按铃没人理", "fire"),
        ("有人拿刀在砍人", "crime"),
        ("我女儿被陌生人拉上面包车了", "crime"),
        ("孩子掉进河里了快来人", "crime"),
        ("我爸突然倒地叫不醒", "medical"),
        ("我老婆要生了羊水破了", "medical"),
        ("我撞到人了他躺地上", "traffic"),
        ("厨房一股煤气味 越来越浓", "gas"),
        ("电线断了掉在路上还在冒火花", "power"),
        ("船翻了江里有七八个人", "water"),
        ("低保停了我不想活了", "self_harm"),
        ("救命", "general"),
    ],
)
def test_danger(text: str, kind: str) -> None:
    assert danger_now(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "救命啊这个表怎么填",
        "这办事速度能急死人",
        "办个证跑断腿",
        "燃气费怎么交",
        "老板放鸽子我真想砍了他",
        "车祸早就处理完了 保险不赔怎么办",
        "毒蘑菇长什么样 有科普吗",
        "砍树要办什么证",
        "报警记录可以自己去打印吗",
        "老年卡在公交公司还是社区",
        "家里失火把房产证烧了怎么补",
        "消防验收申请流程",
        "父亲脑溢血去世了 户口怎么注销",
        "身份证丢了怎么补",
    ],
)
def test_no_danger(text: str) -> None:
    assert danger_now(text) is None


def test_some_words_leave_no_doubt() -> None:
    assert is_certain("材料交了三次还不批 我不想活了")
    assert not is_certain("厨房着火了")
