"""The relay over a real outbox: delivered once, put off, retried, given up, left alone without a handler."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.clock import FixedClock
from bot.store import Store, outbox
from bot.store.outbox import OutboxState
from channels.relay import Envelope, Handler, PutOff, Relay


@pytest.fixture
def relays(store: Store, clock: FixedClock) -> Iterator[Any]:
    made: list[Relay] = []

    def make(handlers: Mapping[str, Handler]) -> Relay:
        made.append(Relay(store, handlers, clock))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


def emit(store: Store, topic: str, *keys: str) -> None:
    with store.write() as work:
        for key in keys:
            work.emit(topic, key, {"key": key})


def states(store: Store) -> list[tuple[str, str]]:
    with store.read() as session:
        return [(m.key, m.state) for m in outbox.unfinished(session)]


def test_a_message_is_handled_once_by_the_handler_of_its_topic(store: Store, relays: Any) -> None:
    seen: list[tuple[str, Any]] = []

    async def handle(envelope: Envelope, now: datetime) -> None:
        seen.append((envelope.topic, envelope.payload["key"]))

    emit(store, "a", "1", "2")
    emit(store, "b", "3")
    relay = relays({"a": handle})
    assert relay.run() == 2
    assert relay.run() == 0
    assert seen == [("a", "1"), ("a", "2")]
    assert states(store) == [("3", OutboxState.NEW)]


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(store: Store, clock: FixedClock, relays: Any) -> None:
    tries: list[int] = []

    async def fail(envelope: Envelope, now: datetime) -> None:
        tries.append(envelope.attempts)
        raise OSError("line cut")

    emit(store, "a", "1")
    relay = relays({"a": fail})
    for _ in range(outbox.MOST_ATTEMPTS + 2):
        relay.run()
        relay.run()
        clock.advance(timedelta(hours=1))
    assert tries == list(range(1, outbox.MOST_ATTEMPTS + 1))
    with store.read() as session:
        [given_up] = outbox.unfinished(session, OutboxState.FAILED)
        assert given_up.last_error == "OSError: line cut"
    with store.write() as work:
        assert outbox.revive(work.session, given_up.id, clock.now()) is not None
        assert outbox.revive(work.session, given_up.id, clock.now()) is None
    assert relay.run() == 1


def test_put_off_waits_without_counting_as_an_attempt(store: Store, clock: FixedClock, relays: Any) -> None:
    tries: list[int] = []

    async def not_at_night(envelope: Envelope, now: datetime) -> PutOff:
        tries.append(envelope.attempts)
        return PutOff(now + timedelta(hours=8), "night")

    emit(store, "a", "1")
    relay = relays({"a": not_at_night})
    for _ in range(outbox.MOST_ATTEMPTS + 5):
        assert relay.run() == 1
        assert relay.run() == 0
        clock.advance(timedelta(hours=8))
    assert set(tries) == {1}


def test_a_handler_whose_lease_ran_out_does_not_close_the_attempt_of_another(
    store: Store, clock: FixedClock, relays: Any
) -> None:
    async def slow(envelope: Envelope, now: datetime) -> None:
        clock.advance(outbox.LEASE * 2)
        with store.write() as work:
            assert outbox.claim(work.session, clock.now(), ("a",)) is not None  # another worker takes it over

    emit(store, "a", "1")
    assert relays({"a": slow}).run() == 1
    assert states(store) == [("1", OutboxState.CLAIMED)]


def test_a_handler_that_hangs_is_cut_off(store: Store, relays: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(envelope: Envelope, now: datetime) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("channels.relay.TIMEOUT", 0.01)
    emit(store, "a", "1")
    assert relays({"a": hang}).run() == 1
    with store.read() as session:
        [message] = outbox.unfinished(session)
        assert message.last_error.startswith("TimeoutError")
