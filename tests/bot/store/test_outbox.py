"""The outbox: claimed once, put off after failures, taken up again when a worker dies, given up at last."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import select

from bot.clock import FixedClock
from bot.store import Store
from bot.store.outbox import (
    FIRST_PAUSE,
    LEASE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    OutboxMessage,
    claim,
    finish,
    forget,
    give_back,
)


def _emit(store: Store, number: int = 1, topic: str = "t") -> None:
    with store.write() as work:
        for n in range(number):
            work.emit(topic, f"k{n}", {"n": n})


def _claim(store: Store, *topics: str) -> OutboxMessage | None:
    with store.write() as work:
        return claim(work.session, store.clock.now(), topics)


def test_messages_are_claimed_in_order_and_finished(any_store: Store, clock: FixedClock) -> None:
    _emit(any_store, 2)
    first = _claim(any_store)
    assert first is not None
    assert (first.key, first.attempts, first.payload) == ("k0", 1, {"n": 0})
    with any_store.write() as work:
        finish(work.session.merge(first))
    clock.advance(LEASE * 2)
    second = _claim(any_store)
    assert second is not None
    assert second.key == "k1"
    assert _claim(any_store) is None


def test_only_the_wanted_topics_are_claimed(any_store: Store) -> None:
    _emit(any_store, topic="a")
    assert _claim(any_store, "b") is None
    assert _claim(any_store, "b", "a") is not None


def test_finished_messages_are_forgotten_after_their_time_so_many_at_once(any_store: Store, clock: FixedClock) -> None:
    _emit(any_store, 5)
    _emit(any_store, topic="kept")
    for _ in range(6):
        message = _claim(any_store)
        assert message is not None
        if message.key != "k4":
            with any_store.write() as work:
                finish(work.session.merge(message))

    def forgotten(after: timedelta) -> int:
        with any_store.write() as work:
            return forget(work.session, clock.now() - after, 3, ["kept"])

    clock.advance(timedelta(days=1))
    assert forgotten(timedelta(days=2)) == 0
    assert [forgotten(timedelta(hours=1)) for _ in range(3)] == [3, 1, 0]
    with any_store.read() as session:
        left = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert [(message.topic, message.key) for message in left] == [("t", "k4"), ("kept", "k0")]


def test_a_dead_workers_message_is_taken_up_after_its_lease(any_store: Store, clock: FixedClock) -> None:
    _emit(any_store)
    assert _claim(any_store) is not None
    assert _claim(any_store) is None
    clock.advance(LEASE)
    again = _claim(any_store)
    assert again is not None
    assert again.attempts == 2


def test_failures_put_a_message_off_and_at_last_it_is_given_up(any_store: Store, clock: FixedClock) -> None:
    _emit(any_store)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        message = _claim(any_store)
        assert message is not None
        assert message.attempts == attempt
        with any_store.write() as work:
            give_back(work.session.merge(message), "unreachable", clock.now())
        clock.advance(FIRST_PAUSE / 2)
        assert _claim(any_store) is None
        clock.advance(LONGEST_PAUSE)
    assert _claim(any_store) is None
    with any_store.read() as session:
        assert session.get_one(OutboxMessage, 1).state == "failed"
        assert session.get_one(OutboxMessage, 1).last_error == "unreachable"


def test_many_workers_claim_every_message_once(any_store: Store) -> None:
    _emit(any_store, 40)
    claimed: list[str] = []

    def work() -> None:
        misses = 0
        while misses < 3:  # a miss may only mean that another is claiming the same row
            message = _claim(any_store)
            if message is None:
                misses += 1
            else:
                claimed.append(message.key)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(f"k{n}" for n in range(40))
