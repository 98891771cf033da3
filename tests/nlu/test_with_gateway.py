"""Citizen, gateway, Rasa, action, index and back: nothing stands in for anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.encoder import Encoder, open_encoder
from tests.gateway import publish, running, sample_guides, settings_for
from tests.rasa_server import RasaServer


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder(threads=1)


def test_a_turn_goes_through_rasa_and_its_failure_is_said(rasa: RasaServer, tmp_path: Path, encoder: Encoder) -> None:
    publish(tmp_path, sample_guides(), encoder)
    with running(settings_for(tmp_path, rasa_url=rasa.url, rasa_timeout=30.0), encoder) as gateway:
        rasa.actions.forward_to = f"{gateway.url}/webhook"

        asked = gateway.say("补领居民身份证要带什么材料")
        followed = gateway.say("那多少钱", asked["conversation_id"])
        greeted = gateway.say("你好")
        called = [call["next_action"] for call in rasa.actions.calls]
        rasa.actions.failing = True
        limited = gateway.say("补领居民身份证要带什么材料")

    assert called == ["action_ask_matter", "action_ask_matter", "action_smalltalk"]
    assert (asked["outcome"], asked["facets"][0]) == ("answered", "materials")
    assert followed["matter"] == asked["matter"]
    assert "fees" in followed["facets"]
    assert greeted["outcome"] == "smalltalk"
    assert limited["matter"] == asked["matter"]
