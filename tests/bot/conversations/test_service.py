"""Taking messages in once, the numbered log, and focus, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.clock import FixedClock
from bot.conversations.model import Focus, Reply
from bot.conversations.service import LEASE, ConversationService, conversation_of
from bot.errors import Conflict, InvalidInput, NotFound
from bot.settings import Settings
from bot.store import Store

REPLY = Reply("smalltalk", ({"kind": "text", "text": "您好"},), confidence=0.9)


@pytest.fixture
def service(any_store: Store, clock: FixedClock) -> ConversationService:
    return ConversationService(any_store, clock, Settings(session_turns=4))


def test_one_turn_is_logged_with_its_reply_and_focus(service: ConversationService) -> None:
    turn = service.begin(None, "m1", "你好", "api")
    assert (turn.state, turn.reply, turn.focus) == ("mine", None, Focus())
    assert len(turn.conversation_id) >= 30
    events = service.finish(turn, REPLY, Focus(matter="YS1", turns=("你好",)))
    assert [e.number for e in events] == [2]
    log = service.events(turn.conversation_id)
    assert [(e.number, e.kind) for e in log] == [(1, "citizen"), (2, "bot")]
    assert log[0].payload["text"] == "你好"
    assert log[1].payload["messages"] == [{"kind": "text", "text": "您好"}]
    assert service.focus(turn.conversation_id).matter == "YS1"
    assert [e.number for e in service.events(turn.conversation_id, after=1)] == [2]


def test_the_same_message_is_answered_with_the_same_reply(service: ConversationService) -> None:
    turn = service.begin(None, "m1", "你好", "api")
    assert service.begin(None, "m1", "你好", "api").state == "busy"
    service.finish(turn, REPLY, Focus())
    for conversation in (None, turn.conversation_id):
        again = service.begin(conversation, "m1", "你好", "api")
        assert (again.state, again.reply, again.conversation_id) == ("answered", REPLY, turn.conversation_id)
    assert len(service.events(turn.conversation_id)) == 2
    assert service.finish(turn, REPLY, Focus(matter="other")) == []


def test_an_identifier_belongs_to_one_text(service: ConversationService) -> None:
    turn = service.begin(None, "m1", "你好", "api")
    service.finish(turn, REPLY, Focus())
    with pytest.raises(Conflict):
        service.begin(turn.conversation_id, "m1", "别的话", "api")


def test_two_people_with_one_short_identifier_stay_apart(service: ConversationService) -> None:
    mine = service.begin(None, "1", "你好", "api", origin="10.0.0.1")
    yours = service.begin(None, "1", "你好", "api", origin="10.0.0.2")
    assert mine.conversation_id != yours.conversation_id
    moved = "5f1c0d4e8a2b4c6d9e0f"
    first = service.begin(None, moved, "你好", "api", origin="10.0.0.1")
    service.finish(first, REPLY, Focus())
    assert service.begin(None, moved, "你好", "api", origin="10.9.9.9").conversation_id == first.conversation_id


def test_the_same_message_at_once_opens_one_conversation(service: ConversationService) -> None:
    with ThreadPoolExecutor(6) as pool:
        turns = list(pool.map(lambda _: service.begin(None, "same-message-0001", "你好", "api"), range(6)))
    assert sorted(t.state for t in turns) == ["busy"] * 5 + ["mine"]
    assert len({t.conversation_id for t in turns}) == 1
    assert len(service.events(turns[0].conversation_id)) == 1


def test_events_are_numbered_without_gaps_under_concurrency(service: ConversationService, clock: FixedClock) -> None:
    conversation = service.begin(None, None, "开始", "api").conversation_id
    clock.advance(LEASE)

    def turn(number: int) -> None:
        taken = service.begin(conversation, f"m{number}", f"第{number}句", "api")
        while taken.state == "busy":
            taken = service.begin(conversation, f"m{number}", f"第{number}句", "api")
        service.finish(taken, REPLY, Focus())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(turn, range(8)))
    numbers = [e.number for e in service.events(conversation)]
    assert numbers == list(range(1, 18))


def test_one_turn_at_a_time_and_a_dead_one_is_taken_over(service: ConversationService, clock: FixedClock) -> None:
    dead = service.begin(None, "m1", "你好", "api")
    assert service.begin(dead.conversation_id, "m2", "在吗", "api").state == "busy"
    clock.advance(LEASE + timedelta(seconds=1))
    again = service.begin(None, "m1", "你好", "api")
    assert (again.state, again.id) == ("mine", dead.id)
    service.abandon(again)
    assert service.begin(dead.conversation_id, "m2", "在吗", "api").state == "mine"
    assert [e.kind for e in service.events(dead.conversation_id)] == ["citizen", "citizen"]


def test_sessions_in_rasa_are_bounded(service: ConversationService) -> None:
    turn = service.begin(None, None, "1", "api")
    senders = [turn.sender]
    for number in range(2, 10):
        service.finish(turn, REPLY, Focus(matter="YS1"))
        turn = service.begin(turn.conversation_id, None, str(number), "api")
        senders.append(turn.sender)
    assert [s.rpartition(".")[2] for s in senders] == ["0"] * 4 + ["1"] * 4 + ["2"]
    assert {conversation_of(s) for s in senders} == {turn.conversation_id}
    assert turn.focus.matter == "YS1"


@pytest.mark.parametrize(
    ("text", "code"), [("", "blank_text"), (" \n\t\u200b\x00", "blank_text"), ("长" * 2001, "text_too_long")]
)
def test_bad_texts_are_refused_with_a_remedy(service: ConversationService, text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        service.begin(None, None, text, "api")
    assert refusal.value.code == code
    assert refusal.value.remedy


def test_control_characters_are_dropped_and_emoji_kept(service: ConversationService) -> None:
    turn = service.begin(None, None, "身份\x00证\x1b[31m丢了\ud800 👨‍👩‍👧 \u202e", "api")
    assert turn.text == "身份证[31m丢了 👨‍👩‍👧"
    assert service.events(turn.conversation_id)[0].payload["text"] == turn.text


def test_an_unknown_conversation_is_not_found(service: ConversationService) -> None:
    for use in (
        lambda: service.begin("nobody", None, "你好", "api"),
        lambda: service.events("nobody"),
    ):
        with pytest.raises(NotFound) as refusal:
            use()
        assert refusal.value.code == "conversation_not_found"
    assert service.focus("nobody") == Focus()


def test_the_log_survives_a_restart(any_store: Store, clock: FixedClock) -> None:
    first = ConversationService(any_store, clock, Settings())
    turn = first.begin(None, None, "你好", "api")
    first.finish(turn, REPLY, Focus(matter="YS1"))
    second = ConversationService(Store(any_store.engine, clock), clock, Settings())
    assert len(second.events(turn.conversation_id)) == 2
    assert second.focus(turn.conversation_id) == Focus(matter="YS1")
    assert second.reply_of(turn.id) == REPLY


def test_a_citizens_conversation_is_known_to_him_alone(service: ConversationService) -> None:
    mine = service.begin(None, None, "你好", "wechat", citizen="wechat:o1")
    service.abandon(mine)
    assert mine.speaker.citizen == "wechat:o1"
    assert service.standing(mine.conversation_id)[1] == mine.speaker
    for other in (None, "wechat:o2"):
        with pytest.raises(NotFound):
            service.begin(mine.conversation_id, None, "你好", "wechat", citizen=other)
    assert service.begin(mine.conversation_id, None, "你好", "wechat", citizen="wechat:o1").state == "mine"


def test_the_address_of_who_talks_is_kept_as_a_digest(service: ConversationService) -> None:
    turn = service.begin(None, None, "你好", "api", origin="203.0.113.7")
    assert turn.speaker.origin
    assert "203.0.113.7" not in turn.speaker.origin
    service.abandon(turn)
    again = service.begin(turn.conversation_id, None, "你好", "api", origin="203.0.113.8")
    assert again.speaker.origin not in ("", turn.speaker.origin)
