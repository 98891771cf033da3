"""What belongs together because it is tied, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable


def tied(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The group of each of ``count`` things, where the two of a pair (later, earlier) share one.

    A group is named by one of its members.
    """
    group = list(range(count))
    for later, earlier in pairs:
        old, new = group[later], group[earlier]
        if old != new:
            group = [new if each == old else each for each in group]
    return group
