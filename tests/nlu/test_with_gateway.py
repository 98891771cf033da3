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


def test_the_next_thing_asked_in_full_is_not_taken_for_more_of_the_last(
    rasa: RasaServer, tmp_path: Path, encoder: Encoder
) -> None:
    guides = sample_guides()
    publish(tmp_path, guides, encoder)
    with running(settings_for(tmp_path, rasa_url=rasa.url, rasa_timeout=30.0), encoder) as gateway:
        rasa.actions.forward_to = f"{gateway.url}/webhook"

        passport = gateway.say("护照丢了咋补，几天能拿")
        card = gateway.say("身份证到期了去哪换", passport["conversation_id"])
        fee = gateway.say("那多少钱", passport["conversation_id"])

    names = {guide["code"]: guide["name"] for guide in guides}
    assert [names[turn["matter"]] for turn in (passport, card)] == ["普通护照补发", "居民身份证有效期满换领"]
    assert (fee["matter"], fee["facets"][0]) == (card["matter"], "fees")
