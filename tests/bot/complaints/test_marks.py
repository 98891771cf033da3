"""What the rules of wording say of a complaint, for the learned judgement of danger."""

from __future__ import annotations

import pytest

from bot.complaints.deciding import MARKS, marks


@pytest.mark.parametrize(
    ("text", "peril", "now"),
    [
        ("挖掘机就在老人身边推，赶快来", True, True),
        ("屋里一股汽油味，他说要点火", True, False),
        ("车间好几个人都吐了，正往外跑", True, True),
        ("路面坑多，去年修过", False, False),
        ("马蜂窝在小学滑梯上头，刚才蜇了人", True, True),
    ],
)
def test_peril_and_the_present_are_marked_apart(text: str, peril: bool, now: bool) -> None:
    said = marks(text)
    assert ("peril" in said) is peril
    assert ("now" in said) is now


def test_what_is_over_is_marked_and_only_known_marks_are_set() -> None:
    said = marks("上个月马蜂窝在小学门口蜇了人，已经摘了")
    assert "passed" in said
    assert "peril_now" not in said
    assert set(said) <= set(MARKS)
