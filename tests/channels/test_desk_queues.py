"""A city's own desk over HTTP: a department's queue with its operators, a rule that calls a person, handing on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest

from bot.clock import ZONE, FixedClock
from bot.people.model import Role
from index.encoder import Encoder
from tests.channels.test_desk import PASSWORD, Desk, handoff, online
from tests.gateway import Gateway, copied, running, sample_guides, settings_for

RULED = next(row for row in sample_guides() if row["name"] == "居民身份证有效期满换领")
DEPARTMENT = RULED["department"]
MORE = f"""
[[queue]]
name = "police"
title = "户籍证件"
hours = "office"
departments = ["{DEPARTMENT}"]
operators = ["jun"]

[[rule]]
matter = "{RULED["code"]}"
outcome = ["answered"]
"""


@pytest.fixture(scope="module")
def gateway(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    """Two operators, each of a queue of his own, online on a Monday morning."""
    home = copied(city, tmp_path_factory.mktemp("queues") / "home")
    file = home / "desk.toml"
    shipped = files("bot.handoff").joinpath("desk.toml").read_text("utf-8")
    file.write_text(shipped.replace("departments = []", 'departments = []\noperators = ["min"]', 1) + MORE, "utf-8")
    clock = FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=ZONE))
    with running(settings_for(home, desk_file=file), encoder, clock) as started:
        for username, name in (("min", "王敏"), ("jun", "李军")):
            started.services.people.create(username, PASSWORD, Role.OPERATOR, display_name=name)
            online(started, username)
        yield started


def test_a_rule_calls_the_departments_operator_who_hands_on_with_a_note(gateway: Gateway) -> None:
    answered = gateway.say(f"{RULED['name']}要带什么")
    conversation = answered["conversation_id"]
    assert answered["matter"] == RULED["code"]
    assert "工作人员" in str(answered["messages"]), "the answer comes first, and a person is called"
    number = handoff(gateway, conversation)
    general, police = Desk(gateway, "min"), Desk(gateway, "jun")
    with closing(general.client), closing(police.client):
        assert general.client.get("/desk", params={"conversation": conversation}).status_code == 403
        assert general.post("take", handoff=number).status_code in {403, 409}
        assert police.post("take", handoff=number).status_code == 303
        assert "户籍证件" in police.page(conversation)
        given = {"handoff": number, "conversation": conversation}
        assert police.post("transfer", **given, to="queue:general", text="要问社保").status_code == 303
        assert general.post("take", handoff=number).status_code == 303
        assert "要问社保" in general.thread(conversation)
        assert general.post("transfer", **given, to=f"department:{DEPARTMENT}", text="还是户籍").status_code == 303
        assert police.post("take", handoff=number).status_code == 303
        assert f"（{DEPARTMENT}）还是户籍" in police.thread(conversation)


def test_a_question_of_no_department_goes_to_everybodys_queue(gateway: Gateway) -> None:
    conversation = gateway.say("转人工")["conversation_id"]
    number = handoff(gateway, conversation)
    police, general = Desk(gateway, "jun"), Desk(gateway, "min")
    with closing(police.client), closing(general.client):
        assert police.post("take", handoff=number).status_code in {403, 409}
        assert general.post("take", handoff=number).status_code == 303


def test_a_queue_that_is_none_is_refused(gateway: Gateway) -> None:
    conversation = gateway.say("转人工")["conversation_id"]
    number = handoff(gateway, conversation)
    general = Desk(gateway, "min")
    with closing(general.client):
        assert general.post("take", handoff=number).status_code == 303
        refused = general.post("transfer", handoff=number, conversation=conversation, to="queue:none", text="")
        assert refused.status_code in {404, 422}
        assert general.post("transfer", handoff=number, conversation=conversation, to="", text="").status_code == 422
        assert "回复市民" in general.page(conversation), "it is still his"
