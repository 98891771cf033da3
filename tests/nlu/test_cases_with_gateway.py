"""Asking for a case through Rasa: what it hears as anything at all still reaches the form that asked."""

from __future__ import annotations

from pathlib import Path

from bot.clock import FixedClock
from index.encoder import open_encoder
from tests.bot.cases.examples import at, case
from tests.gateway import publish, running, sample_guides, settings_for
from tests.rasa_server import RasaServer


def test_number_code_and_an_interrupting_question(rasa: RasaServer, tmp_path: Path) -> None:
    encoder = open_encoder(threads=1)
    publish(tmp_path, sample_guides(), encoder)
    settings = settings_for(tmp_path, rasa_url=rasa.url, rasa_timeout=30.0)
    with running(settings, encoder, FixedClock(at("11-20 12:00"))) as gateway:
        rasa.actions.forward_to = f"{gateway.url}/webhook"
        gateway.services.casework.keeper.put(case(), "file", actor="test")

        asked = gateway.say("我的件办得怎么样了")
        talk = asked["conversation_id"]
        numbered = gateway.say("幺二三不对，是 YS2611130042", talk)
        aside = gateway.say("补领居民身份证要带什么材料", talk)
        shown = gateway.say("八三零二七幺", talk)

    replies = (asked, numbered, aside, shown)
    assert not any(reply.get("limited") for reply in replies)
    assert [reply["outcome"] for reply in replies] == ["case", "case", "answered", "case"]
    assert "查询码" in numbered["messages"][0]["text"]
    assert any("YS2611130042" in message["text"] for message in aside["messages"])
    assert shown["messages"][0]["case"]["number"] == "YS2611130042"
