"""Notifications as values, and when they may be sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import ZONE

TOPIC = "notification.deliver"
"""The outbox topic of a notification to be delivered; the message's key is the notification's."""

MOST_DELAYS = 6
"""How often one channel may say "later" before the next one is tried."""
STALE_AFTER = timedelta(days=3)
"""A notification older than this is not sent any more: what it says may be wrong by now."""

Address = tuple[str, str]
"""A channel's name and the address there: ``("wechat", openid)``, ``("sms", phone)``, ``("web", conversation)``."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a citizen is to be told. ``addresses``: tried in this order until one takes it; ``urgent``: at night too."""

    key: str
    subject: str
    template: str
    values: Mapping[str, str]
    addresses: tuple[Address, ...]
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day (0..24, Chinese time) in which nobody is disturbed; equal hours: none."""

    start: int
    until: int

    def end(self, now: datetime) -> datetime | None:
        """When the quiet time that holds at ``now`` is over; None where it is no quiet time."""
        here = now.astimezone(ZONE)
        if not self._is_quiet(here.hour):
            return None
        morning = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=self.until)
        return morning if morning > here else morning + timedelta(days=1)

    def _is_quiet(self, hour: int) -> bool:
        if self.start == self.until:
            return False
        if self.start < self.until:
            return self.start <= hour < self.until
        return hour >= self.start or hour < self.until
