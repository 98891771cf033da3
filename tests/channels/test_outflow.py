"""Events on their way out: to a real HTTP receiver and into a real Redis, through relay, handler and job."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.clock import FixedClock
from bot.complaints.model import Act
from bot.errors import InvalidInput
from bot.outflow.model import MOST_ATTEMPTS
from bot.outflow.service import Delivery, OutflowService
from bot.settings import Settings, load_settings
from bot.store import Store, make_engine
from bot.store.migrate import upgrade
from bot.store.sealed import Sealer
from bot.supervision.telling import OUTWARD
from channels.outflow import Outflow, PublicResolver, WebhookPoster, outflow_of, publishing
from channels.relay import Relay
from tests.bot.supervision.conftest import CLERK, MONDAY, Bureau, bureau_over

REDIS = os.environ.get("WENBAN_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


@dataclass
class Receiver:
    """An HTTP server that keeps what it got and answers as told."""

    url: str
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = made.answers.pop(0) if made.answers else 204
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status == 302:
                self.send_header("Location", made.url + "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Installation:
    """A store with complaints, a relay that publishes, and the way out."""

    settings: Settings
    clock: FixedClock
    bureau: Bureau
    service: OutflowService
    relay: Relay
    outflow: Outflow

    def flow(self) -> int:
        """Lets the worker work; how many deliveries arrived."""
        while self.relay.run():
            pass
        return self.outflow.run()


def installed(tmp_path: Path, **settings: Any) -> Iterator[Installation]:
    made = load_settings(home=tmp_path, **settings)
    engine = make_engine(made)
    upgrade(engine)
    clock = FixedClock(MONDAY)
    store = Store(engine, clock)
    service = outflow_of(made, store, clock, Sealer(bytes(32)))
    publish = publishing(service, store, made)
    relay = Relay(store, dict.fromkeys(OUTWARD, publish), clock)
    yield Installation(made, clock, bureau_over(store, clock, tmp_path), service, relay, Outflow(service, made, clock))
    relay.close()
    engine.dispose()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    yield from installed(tmp_path, webhook_private="allow")


def test_an_event_arrives_signed_and_without_personal_data(here: Installation, receiver: Receiver) -> None:
    secret, _ = here.service.add("city", receiver.url, ["supervision.alarm"], actor="root")
    here.service.add("complaints", receiver.url, ["complaint.changed"], actor="root")
    number = here.bureau.file()
    here.bureau.at(2026, 11, 3, 10, 0)
    here.bureau.watched()
    assert here.flow() == 1
    [(headers, body)] = receiver.got
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == f"{here.clock.now().timestamp():.0f}"
    assert headers["content-type"].startswith("application/cloudevents+json")
    event = json.loads(body)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "supervision.alarm", number)
    assert event["id"] == headers["webhook-id"]
    assert (event["data"]["level"], event["data"]["clock"]) == ("warning", "sign")
    here.bureau.do(number, Act.SIGN, CLERK)
    here.bureau.do(number, Act.ANSWER, CLERK, note="请联系王工 13812345678")
    assert here.flow() == 2
    changed = receiver.events()[-1]["data"]
    assert changed["answer"] == "请联系王工 138****5678"
    assert not {"location", "contact", "citizen", "sealed", "query_code", "code"} & set(changed)


def test_a_receiver_that_fails_gets_it_later_and_only_once_more(here: Installation, receiver: Receiver) -> None:
    here.service.add("city", receiver.url, ["complaint.changed"], actor="root")
    number = here.bureau.file()
    here.bureau.do(number, Act.SIGN, CLERK)
    receiver.answers = [500]
    assert here.flow() == 0
    assert here.flow() == 0
    here.clock.advance(timedelta(seconds=11))
    assert here.flow() == 1
    here.clock.advance(timedelta(days=1))
    assert here.flow() == 0
    ids = [event["id"] for event in receiver.events()]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_what_is_given_up_is_shown_and_sent_again(here: Installation, receiver: Receiver) -> None:
    here.service.add("city", receiver.url, ["complaint.changed"], actor="root")
    here.bureau.do(here.bureau.file(), Act.SIGN, CLERK)
    receiver.answers = [503] * MOST_ATTEMPTS
    for _ in range(MOST_ATTEMPTS):
        here.flow()
        here.clock.advance(timedelta(hours=7))
    [dead] = here.service.dead("city")
    assert (dead.attempts, dead.last_status) == (MOST_ATTEMPTS, 503)
    here.service.resend(actor="root")
    assert here.flow() == 1
    assert here.service.dead() == []


def test_redirects_are_not_followed_and_gone_is_final(here: Installation, receiver: Receiver) -> None:
    here.service.add("city", receiver.url, ["complaint.changed"], actor="root")
    here.bureau.do(here.bureau.file(), Act.SIGN, CLERK)
    receiver.answers = [302]
    here.flow()
    assert len(receiver.got) == 1
    here.clock.advance(timedelta(minutes=1))
    receiver.answers = [410]
    here.flow()
    [dead] = here.service.dead()
    assert dead.last_status == 410


def test_a_receiver_that_is_not_there_keeps_no_other_waiting(here: Installation, receiver: Receiver) -> None:
    here.service.add("away", "http://127.0.0.1:9/", ["*"], actor="root")
    here.service.add("city", receiver.url, ["complaint.changed"], actor="root")
    for _ in range(20):
        here.bureau.do(here.bureau.file(), Act.SIGN, CLERK)
    assert here.flow() == 20
    assert len(receiver.got) == 20


def test_nothing_is_kept_for_nobody(here: Installation) -> None:
    here.bureau.do(here.bureau.file(), Act.SIGN, CLERK)
    assert here.flow() == 0
    assert here.service.counts() == {}


async def test_a_name_that_leads_into_the_own_network_is_refused_when_it_is_connected_to(
    here: Installation, receiver: Receiver
) -> None:
    """The name passes the check of its letters; only looking it up tells where it leads."""

    with pytest.raises(InvalidInput):
        await PublicResolver().resolve("localhost", 80)
    poster = WebhookPoster(here.clock, private=False)
    delivery = Delivery(1, "webhook:1", "1", "wenban.test", "t", b"{}", 1, MONDAY)
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "ip6-localhost")):
        ended = await poster.post(url, "whsec_AAAA", delivery)
        assert ended.error is not None
    await poster.close()
    assert receiver.got == []


@pytest.fixture
def stream() -> Iterator[str]:
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=2)
    name = f"wenban-test:{uuid.uuid4().hex}"
    try:
        client.ping()
    except redis.exceptions.RedisError:
        client.close()
        pytest.skip(f"no Redis at {REDIS}; set WENBAN_TEST_REDIS_URL")
    yield name
    client.delete(name)
    client.close()


def test_the_same_events_go_to_a_redis_stream(tmp_path: Path, stream: str) -> None:
    for here in installed(tmp_path, redis_url=REDIS, redis_stream=stream):
        number = here.bureau.file()
        for act in (Act.SIGN, Act.PAUSE, Act.RESUME):
            here.bureau.do(number, act, CLERK, note="等检测")
        assert here.flow() == 3
        assert here.flow() == 0
        client = redis.Redis.from_url(REDIS, decode_responses=True)
        entries = client.xrange(stream)
        client.close()
        events = [json.loads(fields["event"]) for _, fields in entries]
        assert [event["data"]["state"] for event in events] == ["signed"] * 3  # as it is when the event is made
        assert [fields["id"] for _, fields in entries] == [event["id"] for event in events]
        assert {event["subject"] for event in events} == {number}


def test_a_redis_that_is_away_gets_them_when_it_is_back(tmp_path: Path, stream: str) -> None:
    for here in installed(tmp_path, redis_url="redis://127.0.0.1:9/0", redis_stream=stream):
        here.bureau.do(here.bureau.file(), Act.SIGN, CLERK)
        assert here.flow() == 0
        here.clock.advance(timedelta(minutes=1))
        back = here.settings.model_copy(update={"redis_url": load_settings(redis_url=REDIS).redis_url})
        assert Outflow(here.service, back, here.clock).run() == 1
        client = redis.Redis.from_url(REDIS)
        assert client.xlen(stream) == 1
        client.close()
