"""Days that filters of the staff's pages name."""

from __future__ import annotations

from datetime import date, datetime, time

from bot.clock import ZONE
from bot.errors import InvalidInput
from channels.messages import explained


def day(text: str) -> date | None:
    """The day a filter names; raises InvalidInput where it names none."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        message, remedy = explained("not_a_day", text=text)
        raise InvalidInput(message, code="not_a_day", remedy=remedy) from None


def morning(on: date) -> datetime:
    """The moment at which the day ``on`` begins."""
    return datetime.combine(on, time.min, ZONE)
