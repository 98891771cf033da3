"""Windows near a named place."""

from __future__ import annotations

import pytest

from bot.answers.places import nearest
from tests.bot.conversations.city import REPLACEMENT


@pytest.mark.parametrize(
    ("text", "first", "place"),
    [
        ("石桥", "石桥县公安局户政窗口", "石桥"),
        ("我住城东，去哪补", "云城区城东派出所户籍室", "城东"),
        ("去哪办", "云城区城东派出所户籍室", None),
        ("哪个派出所都行吗", "云城区城东派出所户籍室", None),
    ],
)
def test_nearest(text: str, first: str, place: str | None) -> None:
    found = nearest(REPLACEMENT.windows, text, topic=REPLACEMENT.name)
    assert found.windows[0].name == first
    assert found.place == place
    assert len(found.windows) == len(REPLACEMENT.windows)


def test_no_windows() -> None:
    assert nearest((), "石桥").windows == ()
