"""To a person and back through a real Rasa: called by intent, silent meanwhile, in its place afterwards."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bot.clock import ZONE, FixedClock
from bot.people.model import Role
from index.encoder import open_encoder
from tests.gateway import publish, running, sample_guides, settings_for
from tests.rasa_server import RasaServer


def test_a_person_is_called_by_intent_and_rasa_is_not_asked_meanwhile(rasa: RasaServer, tmp_path: Path) -> None:
    encoder = open_encoder(threads=1)
    publish(tmp_path, sample_guides(), encoder)
    monday = FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=ZONE))
    settings = settings_for(tmp_path, rasa_url=rasa.url, rasa_timeout=30.0)
    with running(settings, encoder, monday) as gateway:
        rasa.actions.forward_to = f"{gateway.url}/webhook"
        desk = gateway.services.handing_off
        operator = gateway.services.people.create("min", "correct-horse-battery", Role.OPERATOR, display_name="王敏")
        desk.presences.set(operator, "online")

        asked = gateway.say("补领居民身份证要带什么材料")
        conversation = asked["conversation_id"]
        called = gateway.say("找个真人来跟我讲", conversation)
        assert (called["outcome"], called["limited"]) == ("handoff", False)
        [waiting] = desk.reading.lists(operator).offered
        desk.operating.take(waiting.call.id, operator)
        desk.operating.reply(waiting.call.id, operator, "您好，请讲。")
        before = len(rasa.actions.calls)
        assert gateway.say("那多少钱", conversation)["messages"] == []
        assert len(rasa.actions.calls) == before
        desk.operating.give_back(waiting.call.id, operator)
        followed = gateway.say("那多少钱", conversation)
    assert (followed["matter"], followed["limited"]) == (asked["matter"], False)
    assert "fees" in followed["facets"]
