"""Marks, tags, satisfaction, figures, search and transcripts, and a supervisor who steps in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import Conflict, InvalidInput, NotFound
from bot.handoff.quality import Wanted, hidden
from bot.people.model import Role
from bot.store.audit import first_break
from tests.bot.handoff.conftest import World


def test_typing_is_believed_for_a_while_and_reading_only_grows(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    number = world.operating.step_in(conversation, min_)
    said = world.operating.reply(number, min_, "您好。")
    world.marks.by_citizen(conversation, types=True)
    world.noting.types(number, min_, typing=True)
    marks = world.marks.of(conversation)
    assert (marks.citizen_types, marks.person_types) == (True, True)
    news = len(world.news)
    world.marks.by_citizen(conversation, types=True)  # again at once: nothing is written
    assert len(world.news) == news
    world.clock.advance(timedelta(seconds=7))
    assert not world.marks.of(conversation).citizen_types
    world.marks.by_citizen(conversation, seen=said + 40)  # no further than the log goes
    world.marks.by_citizen(conversation, seen=1)
    marks = world.marks.of(conversation)
    assert (marks.delivered, marks.seen) == (said, said)
    with pytest.raises(NotFound):
        world.marks.by_citizen(world.conversation(citizen="wechat:o"), seen=1)


def test_whose_conversation_it_is_not_does_not_type_in_it(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    conversation = world.conversation()
    number = world.operating.step_in(conversation, min_)
    world.noting.types(number, jun, typing=True)
    assert not world.marks.of(conversation).person_types
    with pytest.raises(Conflict):
        world.noting.tag(number, jun, ["材料"])
    world.noting.tag(number, min_, ["材料", " 材料 ", "费用", ""])
    [mine] = world.reading.lists(min_).mine
    assert mine.tags == ("材料", "费用")
    with pytest.raises(InvalidInput):
        world.noting.tag(number, min_, ["长" * 21])


def served(world: World, said: str, level: int | None = None) -> str:
    min_ = next(each for each in world.people.accounts() if each.username == "min")
    world.presences.beat(min_)
    conversation = world.conversation(said)
    world.call(conversation)
    number = world.handoff(conversation)
    world.operating.take(number, min_)
    world.clock.advance(timedelta(minutes=1))
    world.operating.reply(number, min_, "请带上身份证，打 13812345678 也行。")
    world.operating.close(number, min_, "solved")
    asked = world.conversations.events(conversation)[-1].payload["messages"][0]["choices"]
    assert [choice["title"] for choice in asked][-1] == "非常满意"
    if level is not None:
        world.judgements.answer(asked[level - 1]["payload"].split()[1], level, channel="web")
    return conversation


def test_satisfaction_is_credited_to_the_operator_and_shown(world: World) -> None:
    world.operator("min", "王敏")
    since = world.clock.now()
    found = served(world, "孩子落户要什么", 5)
    served(world, "居住证", 2)
    served(world, "没有评价的")
    [figures] = world.quality.figures(since, world.clock.now() + timedelta(days=1))
    assert (figures.name, figures.served, figures.in_time, figures.late) == ("王敏", 3, 3, 0)
    assert (figures.judged, figures.level, figures.poor) == (2, 3.5, 1)
    assert figures.first_reply == timedelta(minutes=1)
    wanted = Wanted(since, world.clock.now() + timedelta(days=1), words="落户")
    [one] = world.quality.search(wanted)
    assert (one.conversation_id, one.level, one.outcome) == (found, 5, "已解决")
    assert "落户" in one.excerpt
    assert len(world.quality.search(Wanted(since, wanted.until, words="身份证"))) == 3  # said by the operator
    assert world.quality.search(Wanted(since, wanted.until, words="%")) == []
    assert world.quality.search(Wanted(since, wanted.until, operator_id=99)) == []


def test_a_transcript_is_masked_and_its_export_audited(world: World) -> None:
    world.operator("min", "王敏")
    supervisor = world.people.create("sup", "correct-horse-battery", Role.SUPERVISOR)
    conversation = served(world, "我的手机 13912345678")
    text = world.quality.transcript(conversation, supervisor)
    assert "139****5678" in text
    assert "138****5678" in text
    assert "12345678" not in text
    with pytest.raises(NotFound):
        world.quality.transcript("nowhere", supervisor)
    with world.store.read() as session:
        assert first_break(session) is None


def test_a_supervisor_takes_a_conversation_over(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    supervisor = world.people.create("sup", "correct-horse-battery", Role.SUPERVISOR, display_name="周正")
    conversation = world.conversation()
    number = world.operating.step_in(conversation, min_)
    with pytest.raises(Conflict):
        world.operating.take_over(number, jun)
    assert [each.call.id for each in world.reading.lists(supervisor).held] == [number]
    assert world.reading.lists(jun).held == ()
    world.operating.take_over(number, supervisor)
    with pytest.raises(Conflict) as refusal:
        world.operating.reply(number, min_, "我接着说")
    assert "周正" in refusal.value.message
    world.operating.reply(number, supervisor, "您好，我来处理。")
    assert "督办员周正接过了" in world.reading.thread(conversation).notes[-1].text


@pytest.mark.parametrize("said", ["查询码 2ZG5ND，请记下来", "查询码：2ZG5ND", "查询码是 2ZG 5ND。", "查询码“2ZG-5ND”"])
def test_a_code_that_was_told_does_not_leave_the_desk(said: str) -> None:
    assert "5ND" not in hidden(said)
    assert hidden(said).startswith("查询码")
