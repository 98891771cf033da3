"""The desk over real databases: calling, taking by many at once, talking, handing on, the watch, messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.conversations.holding import Holder
from bot.errors import Conflict, InvalidInput, NotFound
from bot.handoff.model import Ask, Nobody, Place, Reason
from bot.people.model import Account
from bot.store import outbox
from bot.store.audit import first_break
from tests.bot.handoff.conftest import World


def test_a_call_from_asking_to_closing(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    assert world.call(conversation) == Place(1, 2)
    assert world.call(conversation) == Place(1, 2)  # asked again: the same call
    [waiting] = world.reading.lists(min_).offered
    world.operating.take(waiting.call.id, min_)
    world.clock.advance(timedelta(seconds=40))
    world.operating.reply(waiting.call.id, min_, "您好，我来帮您。")
    assert world.says(conversation, "谢谢，还要照片吗") is Holder.PERSON
    [mine] = world.reading.lists(min_).mine
    assert (mine.unread, mine.call.first_reply_at) == (1, world.clock.now())
    world.noting.note(mine.call.id, min_, "市民年纪大，说慢点。")
    world.operating.close(mine.call.id, min_, "solved")
    assert world.log(conversation) == [
        "citizen", "bot", "holder:ask", "holder:take", "person", "citizen", "holder:close", "bot",
    ]  # fmt: skip
    thread = world.reading.thread(conversation)
    assert thread.handoff is not None
    assert (thread.handoff.state, thread.handoff.outcome, thread.holder) == ("done", "solved", "closed")
    assert [note.text for note in thread.notes] == ["市民年纪大，说慢点。"]
    assert "说慢点" not in repr(world.conversations.events(conversation))
    assert conversation in world.news
    with world.store.read() as session:
        assert first_break(session) is None


def test_of_ten_who_take_at_once_one_gets_it_and_nine_are_told_who(world: World) -> None:
    operators = [world.operator(f"op-{i}", f"坐席{i}") for i in range(10)]
    conversation = world.conversation()
    world.call(conversation)
    number = world.handoff(conversation)

    def take(operator: Account) -> str:
        try:
            world.operating.take(number, operator)
        except Conflict as refusal:
            return refusal.message
        return operator.display_name

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(take, operators))
    [winner] = [name for name in told if name.startswith("坐席")]
    assert sorted(told) == sorted([winner, *[f"这个对话已由{winner}接走。"] * 9])
    assert world.log(conversation).count("holder:take") == 1


def test_an_operator_has_no_more_than_he_may(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversations = [world.conversation(f"问题{i}") for i in range(world.desk.limits.parallel + 2)]
    for conversation in conversations[:-1]:
        world.call(conversation)
    for conversation in conversations[:-2]:
        world.operating.take(world.handoff(conversation), min_)
    with pytest.raises(Conflict) as refusal:
        world.operating.take(world.handoff(conversations[-2]), min_)
    assert refusal.value.code == "too_many_conversations"
    world.call(conversations[-1], urgent=True)
    world.operating.take(world.handoff(conversations[-1]), min_)  # danger is taken all the same


def test_outside_office_hours_and_with_nobody_there_nothing_waits(world: World) -> None:
    conversation = world.conversation()
    ask = Ask(conversation, Reason.ASKED, "转人工")
    assert world.calls.call(ask) == Nobody(None)
    min_ = world.operator("min", "王敏")
    world.clock.advance(timedelta(hours=2, minutes=15))  # lunch
    world.presences.set(min_, "online")
    found = world.calls.call(ask)
    assert isinstance(found, Nobody)
    assert found.opens is not None
    assert f"{found.opens:%H:%M}" == "13:30"
    assert isinstance(world.calls.call(Ask(conversation, Reason.DANGER, "着火了", urgent=True)), Place)


def test_an_operator_whose_desk_is_closed_is_not_there(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    world.clock.advance(timedelta(seconds=46))
    assert world.calls.call(Ask(conversation, Reason.ASKED, "转人工")) == Nobody(None)
    world.presences.beat(min_)
    assert isinstance(world.calls.call(Ask(conversation, Reason.ASKED, "转人工")), Place)


def test_opening_the_desk_for_the_first_time_counts_as_away(world: World) -> None:
    min_ = world.operator("min", "王敏", online=False)
    world.presences.beat(min_)
    assert [each.presence for each in world.reading.lists(min_).colleagues] == ["away"]
    with pytest.raises(InvalidInput):
        world.presences.set(min_, "asleep")


def test_a_message_is_answered_in_the_conversation_which_the_assistant_keeps(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation(citizen="wechat:openid-1")
    due = world.calls.leave_message(Ask(conversation, Reason.ASKED, "孩子户口的事"))
    assert due is not None
    assert f"{due.at:%m-%d %H:%M}" == "11-23 15:30"  # four hours of work, with lunch between them
    world.calls.leave_message(Ask(conversation, Reason.ASKED, "电话打不通"))
    [message] = world.reading.lists(min_).messages
    assert message.text == "孩子户口的事\n电话打不通"
    world.operating.take(message.call.id, min_)
    assert world.says(conversation, "对了", "wechat:openid-1") is Holder.BOT
    number = world.operating.reply(message.call.id, min_, "已经查到，请带出生证明来。", "r1")
    assert world.operating.reply(message.call.id, min_, "已经查到，请带出生证明来。", "r1") == number
    assert world.reading.lists(min_).mine == []
    with world.store.read() as session:
        [sent] = [each for each in outbox.unfinished(session) if each.topic == "handoff.reply"]
    assert sent.payload == {"conversation_id": conversation, "event": number}


def test_handed_on_with_a_note_and_taken_by_the_colleague(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    conversation = world.conversation()
    world.call(conversation)
    number = world.handoff(conversation)
    world.operating.take(number, min_)
    with pytest.raises(InvalidInput):
        world.operating.transfer(number, min_, "  ", to=jun.id)
    with pytest.raises(InvalidInput):
        world.operating.transfer(number, min_, "给自己", to=min_.id)
    with pytest.raises(InvalidInput):
        world.operating.transfer(number, min_, "没有这个队列", queue="nowhere")
    world.operating.transfer(number, min_, "市民要问户口，您熟。", to=jun.id)
    assert world.reading.lists(jun).offered[0].wanted_id == jun.id
    with pytest.raises(Conflict):
        world.operating.reply(number, min_, "我再说一句")
    world.operating.take(number, jun)
    world.operating.reply(number, jun, "您好。")
    assert [note.kind for note in world.reading.thread(conversation).notes] == ["transfer"]
    assert world.log(conversation)[2:] == ["holder:ask", "holder:take", "holder:requeue", "holder:take", "person"]


def test_returned_with_a_matter_the_assistant_knows_what_it_is_about(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    number = world.operating.step_in(conversation, min_)
    world.operating.give_back(number, min_, "YS00103")
    assert world.conversations.focus(conversation).matter == "YS00103"
    assert world.says(conversation, "那多少钱") is Holder.BOT
    with pytest.raises(Conflict):
        world.operating.give_back(number, min_)
    with pytest.raises(InvalidInput):
        world.operating.close(number, min_, "whatever")


def test_the_desk_lists_whom_the_assistant_talks_to(world: World) -> None:
    min_ = world.operator("min", "王敏")
    world.conversation("昨天的")
    world.clock.advance(timedelta(minutes=16))
    world.conversation("刚才的")
    assert [each.text for each in world.reading.lists(min_).talking] == ["刚才的"]


def test_nobody_steps_into_what_another_has(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    conversation = world.conversation()
    world.operating.step_in(conversation, min_)
    with pytest.raises(Conflict):
        world.operating.step_in(conversation, jun)
    with pytest.raises(NotFound):
        world.operating.step_in("nowhere", jun)


def test_a_silent_operator_is_asked_and_then_the_conversation_goes_back(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    world.call(conversation)
    number = world.handoff(conversation)
    world.operating.take(number, min_)

    def later(minutes: int) -> None:
        world.clock.advance(timedelta(minutes=minutes))
        world.presences.beat(min_)
        world.watch.run(world.clock.now())
        world.watch.run(world.clock.now())  # a second look does nothing twice

    later(8)
    assert [note.kind for note in world.reading.thread(conversation).notes] == ["system"]
    later(3)
    assert world.log(conversation)[-1] == "holder:take"
    later(1)
    assert world.log(conversation)[-2:] == ["holder:requeue", "notice"]  # and where he stands now
    assert [each.call.id for each in world.reading.lists(min_).offered] == [number]
    assert world.says(conversation, "有人吗") is Holder.WAITING


def test_an_operator_who_is_gone_loses_the_conversation_and_its_history_stays(world: World) -> None:
    min_, jun = world.operator("min", "王敏"), world.operator("jun", "李军")
    conversation = world.conversation()
    world.call(conversation)
    number = world.handoff(conversation)
    world.operating.take(number, min_)
    world.operating.reply(number, min_, "您好。")
    world.clock.advance(timedelta(minutes=3))
    world.presences.beat(jun)
    world.watch.run(world.clock.now())
    assert world.log(conversation)[-1] == "holder:requeue"
    world.operating.take(number, jun)
    assert [event.kind for event in world.reading.thread(conversation).events][:2] == ["citizen", "bot"]


def test_who_waits_hears_when_he_moves_up(world: World) -> None:
    min_ = world.operator("min", "王敏")
    first, second = world.conversation("甲"), world.conversation("乙")
    world.call(first)
    assert world.call(second).position == 2
    world.watch.run(world.clock.now())
    assert "notice" not in world.log(second)
    world.operating.take(world.handoff(first), min_)
    world.watch.run(world.clock.now())
    world.watch.run(world.clock.now())
    assert world.log(second).count("notice") == 1


def test_where_nobody_will_come_the_assistant_takes_over_and_offers_a_message(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation(citizen="wechat:openid-1")
    world.call(conversation)
    world.presences.set(min_, "offline")
    world.watch.run(world.clock.now())
    assert world.reading.thread(conversation).holder == "waiting"
    world.clock.advance(timedelta(minutes=5))
    world.watch.run(world.clock.now())
    thread = world.reading.thread(conversation)
    assert thread.holder == "bot"
    assert "12345" in thread.events[-1].payload["messages"][0]["text"]
    skill = world.conversations.focus(conversation).skill
    assert skill is not None
    assert skill.name == "handoff"
    with world.store.read() as session:  # and hears it where he is
        assert [each.topic for each in outbox.unfinished(session)] == ["handoff.reply"]


def test_who_waits_may_stop_waiting(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    world.call(conversation)
    number = world.handoff(conversation)
    assert world.calls.withdraw(conversation)
    assert not world.calls.withdraw(conversation)
    with pytest.raises(Conflict) as refusal:
        world.operating.take(number, min_)
    assert refusal.value.code == "handoff_done"


def test_bad_replies_say_what_is_wrong(world: World) -> None:
    min_ = world.operator("min", "王敏")
    number = world.operating.step_in(world.conversation(), min_)
    with pytest.raises(InvalidInput):
        world.operating.reply(number, min_, " \n ")
    with pytest.raises(InvalidInput):
        world.operating.reply(number, min_, "长" * 2001)
    with pytest.raises(NotFound):
        world.operating.take(999, min_)


def test_what_did_not_arrive_is_told_to_who_has_the_conversation(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation(citizen="wechat:o-1")
    world.operating.step_in(conversation, min_)
    before = world.reading.snapshots().of(min_)
    world.news.clear()
    world.watch.not_delivered(conversation, "对方 48 小时没有来消息", world.clock.now())
    assert "没有送到市民：对方 48 小时没有来消息" in world.reading.thread(conversation).notes[-1].text
    assert world.reading.snapshots().of(min_) != before  # his page draws the thread anew
    assert conversation in world.news
    world.watch.not_delivered("nowhere", "没有这个对话", world.clock.now())


def test_the_watch_tells_the_gateways_what_it_changed(world: World) -> None:
    min_ = world.operator("min", "王敏")
    conversation = world.conversation()
    world.operating.step_in(conversation, min_)
    world.news.clear()
    world.watch.run(world.clock.now())
    assert not world.news  # nothing was due
    world.clock.advance(timedelta(minutes=5))
    world.watch.run(world.clock.now())
    assert conversation in world.news  # he is gone: it is in the queue again
