"""Wrong codes: counted in the database, so that all processes know of them; enough of them lock a look-up. Pure rules.

Counted are number and origin together (a person who mistypes), a number from anywhere (many machines at one case) and
an origin at any number (one machine at many cases).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Scope = Literal["pair", "number", "origin"]

FORGOTTEN_AFTER = timedelta(hours=1)
"""Wrong codes this long ago do not count any more."""


@dataclass(frozen=True, slots=True)
class Lock:
    """After ``failures`` in a row the look-up is locked for ``time``."""

    failures: int
    time: timedelta


@dataclass(frozen=True, slots=True)
class Count:
    """Wrong codes so far."""

    failures: int
    locked_until: datetime | None
    updated_at: datetime

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def locks(failures: int, minutes: int) -> Mapping[Scope, Lock]:
    """The locks of an installation. Four digits are 10,000 codes: 100 tries an hour need days for one of them."""
    return {
        "pair": Lock(failures, timedelta(minutes=minutes)),
        "number": Lock(max(100, failures), timedelta(hours=1)),
        "origin": Lock(max(200, failures), timedelta(hours=1)),
    }


def after_failure(count: Count, lock: Lock, now: datetime) -> Count:
    """The count after one more wrong code; a lock starts it anew."""
    earlier = count.failures if now - count.updated_at < FORGOTTEN_AFTER else 0
    if earlier + 1 >= lock.failures:
        return Count(0, now + lock.time, now)
    return Count(earlier + 1, count.locked_until, now)
