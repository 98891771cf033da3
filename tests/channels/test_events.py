"""The conversation's log: streamed, resumed, long-polled, and ended at shutdown."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.encoder import Encoder
from tests.gateway import Gateway, running, settings_for

STREAM = {"Accept": "text/event-stream"}


def _lines(response: httpx.Response) -> Iterator[dict[str, str]]:
    """The stream's events as dictionaries of their fields, comments left out."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if not line and fields:
            yield fields
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def _path(conversation: str) -> str:
    return f"/api/v1/conversations/{conversation}/events"


def test_a_stream_tells_everything_then_what_happens(gateway: Gateway) -> None:
    conversation = gateway.say("护照怎么办")["conversation_id"]
    with gateway.client() as client, client.stream("GET", _path(conversation), headers=STREAM) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["cache-control"] == "no-store"
        events = _lines(response)
        assert [next(events)["id"], next(events)["id"]] == ["1", "2"]
        gateway.say("多少钱", conversation)
        said = json.loads(next(events)["data"])
        assert (said["number"], said["kind"], said["payload"]["text"]) == (3, "citizen", "多少钱")
        assert json.loads(next(events)["data"])["kind"] == "bot"


def test_a_stream_resumes_after_the_last_event_seen(gateway: Gateway) -> None:
    conversation = gateway.say("护照怎么办")["conversation_id"]
    gateway.say("多少钱", conversation)
    for headers, path in [
        ({**STREAM, "Last-Event-ID": "3"}, _path(conversation)),
        (STREAM, _path(conversation) + "?after=3"),
        ({**STREAM, "Last-Event-ID": "3"}, _path(conversation) + "?after=1"),
    ]:
        with gateway.client() as client, client.stream("GET", path, headers=headers) as response:
            assert next(_lines(response))["id"] == "4"


def test_long_polling_answers_at_once_where_there_is_something(gateway: Gateway) -> None:
    conversation = gateway.say("护照怎么办")["conversation_id"]
    with gateway.client() as client:
        events = client.get(_path(conversation), params={"after": 1}).json()["events"]
    assert [event["number"] for event in events] == [2]


def test_long_polling_waits_for_news(gateway: Gateway) -> None:
    conversation = gateway.say("护照怎么办")["conversation_id"]
    found: list[dict[str, Any]] = []

    def poll() -> None:
        with gateway.client() as client:
            found.extend(client.get(_path(conversation), params={"after": 2, "wait": 20}).json()["events"])

    polling = threading.Thread(target=poll)
    polling.start()
    gateway.say("多少钱", conversation)
    polling.join(20)
    assert found
    assert found[0]["payload"]["text"] == "多少钱"


def test_long_polling_without_news_ends_empty(gateway: Gateway) -> None:
    conversation = gateway.say("护照怎么办")["conversation_id"]
    with gateway.client() as client:
        assert client.get(_path(conversation), params={"after": 2, "wait": 0}).json() == {"events": []}


@pytest.mark.parametrize("headers", [STREAM, {"Accept": "application/json"}])
def test_an_unknown_conversation_is_not_found(gateway: Gateway, headers: dict[str, str]) -> None:
    with gateway.client() as client:
        response = client.get(_path("never-was"), headers=headers)
    assert response.status_code == 404
    assert response.json()["error"] == "conversation_not_found"


@pytest.mark.parametrize(
    ("headers", "query"), [({"Last-Event-ID": "x"}, ""), ({}, "?after=-1"), ({}, "?after=1&wait=999")]
)
def test_a_bad_position_is_refused(gateway: Gateway, headers: dict[str, str], query: str) -> None:
    conversation = gateway.say("你好")["conversation_id"]
    with gateway.client() as client:
        response = client.get(_path(conversation) + query, headers=headers)
    assert response.status_code == 422
    assert response.json()["remedy"]


def test_a_shutdown_ends_streams_cleanly(home: Path, encoder: Encoder) -> None:
    with running(settings_for(home), encoder) as gateway:
        conversation = gateway.say("你好")["conversation_id"]
        with gateway.client() as client, client.stream("GET", _path(conversation), headers=STREAM) as response:
            events = _lines(response)
            assert [next(events)["id"], next(events)["id"]] == ["1", "2"]
            begun = time.monotonic()
            gateway.server.handle_exit(15, None)
            assert [event.get("event") for event in events] == ["end"]
            assert time.monotonic() - begun < 3


def test_another_process_is_heard(home: Path, encoder: Encoder) -> None:
    """Two gateways over one database: what is said at one arrives in a stream of the other."""
    with running(settings_for(home), encoder) as here, running(settings_for(home), encoder) as there:
        conversation = here.say("你好")["conversation_id"]
        with here.client() as client, client.stream("GET", _path(conversation), headers=STREAM) as response:
            events = _lines(response)
            next(events)
            next(events)
            begun = time.monotonic()
            there.say("护照多少钱", conversation)
            assert json.loads(next(events)["data"])["payload"]["text"] == "护照多少钱"
            assert time.monotonic() - begun < 4, "heard only by the safety look, not by the relay"
