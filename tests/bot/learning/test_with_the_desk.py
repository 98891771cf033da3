"""What operators really do at the desk reaches the review list."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.answers.phrases import Phrases
from bot.clock import ZONE, FixedClock
from bot.conversations.model import Focus, Reply
from bot.handoff.desk import load_desk
from bot.handoff.model import Ask, Reason
from bot.learning.gathering import Gatherer
from bot.learning.model import Cause, Stage
from bot.learning.repository import Wanted
from bot.learning.review import Reviewing, Shown
from bot.store import Store
from tests.bot.handoff.conftest import World
from tests.bot.hashing_encoder import HashingEncoder

PANDA = "大熊猫可以在家里养吗"


@pytest.fixture
def clock() -> FixedClock:
    """Monday, ten in the morning: the desk is open."""
    return FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=ZONE))


@pytest.fixture
def desk(any_store: Store, clock: FixedClock) -> World:
    return World(any_store, clock, load_desk())


def asks(desk: World, text: str, conversation: str | None = None) -> str:
    """A question that the assistant cannot answer."""
    turn = desk.conversations.begin(conversation, None, text, "web")
    plain = Phrases("云山市", "12345").say("unknown.plain")
    desk.conversations.finish(turn, Reply("unknown", ({"kind": "text", "text": plain},)), Focus())
    return turn.conversation_id


def groups(desk: World) -> list[Shown]:
    encoder = HashingEncoder(256)
    Gatherer(desk.store, lambda: encoder).refresh(desk.clock.now())
    return list(Reviewing(desk.store, desk.clock).page(Wanted(Stage.OPEN, "size", 1)).groups)


def test_the_operators_answer_stands_beside_the_question(desk: World) -> None:
    min_ = desk.operator("min", "王敏")
    conversation = asks(desk, PANDA)
    desk.call(conversation)
    handoff = desk.handoff(conversation)
    desk.operating.take(handoff, min_)
    desk.operating.reply(handoff, min_, "不可以。请打 13812345678 问林业局。")
    desk.says(conversation, "好的谢谢")
    desk.operating.close(handoff, min_, "solved")
    [group] = groups(desk)
    assert group.title == PANDA
    assert group.answers == [("不可以。请打 138****5678 问林业局。", "王敏")]


def test_an_answer_that_an_operator_had_to_correct(desk: World) -> None:
    min_ = desk.operator("min", "王敏")
    conversation = desk.conversation("身份证要带什么")
    desk.call(conversation)
    number = desk.handoff(conversation)
    desk.operating.take(number, min_)
    desk.operating.reply(number, min_, "还要带户口簿。")
    [group] = groups(desk)
    assert group.questions[0].cause is Cause.CORRECTED
    assert group.questions[0].matter == "YS1"
    assert group.answers == [("还要带户口簿。", "王敏")]


def test_a_rewritten_passage_and_one_sent_as_it_is(desk: World) -> None:
    min_ = desk.operator("min", "王敏")
    conversation = desk.conversation("身份证要带什么")
    desk.call(conversation)
    number = desk.handoff(conversation)
    desk.operating.take(number, min_)
    desk.says(conversation, "孩子的呢")
    desk.operating.reply(number, min_, "材料：……", more={"guide": {"code": "YS1", "edited": False}})
    assert groups(desk) == []
    desk.says(conversation, "孩子户口迁过来要啥")
    desk.operating.reply(number, min_, "户口簿，周六也办。", more={"guide": {"code": "YS7", "edited": True}})
    [group] = groups(desk)
    assert (group.title, group.questions[0].cause) == ("孩子户口迁过来要啥", Cause.EDITED)
    assert group.questions[0].matter == "YS7"


def test_a_message_answered_later(desk: World) -> None:
    """Left while nobody was there: the answer comes without the conversation ever being a person's."""
    conversation = asks(desk, PANDA)
    desk.calls.leave_message(Ask(conversation, Reason.ASKED, PANDA))
    min_ = desk.operator("min", "王敏")
    number = desk.handoff(conversation)
    desk.operating.take(number, min_)
    desk.operating.reply(number, min_, "不可以养。")
    [group] = groups(desk)
    assert group.answers == [("不可以养。", "王敏")]
