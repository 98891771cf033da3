"""Calls on the telephone: written down, sealed, found again by number, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.errors import Conflict, InvalidInput
from bot.handoff.tables import HandoffRow
from tests.bot.handoff.conftest import World


def test_a_call_is_a_conversation_like_the_others(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    conversation = world.phoning.open(min_, "138 1234-5678")
    number = world.handoff(conversation)
    world.phoning.said(number, min_, "我家门口的路灯坏了一个星期")
    world.operating.reply(number, min_, "已经记下，给您登记。", "r1")
    with pytest.raises(Conflict):
        world.phoning.said(number, jun, "插一句")
    assert world.log(conversation) == ["holder:step_in", "citizen", "person"]
    [mine] = world.reading.lists(min_).mine
    assert (mine.caller, mine.text, mine.unread) == ("138****5678", "我家门口的路灯坏了一个星期", 0)
    with pytest.raises(InvalidInput):
        world.operating.give_back(number, min_)
    world.operating.close(number, min_, "filed")
    assert world.log(conversation)[-1] == "holder:close"  # nobody on the telephone is asked by buttons
    with world.store.read() as session:
        row = session.scalars(select(HandoffRow)).one()
        assert b"1381234" not in (row.caller or b"")


def test_earlier_calls_from_the_same_number_are_found(world: World) -> None:
    min_ = world.operator("min", "王敏")
    first = world.phoning.open(min_, "13812345678")
    world.operating.close(world.handoff(first), min_, "solved")
    world.phoning.open(min_, "13900000000")
    again = world.phoning.open(min_, "138-1234-5678")
    assert world.phoning.earlier(world.handoff(again)) == [first]
    assert world.phoning.earlier(world.handoff(world.phoning.open(min_))) == []


@pytest.mark.parametrize("number", ["12", "一三八", "1" * 16, "138x12345678"])
def test_what_is_no_number_is_refused(world: World, number: str) -> None:
    min_ = world.operator("min", "王敏")
    with pytest.raises(InvalidInput):
        world.phoning.open(min_, number)
    assert world.reading.lists(min_).mine == []


def test_a_call_whose_operator_is_gone_is_broken_off_and_not_put_in_a_queue(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.phoning.open(min_, "13812345678")
    world.clock.advance(timedelta(minutes=9))
    world.presences.beat(min_)
    world.watch.run(world.clock.now())
    assert world.log(conversation) == ["holder:step_in"]  # a caller is not "unanswered"
    world.clock.advance(timedelta(minutes=3))
    world.watch.run(world.clock.now())
    thread = world.reading.thread(conversation)
    assert thread.handoff is not None
    assert (thread.holder, thread.handoff.state, thread.handoff.outcome) == ("closed", "done", "broken_off")
