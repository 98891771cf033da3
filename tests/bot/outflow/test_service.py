"""Subscriptions and deliveries in the store, on each kind of database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.clock import FixedClock
from bot.errors import Conflict, InvalidInput, NotFound
from bot.outflow.model import MOST_ATTEMPTS, Event
from bot.outflow.service import LEASE, Ended, OutflowService
from bot.outflow.tables import WebhookRow
from bot.store import Store
from bot.store.sealed import Sealer

URL = "https://events.example.com/hook"


@pytest.fixture
def outflow(any_store: Store, clock: FixedClock) -> OutflowService:
    return OutflowService(any_store, clock, Sealer(bytes(32)), private=False, streams=True)


def publish(outflow: OutflowService, store: Store, name: str, topic: str = "complaint.filed") -> int:
    event = Event(name, topic, "urn:test", "TS1", store.clock.now(), {})
    with store.write() as work:
        return outflow.publish(work, event, outflow.targets(topic))


def test_a_subscription_gets_the_events_it_wants_once(outflow: OutflowService, any_store: Store) -> None:
    secret, hook = outflow.add("city", URL, ["complaint.*"], actor="root")
    outflow.add("alarms", URL, ["supervision.alarm"], actor="root")
    assert publish(outflow, any_store, "1") == 2  # to the city and to Redis
    assert publish(outflow, any_store, "1") == 0
    assert outflow.counts() == {("redis", "waiting"): 1, (hook.target, "waiting"): 1}
    assert outflow.receivers()[hook.target] == (URL, secret)
    [delivery] = outflow.claim(hook.target, 10)
    assert outflow.claim(hook.target, 10) == []
    assert outflow.settle(delivery, Ended(204)) == "done"
    assert outflow.settle(delivery, Ended(204)) is None


def test_secrets_are_sealed_and_names_taken_once(outflow: OutflowService, any_store: Store) -> None:
    secret, _ = outflow.add("city", URL, ["*"], actor="root")
    with any_store.read() as session:
        assert secret.encode() not in session.scalars(select(WebhookRow.secret)).one()
    with pytest.raises(Conflict):
        outflow.add("city", URL, ["*"], actor="root")
    for name, url, topics in (("City", URL, ["*"]), ("x", "http://10.0.0.1/", ["*"]), ("y", URL, ["?"])):
        with pytest.raises(InvalidInput):
            outflow.add(name, url, topics, actor="root")
    outflow.remove("city", actor="root")
    with pytest.raises(NotFound):
        outflow.remove("city", actor="root")
    assert outflow.webhooks() == []


def test_failures_wait_longer_each_time_and_are_given_up_and_sent_again(
    outflow: OutflowService, any_store: Store, clock: FixedClock
) -> None:
    _, hook = outflow.add("city", URL, ["*"], actor="root")
    publish(outflow, any_store, "1")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        [delivery] = outflow.claim(hook.target, 10)
        assert delivery.attempts == attempt
        state = outflow.settle(delivery, Ended(500, "status 500"))
        assert outflow.claim(hook.target, 10) == []
        clock.advance(timedelta(hours=7))
    assert state == "dead"
    assert outflow.claim(hook.target, 10) == []
    [dead] = outflow.dead("city")
    assert (dead.event_id, dead.last_status, dead.last_error) == ("1", 500, "status 500")
    assert outflow.dead("redis") == []
    with pytest.raises(NotFound):
        outflow.resend([dead.id, 999], actor="root")
    assert outflow.resend([dead.id], actor="root") == 1
    [again] = outflow.claim(hook.target, 10)
    assert again.attempts == 1
    assert outflow.settle(again, Ended(410, "gone", final=True)) == "dead"
    assert outflow.resend(name="city", actor="root") == 1


def test_a_claim_that_was_never_settled_is_taken_over(
    outflow: OutflowService, any_store: Store, clock: FixedClock
) -> None:
    _, hook = outflow.add("city", URL, ["*"], actor="root")
    publish(outflow, any_store, "1")
    [lost] = outflow.claim(hook.target, 10)
    clock.advance(LEASE)
    [taken] = outflow.claim(hook.target, 10)
    assert outflow.settle(lost, Ended(200)) is None
    assert outflow.settle(taken, Ended(200)) == "done"
    assert outflow.tidy() == 0
    clock.advance(timedelta(days=8))
    assert outflow.tidy() == 1
