"""A person's words reach the citizen in WeChat; what he says meanwhile is answered by nobody else."""

from __future__ import annotations

from pathlib import Path

from bot.clock import SystemClock
from bot.people.model import Role
from channels.work import jobs_of
from index.encoder import Encoder
from tests.channels.wechat.conftest import Town, town_of
from tests.gateway import copied

ALWAYS = '"00:00-24:00"'


def desk_file(folder: Path) -> Path:
    """The shipped desk, open around the clock: these tests run by the machine's clock."""
    shipped = Path("bot/handoff/desk.toml").resolve().read_text("utf-8")
    own = folder / "desk.toml"
    opened = shipped.replace('["09:00-12:00", "13:30-17:30"]', f"[{ALWAYS}]").replace(
        "days_off = []", f"days_off = [{ALWAYS}]"
    )
    own.write_text(opened, "utf-8")
    return own


def relay(town: Town) -> None:
    jobs = jobs_of(town.gateway.services.settings, SystemClock())
    try:
        [job] = [job for job in jobs if job.name == "relay"]
        job.run(SystemClock().now())
    finally:
        for job in jobs:
            job.close()


def test_asked_for_in_wechat_a_person_answers_there(city: Path, tmp_path: Path, encoder: Encoder) -> None:
    with town_of(copied(city, tmp_path / "home"), encoder, desk_file=desk_file(tmp_path)) as town:
        services = town.gateway.services
        operator = services.people.create("min", "correct-horse-battery", Role.OPERATOR, display_name="王敏")
        services.handing_off.presences.set(operator, "online")
        queued = town.standin.text("caller", "转人工")
        assert "排在第 1 位" in (queued.text or "")
        [call] = services.handing_off.reading.lists(operator).offered
        assert call.channel == "wechat"
        services.handing_off.operating.take(call.call.id, operator)
        services.handing_off.operating.reply(call.call.id, operator, "您好，请问要办什么？")
        relay(town)
        relay(town)
        said = [line.text for line in town.standin.lines("caller")]
        assert said.count("您好，请问要办什么？") == 1

        silent = town.standin.text("caller", "居住证要带什么材料")
        assert not silent.text
        assert len(town.standin.lines("caller")) == len(said)
        services.handing_off.operating.give_back(call.call.id, operator)
        answered = town.standin.text("caller", "居住证要带什么材料")
        assert "居住证" in (answered.text or "")


def test_a_message_left_in_wechat_is_answered_there(city: Path, tmp_path: Path, encoder: Encoder) -> None:
    with town_of(copied(city, tmp_path / "home"), encoder, desk_file=desk_file(tmp_path)) as town:
        services = town.gateway.services
        operator = services.people.create("min", "correct-horse-battery", Role.OPERATOR, display_name="王敏")
        offered = town.standin.text("caller", "转人工")
        assert "留言" in (offered.text or "")
        town.standin.text("caller", "1")
        kept = town.standin.text("caller", "孩子户口一直没办下来")
        assert "前答复" in (kept.text or "")
        [message] = services.handing_off.reading.lists(operator).messages
        services.handing_off.operating.take(message.call.id, operator)
        services.handing_off.operating.reply(message.call.id, operator, "已经办好，请来领取。")
        relay(town)
        assert "已经办好，请来领取。" in [line.text for line in town.standin.lines("caller")]
