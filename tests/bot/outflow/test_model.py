"""Events, signatures, back-off, and which addresses may be reached."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.errors import InvalidInput
from bot.outflow.model import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    Event,
    checked_topics,
    checked_url,
    is_public,
    new_secret,
    pause_after,
    signature,
    wants,
)

EVENT = Event("17-1", "complaint.filed", "urn:wenban:test", "TS1", datetime(2026, 11, 2, 9, tzinfo=ZONE), {"a": "水"})


def test_an_event_is_a_cloudevent_and_always_the_same_bytes() -> None:
    body = json.loads(EVENT.body())
    assert body == {
        "specversion": "1.0",
        "id": "17-1",
        "type": "complaint.filed",
        "source": "urn:wenban:test",
        "subject": "TS1",
        "time": "2026-11-02T01:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {"a": "水"},
    }
    assert EVENT.body() == EVENT.body()


def test_a_signature_is_what_the_receiver_computes() -> None:
    secret = new_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, b"17-1.1764000000." + EVENT.body(), hashlib.sha256).digest()
    made = signature(secret, "17-1", 1764000000, EVENT.body())
    assert made == "v1," + base64.b64encode(expected).decode()
    assert made != signature(secret, "17-1", 1764000001, EVENT.body())
    assert made != signature(new_secret(), "17-1", 1764000000, EVENT.body())


def test_the_known_answer_of_the_specification() -> None:
    # The example of the Standard Webhooks libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.integers(1, MOST_ATTEMPTS), st.floats(0, 1))
def test_pauses_grow_and_are_spread(attempts: int, draw: float) -> None:
    pause = pause_after(attempts, draw)
    longest = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    assert longest / 2 <= pause <= longest


def test_a_receiver_that_is_away_for_half_a_day_misses_nothing() -> None:
    shortest = sum((pause_after(attempts, 1) for attempts in range(1, MOST_ATTEMPTS)), timedelta())
    assert shortest > timedelta(hours=2)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("172.20.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("0.0.0.0", False), ("100.64.0.1", False), ("::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:127.0.0.1", False), ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("224.0.0.1", False), ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "example.com/hook", "http://", "https://user:pass@example.com/", "https://example.com/#x",
        "http://127.0.0.1/", "http://localhost:8080/", "http://a.localhost/", "http://[::1]/", "http://169.254.169.254/",
        "http://example.com:99999/", "https://example.com/" + "a" * 500,
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        checked_url(url, private=False)


def test_the_own_network_only_where_it_is_allowed() -> None:
    assert checked_url(" http://127.0.0.1:8080/hook ", private=True) == "http://127.0.0.1:8080/hook"
    assert checked_url("https://events.example.com/hook", private=False)


def test_topics_are_patterns() -> None:
    assert checked_topics(["complaint.*", "complaint.*", "supervision.alarm"]) == ("complaint.*", "supervision.alarm")
    assert wants(("complaint.*",), "complaint.filed")
    assert not wants(("complaint.*",), "supervision.alarm")
    assert wants(("*",), "supervision.alarm")
    for wrong in ([], [""], ["Complaint"], ["a b"], ["[a]"], ["a"] * 0):
        with pytest.raises(InvalidInput):
            checked_topics(wrong)
