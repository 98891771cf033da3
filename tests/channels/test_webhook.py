"""POST /webhook speaks rasa-sdk's protocol, and only to Rasa."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from index.encoder import Encoder
from tests.gateway import Gateway, running, settings_for


def _call(action: str, conversation: str, text: str) -> dict[str, Any]:
    message = {
        "text": text,
        "intent": {"name": "ask_guide", "confidence": 0.9},
        "entities": [],
        "metadata": {"turn_id": "t"},
    }
    return {
        "next_action": action,
        "sender_id": f"{conversation}.0",
        "tracker": {
            "sender_id": f"{conversation}.0",
            "slots": {},
            "latest_message": message,
            "events": [],
            "paused": False,
            "active_loop": {},
            "latest_action_name": None,
            "followup_action": None,
        },
        "domain": {},
        "version": "3.6.21",
    }


def test_an_action_answers_with_one_reply(gateway: Gateway) -> None:
    conversation = gateway.say("你好")["conversation_id"]
    with gateway.client() as client:
        response = client.post("/webhook", json=_call("action_ask_matter", conversation, "护照要多少钱"))
    assert response.status_code == 200
    (utterance,) = response.json()["responses"]
    assert utterance["custom"]["outcome"] in {"answered", "clarify"}
    assert utterance["custom"]["turn_id"] == "t"


def test_an_unknown_action_is_404_in_the_protocols_words(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.post("/webhook", json=_call("action_nobody_wrote", "c", "x"))
    assert response.status_code == 404
    assert response.json()["action_name"] == "action_nobody_wrote"


def test_the_domain_may_be_left_out(gateway: Gateway) -> None:
    call = _call("action_ask_matter", gateway.say("你好")["conversation_id"], "护照要多少钱")
    del call["domain"]
    with gateway.client() as client:
        assert client.post("/webhook", json=call).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"next_action": "action_ask_matter", "tracker": 1}',
        b'{"next_action": "action_ask_matter"}',
    ],
)
def test_what_is_no_action_call_is_refused(gateway: Gateway, body: bytes) -> None:
    with gateway.client() as client:
        response = client.post("/webhook", content=body)
    assert response.status_code == 422
    assert response.json()["error"] == "bad_action_call"
    assert response.json()["remedy"]


def test_a_call_through_a_proxy_is_refused(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.post(
            "/webhook", json=_call("action_ask_matter", "c", "x"), headers={"X-Forwarded-For": "203.0.113.9"}
        )
    assert response.status_code == 403
    assert response.json()["remedy"]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 403),
        ("?token=wrong", {}, 403),
        ("?token=right-token", {}, 200),
        ("", {"Authorization": "Bearer right-token"}, 200),
    ],
)
def test_with_a_token_only_the_token_opens(
    home: Path, encoder: Encoder, query: str, headers: dict[str, str], status: int
) -> None:
    with running(settings_for(home, action_token="right-token"), encoder) as guarded, guarded.client() as client:
        response = client.post(f"/webhook{query}", json=_call("action_ask_matter", "c", "护照"), headers=headers)
        assert response.status_code == status
