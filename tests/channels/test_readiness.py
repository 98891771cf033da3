"""When the gateway calls itself ready."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.readiness import GRACE, Part, PartState, judge
from tests.gateway import Gateway, sunday

START = sunday().now()


def _parts(*down: Part) -> dict[Part, PartState]:
    names: tuple[Part, ...] = ("database", "index", "rasa", "worker")
    return {name: PartState(name not in down) for name in names}


@pytest.mark.parametrize(
    ("down", "complete_once", "after", "status"),
    [
        ((), False, timedelta(0), "ready"),
        (("rasa",), False, timedelta(0), "not_ready"),
        (("rasa",), False, GRACE, "limited"),
        (("rasa", "worker"), True, timedelta(0), "limited"),
        (("database",), True, GRACE, "not_ready"),
        (("index",), True, GRACE * 9, "not_ready"),
    ],
)
def test_ready(down: tuple[Part, ...], complete_once: bool, after: timedelta, status: str) -> None:
    assert judge(_parts(*down), complete_once, START, START + after).status == status


def test_readyz_says_which_part_is_down(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.get("/readyz")
    assert response.status_code == 503
    parts = response.json()["parts"]
    assert {name: part["up"] for name, part in parts.items()} == {
        "database": True,
        "index": True,
        "rasa": False,
        "worker": False,
    }


def test_alive_and_measured(gateway: Gateway) -> None:
    gateway.say("你好")
    with gateway.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        text = client.get("/metrics").text
    assert 'wenban_turns_total{channel="api",limited="yes",outcome="smalltalk"}' in text
    assert 'wenban_http_request_seconds_count{method="POST",route="/api/v1/chat",status="200"}' in text
    assert 'wenban_part_up{part="index"}' in text or "wenban_part_up" in text


def test_the_api_describes_itself(gateway: Gateway) -> None:
    with gateway.client() as client:
        description = client.get("/openapi.json").json()
    assert {"/api/v1/chat", "/api/v1/conversations/{conversation_id}/events", "/api/v1/matters"} <= description[
        "paths"
    ].keys()
    assert "/chat" not in description["paths"]
    refused = description["paths"]["/api/v1/chat"]["post"]["responses"]["422"]
    assert refused["content"]["application/json"]["schema"]["$ref"].endswith("ErrorBody")
