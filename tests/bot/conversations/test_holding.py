"""Who holds a conversation: every way through the machine, and the assistant's silence while a person has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import FixedClock
from bot.conversations import repository
from bot.conversations.holding import Holder, HoldingAct, after
from bot.conversations.model import Focus, Reply, Turn
from bot.conversations.moving import move, say
from bot.conversations.service import ConversationService
from bot.errors import Conflict
from bot.settings import Settings
from bot.store import Store

REPLY = Reply("answered", ({"kind": "text", "text": "要带身份证。"},), matter="YS1", confidence=0.9)


@pytest.fixture
def service(any_store: Store, clock: FixedClock) -> ConversationService:
    return ConversationService(any_store, clock, Settings())


def moved(store: Store, turn: Turn, *acts: HoldingAct, said: str = "") -> None:
    with store.write() as work:
        row = repository.locked_conversation(work.session, turn.conversation_id)
        assert row is not None
        for act in acts:
            move(work.session, row, act, store.clock.now())
        if said:
            say(work.session, row, said, "王敏", store.clock.now())


@given(st.lists(st.sampled_from(HoldingAct), max_size=40))
def test_nobody_has_it_who_did_not_take_it_and_it_never_gets_stuck(acts: list[HoldingAct]) -> None:
    holder = Holder.BOT
    for act in acts:
        before = holder
        try:
            holder = after(holder, act)
        except Conflict:
            continue
        if holder is Holder.PERSON:
            assert act in (HoldingAct.TAKE, HoldingAct.STEP_IN)
        if holder is Holder.CLOSED:
            assert before is Holder.PERSON
    back = {
        Holder.BOT: [],
        Holder.WAITING: [HoldingAct.WITHDRAW],
        Holder.PERSON: [HoldingAct.GIVE_BACK],
        Holder.CLOSED: [HoldingAct.REOPEN],
    }
    for act in back[holder]:
        holder = after(holder, act)
    assert holder is Holder.BOT


def test_an_answer_made_while_a_person_spoke_is_dropped(service: ConversationService, any_store: Store) -> None:
    turn = service.begin(None, "m1", "身份证要带什么", "api")
    moved(any_store, turn, HoldingAct.STEP_IN, said="您好，我来帮您。")
    assert service.finish(turn, REPLY, Focus(matter="YS1")) == []
    moved(any_store, turn, HoldingAct.GIVE_BACK)
    events = service.events(turn.conversation_id)
    assert [event.kind for event in events] == ["citizen", "holder", "person", "holder"]
    assert [event.number for event in events] == [1, 2, 3, 4]
    reply = service.reply_of(turn.id)
    assert reply is not None
    assert (reply.outcome, reply.messages) == ("handoff", ())
    assert service.focus(turn.conversation_id).matter is None


def test_an_answer_is_dropped_even_where_the_person_is_gone_again(
    service: ConversationService, any_store: Store
) -> None:
    turn = service.begin(None, "m1", "身份证要带什么", "api")
    moved(any_store, turn, HoldingAct.STEP_IN, said="您好。")
    moved(any_store, turn, HoldingAct.GIVE_BACK)
    assert service.finish(turn, REPLY, Focus()) == []


def test_words_to_a_person_are_kept_and_wait_for_nothing(service: ConversationService, any_store: Store) -> None:
    first = service.begin(None, "m1", "身份证要带什么", "api")
    moved(any_store, first, HoldingAct.STEP_IN)
    second = service.begin(first.conversation_id, "m2", "在吗", "api")
    assert (second.state, second.holder) == ("mine", Holder.PERSON)
    third = service.begin(first.conversation_id, "m3", "喂", "api")
    assert third.state == "mine"
    again = service.begin(first.conversation_id, "m3", "喂", "api")
    assert again.id == third.id
    assert [e.payload["text"] for e in service.events(first.conversation_id) if e.kind == "citizen"] == [
        "身份证要带什么",
        "在吗",
        "喂",
    ]


def test_after_the_return_the_assistant_speaks_again(service: ConversationService, any_store: Store) -> None:
    first = service.begin(None, "m1", "你好", "api")
    moved(any_store, first, HoldingAct.STEP_IN, said="您好。")
    service.finish(first, REPLY, Focus())
    moved(any_store, first, HoldingAct.GIVE_BACK)
    second = service.begin(first.conversation_id, "m2", "身份证要带什么", "api")
    assert second.holder is Holder.BOT
    [event] = service.finish(second, REPLY, Focus(matter="YS1"))
    assert event.kind == "bot"


def test_a_closed_conversation_opens_again_at_the_citizens_next_word(
    service: ConversationService, any_store: Store
) -> None:
    first = service.begin(None, "m1", "你好", "api")
    moved(any_store, first, HoldingAct.STEP_IN, HoldingAct.CLOSE)
    service.finish(first, REPLY, Focus())
    second = service.begin(first.conversation_id, "m2", "还有个事", "api")
    assert second.holder is Holder.BOT
    acts = [e.payload["act"] for e in service.events(first.conversation_id) if e.kind == "holder"]
    assert acts == ["step_in", "close", "reopen"]


def test_of_two_who_read_the_same_version_one_is_refused(service: ConversationService, any_store: Store) -> None:
    turn = service.begin(None, "m1", "你好", "api")
    with any_store.read() as session:
        stale = repository.conversation(session, turn.conversation_id)
        assert stale is not None
        session.expunge(stale)
    moved(any_store, turn, HoldingAct.STEP_IN)
    with pytest.raises(Conflict), any_store.write() as work:
        repository.set_holder(work.session, stale, Holder.WAITING)
