"""The street, estate or village of a place that a citizen names."""

from __future__ import annotations

import pytest

from bot.complaints.areas import LONGEST, area


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("人民路药材公司门口", "人民路"),
        ("锦绣华庭2栋", "锦绣华庭"),
        ("锦绣华庭后面空地", "锦绣华庭后面空地"),
        ("学府苑门口", "学府苑"),
        ("解放北路188号负一层", "解放北路"),
        ("板桥村", "板桥村"),
        ("丽水湾", "丽水湾"),
        (" ", None),
        (None, None),
    ],
)
def test_complaints_of_one_place_are_counted_together(location: str | None, expected: str | None) -> None:
    assert area(location) == expected


def test_a_long_place_fits_its_column() -> None:
    assert len(area("很长" * 200) or "") <= LONGEST
