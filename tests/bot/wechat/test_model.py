"""What may be sent to whom: the platform's windows as rules; the identity of messages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.wechat.model import Message, Windows, identity, opened

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZONE)


def message(kind: str = "text", event: str = "", sent_at: datetime = NOW, number: str = "1", key: str = "") -> Message:
    return Message(kind, "o1", "gh", int(sent_at.timestamp()), number, event, {"EventKey": key})


def test_a_message_opens_five_for_two_days() -> None:
    windows = opened(Windows(), message(), NOW)
    assert windows.left(NOW) == 5
    assert windows.left(NOW + timedelta(hours=47, minutes=59)) == 5
    assert windows.left(NOW + timedelta(hours=48)) == 0


@pytest.mark.parametrize("event", ["click", "subscribe", "scan"])
def test_an_action_opens_three_for_a_minute(event: str) -> None:
    windows = opened(Windows(), message("event", event, number=""), NOW)
    assert windows.left(NOW + timedelta(seconds=59)) == 3
    assert windows.left(NOW + timedelta(seconds=60)) == 0


@pytest.mark.parametrize("event", ["view", "unsubscribe", "location", "templatesendjobfinish"])
def test_other_events_open_nothing(event: str) -> None:
    assert opened(Windows(), message("event", event, number=""), NOW) == Windows()


def test_the_time_of_sending_counts_and_the_future_does_not() -> None:
    assert opened(Windows(), message(sent_at=NOW - timedelta(hours=48)), NOW).left(NOW) == 0
    assert opened(Windows(), message(sent_at=NOW + timedelta(days=9)), NOW).message_until == NOW + timedelta(hours=48)


@given(st.lists(st.sampled_from(["text", "click", "send", "minute", "day"]), max_size=60))
def test_never_more_than_was_allowed(acts: list[str]) -> None:
    windows, now, since_text, since_click = Windows(), NOW, 0, 0
    for act in acts:
        if act == "text":
            windows, since_text = opened(windows, message(sent_at=now), now), 0
        elif act == "click":
            windows, since_click = opened(windows, message("event", "click", now, ""), now), 0
        elif act == "send" and windows.left(now):
            before = windows
            windows = windows.spent(now)
            since_text += before.message_left - windows.message_left
            since_click += before.action_left - windows.action_left
        else:
            now += {"minute": timedelta(minutes=1), "day": timedelta(days=1)}.get(act, timedelta(0))
        assert since_text <= 5
        assert since_click <= 3
        assert windows.left(now) <= 8
    if not windows.left(now):
        with pytest.raises(ValueError, match="customer-service"):
            windows.spent(now)


def test_identities() -> None:
    assert identity(message(number="7")) == identity(message(number="7", sent_at=NOW + timedelta(seconds=5)))
    assert identity(message(number="7")) != identity(message(number="8"))
    click = message("event", "click", number="", key="a")
    assert identity(click) == identity(message("event", "click", number="", key="a"))
    others = [
        message("event", "click", number="", key="b"),
        message("event", "view", number="", key="a"),
        message("event", "click", number="", key="a", sent_at=NOW + timedelta(seconds=1)),
    ]
    assert identity(click) not in {identity(other) for other in others}
