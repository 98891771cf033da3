"""The time, passed in wherever a rule or a service needs it, so that tests can say what time it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
"""All dates and times that people see are of this zone."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, aware, in :data:`ZONE`."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(ZONE)


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, moment: datetime) -> None:
        """``moment`` must be aware; raises ValueError where it is not."""
        if moment.tzinfo is None:
            raise ValueError("a clock's moment needs a time zone")
        self._moment = moment.astimezone(ZONE)

    def now(self) -> datetime:
        return self._moment

    def advance(self, by: timedelta) -> None:
        self._moment += by
