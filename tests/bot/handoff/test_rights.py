"""Who may open, take, step into and write beside a conversation; what is forgotten with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.clock import FixedClock
from bot.conversations.retention import ConversationRetention
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.handoff.desk import load_desk
from bot.handoff.repository import forget
from bot.handoff.tables import HandoffRow, NoteRow
from bot.people.model import Account, Role
from bot.store import Store
from bot.store.audit import AuditRow
from tests.bot.handoff.conftest import World


@pytest.fixture
def parted(any_store: Store, clock: FixedClock) -> World:
    """A desk whose second queue, for the civil affairs' matters, is Jun's; the first is Min's."""
    desk = load_desk()
    [general] = desk.queues
    first = replace(general, operators=frozenset({"min"}))
    second = replace(general, name="civil", departments=frozenset({"云山市民政局"}), operators=frozenset({"jun"}))
    return World(any_store, clock, replace(desk, queues=(first, second)))


def supervisor(world: World) -> Account:
    return world.people.create("boss", "correct-horse-battery", Role.SUPERVISOR, display_name="周正")


def sees(world: World, conversation: str, account: Account) -> bool:
    try:
        world.rights.check(conversation, account)
    except Forbidden:
        return False
    return True


def test_a_waiting_call_is_its_queues_until_somebody_has_it(parted: World) -> None:
    min_, jun, boss = parted.operator("min", "王敏"), parted.operator("jun", "李军"), supervisor(parted)
    conversation = parted.conversation()
    parted.call(conversation, department="云山市民政局")
    number = parted.handoff(conversation)
    assert not sees(parted, conversation, min_)
    assert sees(parted, conversation, jun)
    assert [each.call.id for each in parted.reading.lists(jun).offered] == [number]
    assert not parted.reading.lists(min_).waiting
    assert parted.reading.lists(min_).waiting_count == 0
    assert [each.call.id for each in parted.reading.lists(boss).waiting] == [number]
    with pytest.raises(Forbidden):
        parted.operating.take(number, min_)
    with pytest.raises(Forbidden):
        parted.noting.note(number, min_, "我看看")
    parted.operating.take(number, jun)
    parted.operating.transfer(number, jun, "户籍的事", to=min_.id)
    assert sees(parted, conversation, min_)  # handed on to her by name
    parted.operating.take(number, min_)
    assert sees(parted, conversation, jun)  # he had it
    other = parted.operator("hong", "赵红")
    assert not sees(parted, conversation, other)
    assert sees(parted, conversation, boss)
    with pytest.raises(NotFound):
        parted.rights.check("nowhere", boss)


def test_danger_is_everybodys(parted: World) -> None:
    parted.operator("jun", "李军")
    min_ = parted.operator("min", "王敏")
    conversation = parted.conversation()
    parted.call(conversation, department="云山市民政局", urgent=True)
    assert sees(parted, conversation, min_)
    parted.operating.take(parted.handoff(conversation), min_)


def test_operators_step_in_where_it_is_their_matter_and_fresh(parted: World, clock: FixedClock) -> None:
    min_, jun, boss = parted.operator("min", "王敏"), parted.operator("jun", "李军"), supervisor(parted)
    conversation = parted.conversation()  # about the police's matter: the first queue
    assert [each.conversation_id for each in parted.reading.lists(min_).talking] == [conversation]
    assert not parted.reading.lists(jun).talking
    with pytest.raises(Forbidden):
        parted.operating.step_in(conversation, jun)
    clock.advance(timedelta(minutes=16))
    with pytest.raises(Forbidden):
        parted.operating.step_in(conversation, min_)
    parted.operating.step_in(conversation, boss)


def test_earlier_conversations_of_the_citizen_whom_one_serves_now(parted: World) -> None:
    min_ = parted.operator("min", "王敏")
    first = parted.conversation("老早的事", citizen="wechat:o-1")
    parted.clock.advance(timedelta(hours=1))
    assert not sees(parted, first, min_)
    second = parted.conversation("今天的事", citizen="wechat:o-1")
    number = parted.operating.step_in(second, min_)
    assert sees(parted, first, min_)
    parted.rights.open(first, min_)
    parted.rights.open(second, min_)
    with parted.store.read() as session:
        looked = select(AuditRow.subject).where(AuditRow.action == "handoff.look")
        assert list(session.scalars(looked)) == [first]  # into what is not hers
    parted.operating.close(number, min_, "solved")
    assert not sees(parted, first, min_)
    caller = parted.phoning.open(min_, "13812345678")
    parted.operating.close(parted.handoff(caller), min_, "solved")
    jun = parted.operator("jun", "李军")
    assert not sees(parted, caller, jun)
    parted.phoning.open(jun, "138 1234 5678")
    assert sees(parted, caller, jun)


def test_the_citizen_is_addressed_as_the_operator_noted(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    number = world.operating.step_in(world.conversation(), min_)
    world.noting.address(number, min_, "  李 女士 ")
    [mine] = world.reading.lists(min_).mine
    assert mine.salutation == "李 女士"
    with pytest.raises(Conflict):
        world.noting.address(number, jun, "王先生")
    with pytest.raises(InvalidInput):
        world.noting.address(number, min_, "很" * 21)


def test_with_the_conversation_goes_what_the_desk_kept_of_the_citizen(world: World) -> None:
    min_ = world.operator("min", "王敏")
    caller = world.phoning.open(min_, "13812345678")
    number = world.handoff(caller)
    world.phoning.said(number, min_, "我叫王小明，路灯坏了")
    world.noting.note(number, min_, "王小明很着急")
    world.noting.address(number, min_, "王先生")
    world.noting.tag(number, min_, ["王小明"])
    world.operating.close(number, min_, "solved")
    kept = world.conversation()
    held = world.operating.step_in(kept, min_)
    world.noting.note(held, min_, "还在办")
    world.clock.advance(timedelta(days=31))
    assert ConversationRetention(world.store, world.clock, 30, forget).tidy() == 1
    with world.store.read() as session:
        row = session.get_one(HandoffRow, number)
        assert (row.text, row.salutation, row.caller, row.caller_index, row.tags) == ("", "", None, None, [])
        assert row.outcome == "solved"  # the figures stay true
        assert list(session.scalars(select(NoteRow.text))) == ["还在办"]
