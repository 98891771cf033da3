"""The commands ``webhook``, as an operator types them, against a real receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.outflow.model import Event
from bot.outflow.service import Ended, OutflowService
from bot.settings import load_settings
from bot.store import Store, make_engine
from bot.store.sealed import load_sealer
from channels.outflow import outflow_of
from tests.channels.console.conftest import Wenban
from tests.channels.test_outflow import Receiver, receiver

__all__ = ["receiver"]


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_WEBHOOK_PRIVATE", "allow")


@pytest.fixture
def service(home: Path, allowed: None) -> Iterator[OutflowService]:
    """The same installation as the commands'."""
    settings = load_settings()
    engine = make_engine(settings)
    yield outflow_of(settings, Store(engine), SystemClock(), load_sealer(settings))
    engine.dispose()


def test_from_adding_to_removing(wenban: Wenban, allowed: None, receiver: Receiver) -> None:
    status, out, _ = wenban("webhook", "add", "city", receiver.url, "--topic", "complaint.*")
    assert status == 0
    assert "whsec_" in out
    status, out, _ = wenban("webhook", "list", "--json")
    [listed] = json.loads(out)
    assert (listed["name"], listed["topics"], listed["waiting"]) == ("city", ["complaint.*"], 0)
    assert "whsec_" not in out
    status, out, _ = wenban("webhook", "test", "city")
    assert (status, "204" in out) == (0, True)
    [event] = receiver.events()
    assert event["type"] == "wenban.test"
    receiver.answers = [401]
    status, _, err = wenban("webhook", "test", "city")
    assert status == 1
    assert "401" in err
    assert wenban("webhook", "remove", "city")[0] == 0
    status, _, err = wenban("webhook", "remove", "city")
    assert status == 1
    assert "webhook list" in err


def test_what_was_given_up_is_listed_and_sent_again(
    wenban: Wenban, allowed: None, receiver: Receiver, service: OutflowService, home: Path
) -> None:
    wenban("webhook", "add", "city", receiver.url)
    assert wenban("webhook", "dead")[1].strip() == "没有放弃了的推送。"
    event = Event("1", "complaint.filed", "urn:test", "TS1", SystemClock().now(), {})
    engine = make_engine(load_settings())
    with Store(engine).write() as work:
        service.publish(work, event, service.targets(event.type))
    engine.dispose()
    [delivery] = service.claim("webhook:1", 1)
    assert service.settle(delivery, Ended(410, "gone", final=True)) == "dead"
    assert wenban("webhook", "list")[0] == 0  # takes what the service logged
    status, out, _ = wenban("webhook", "dead", "city", "--json")
    [dead] = json.loads(out)
    assert (status, dead["webhook"], dead["status"], dead["attempts"]) == (0, "city", 410, 1)
    assert "complaint.filed" in wenban("webhook", "dead")[1]
    assert wenban("webhook", "resend", "99")[0] == 1
    assert "1 条" in wenban("webhook", "resend", str(dead["id"]))[1]
    assert service.counts() == {("webhook:1", "waiting"): 1}


def test_the_own_network_is_refused(wenban: Wenban, receiver: Receiver) -> None:
    status, _, err = wenban("webhook", "add", "city", receiver.url)
    assert status == 1
    assert "WENBAN_WEBHOOK_PRIVATE" in err
    status, _, err = wenban("webhook", "add", "city", "https://events.example.com/", "--topic", "nothing?")
    assert status == 1
