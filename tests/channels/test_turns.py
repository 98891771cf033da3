"""A turn from beginning to end: with Rasa's answer, without Rasa, sent twice, sent at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
import structlog

from actions.base import DELIVERED, packed
from bot.answers.phrases import Phrases
from bot.clock import FixedClock
from bot.conversations.assistant import Assistant
from bot.conversations.delivery import Deliveries
from bot.conversations.model import Focus, Reply
from bot.conversations.service import ConversationService
from bot.errors import InvalidInput, Unavailable
from bot.settings import Settings
from bot.store import Store
from bot.workdays import WorkCalendar
from channels.turns import Said, Turns
from tests.bot.conversations.city import City, PairFinder

PHRASES = Phrases("云山市", "12345")


class Rasa:
    """A stand-in server: answers by ``answer`` and remembers what it was asked."""

    def __init__(self, answer: Callable[[str], Awaitable[list[dict[str, Any]]]]) -> None:
        self._answer = answer
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    async def turn(self, conversation_id: str, text: str, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.asked.append((conversation_id, text, metadata))
        return await self._answer(text)


async def hello(_: str) -> list[dict[str, Any]]:
    return [
        packed(Reply("smalltalk", ({"kind": "text", "text": "您好"},), confidence=0.9), Focus(matter="YS00103"), "t")
    ]


async def down(_: str) -> list[dict[str, Any]]:
    raise Unavailable("Rasa 没有回答。")


async def silent(_: str) -> list[dict[str, Any]]:
    return []


async def nonsense(_: str) -> list[dict[str, Any]]:
    return [{"text": "hi"}]


@pytest.fixture
def conversations(store: Store, clock: FixedClock) -> ConversationService:
    return ConversationService(store, clock, Settings())


@pytest.fixture
def make(conversations: ConversationService, clock: FixedClock) -> Callable[..., Turns]:
    finder = PairFinder()
    assistant = Assistant(lambda: finder, City(), WorkCalendar(), PHRASES)

    def turns(dialogue: Rasa | None, announce: Callable[[str], None] = lambda _: None) -> Turns:
        return Turns(conversations, assistant, dialogue, clock, PHRASES, announce)

    return turns


async def test_rasas_reply_is_written_down_and_announced(
    make: Callable[..., Turns], conversations: ConversationService
) -> None:
    news: list[str] = []
    rasa = Rasa(hello)
    answered = await make(rasa, news.append).take_turn(Said("你好"), "api")
    assert answered.to_dict()["conversation_id"] == answered.conversation_id
    assert not answered.reply.limited
    assert news == [answered.conversation_id] * 2
    [(sender, text, metadata)] = rasa.asked
    assert (sender, text) == (f"{answered.conversation_id}.0", "你好")
    assert metadata["turn_id"]
    assert conversations.focus(answered.conversation_id).matter == "YS00103"
    assert [e.kind for e in conversations.events(answered.conversation_id)] == ["citizen", "bot"]


@pytest.mark.parametrize("answer", [down, silent, nonsense])
async def test_without_rasa_the_index_answers_and_says_what_is_limited(
    make: Callable[..., Turns], answer: Callable[[str], Awaitable[list[dict[str, Any]]]]
) -> None:
    answered = await make(Rasa(answer)).take_turn(Said("身份证丢了补办多少钱"), "api")
    reply = answered.reply
    assert (reply.outcome, reply.matter, reply.facets, reply.limited) == ("answered", "YS00103", ("fees",), True)
    assert "40 元/证" in reply.messages[0]["text"]
    assert "暂时不可用" in reply.text


async def test_the_index_looks_while_rasa_reads(conversations: ConversationService, clock: FixedClock) -> None:
    finder = Telling()

    async def slow(_: str) -> list[dict[str, Any]]:
        assert await asyncio.to_thread(finder.looked.wait, 20)  # Rasa has asked for nothing yet
        return await hello(_)

    assistant = Assistant(lambda: finder, City(), WorkCalendar(), PHRASES)
    answered = await Turns(conversations, assistant, Rasa(slow), clock, PHRASES).take_turn(
        Said("身份证丢了补办多少钱"), "api"
    )
    assert not answered.reply.limited


ANSWER = (Reply("smalltalk", ({"kind": "text", "text": "您好"},), confidence=0.9), Focus(matter="YS00103"))


class ActingRasa:
    """A stand-in server whose action runs in this process, and that still has to do afterwards until ``free``."""

    def __init__(self, deliveries: Deliveries, fault: Exception | None = None) -> None:
        self._deliveries, self._fault = deliveries, fault
        self.free = asyncio.Event()
        self.busy = 0
        self.most = 0

    async def turn(self, conversation_id: str, text: str, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.busy += 1
        self.most = max(self.most, self.busy)
        self._deliveries.hand_over(metadata["turn_id"], ANSWER)
        await self.free.wait()
        self.busy -= 1
        if self._fault:
            raise self._fault
        return [dict(DELIVERED)]


@pytest.fixture
def acting(conversations: ConversationService, clock: FixedClock) -> Callable[..., tuple[Turns, ActingRasa]]:
    def pair(fault: Exception | None = None, finder: PairFinder | None = None) -> tuple[Turns, ActingRasa]:
        deliveries, found = Deliveries(), finder or PairFinder()
        assistant = Assistant(lambda: found, City(), WorkCalendar(), PHRASES)
        rasa = ActingRasa(deliveries, fault)
        return Turns(conversations, assistant, rasa, clock, PHRASES, deliveries=deliveries), rasa

    return pair


class Telling(PairFinder):
    """Tells when it is first asked."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Event()

    def find(self, text: str, **context: Any) -> Any:
        self.looked.set()
        return super().find(text, **context)


async def test_an_action_of_this_process_is_not_waited_for_until_rasa_is_done(
    acting: Callable[..., tuple[Turns, ActingRasa]], conversations: ConversationService
) -> None:
    turns, rasa = acting()
    answered = await turns.take_turn(Said("你好"), "api")
    assert answered.reply.text == "您好"
    assert rasa.busy == 1
    assert conversations.focus(answered.conversation_id).matter == "YS00103"
    closing = asyncio.create_task(turns.close())
    rasa.free.set()
    await closing
    assert rasa.busy == 0
    assert len(conversations.events(answered.conversation_id)) == 2


async def test_the_next_message_waits_until_rasa_is_done_with_the_one_before(
    acting: Callable[..., tuple[Turns, ActingRasa]],
) -> None:
    finder = Telling()
    turns, rasa = acting(finder=finder)
    first = await turns.take_turn(Said("你好"), "api")
    second = asyncio.create_task(turns.take_turn(Said("身份证丢了补办多少钱", first.conversation_id), "api"))
    assert await asyncio.to_thread(finder.looked.wait, 20)  # from here on Rasa would be asked at once
    await asyncio.sleep(0)
    assert (rasa.busy, rasa.most) == (1, 1)
    rasa.free.set()
    assert (await second).reply.text == "您好"
    assert rasa.most == 1
    await turns.close()


async def test_what_fails_in_rasa_after_the_answer_is_logged_and_changes_nothing(
    acting: Callable[..., tuple[Turns, ActingRasa]],
) -> None:
    turns, rasa = acting(Unavailable("Rasa 没有回答。"))
    answered = await turns.take_turn(Said("你好"), "api")
    assert not answered.reply.limited
    with structlog.testing.capture_logs() as lines:
        rasa.free.set()
        await turns.close()
        await asyncio.sleep(0)
    assert [line["event"] for line in lines] == ["dialogue_failed_after_answer"]


async def test_a_first_message_is_looked_up_while_it_is_stored(
    conversations: ConversationService, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder, begin = Telling(), conversations.begin

    def slow(*given: Any, **named: Any) -> Any:
        assert finder.looked.wait(20)  # the search does not wait for this
        return begin(*given, **named)

    monkeypatch.setattr(conversations, "begin", slow)
    assistant = Assistant(lambda: finder, City(), WorkCalendar(), PHRASES)
    answered = await Turns(conversations, assistant, Rasa(hello), clock, PHRASES).take_turn(
        Said("身份证丢了补办多少钱"), "api"
    )
    assert answered.reply.text == "您好"


async def test_the_context_lives_on_while_rasa_is_down(make: Callable[..., Turns]) -> None:
    turns = make(None)
    first = await turns.take_turn(Said("身份证丢了补办要带什么"), "api")
    second = await turns.take_turn(Said("那多少钱", first.conversation_id), "api")
    assert (second.reply.matter, second.reply.facets) == ("YS00103", ("fees",))


async def test_a_message_sent_twice_is_answered_twice_and_acted_on_once(
    make: Callable[..., Turns], conversations: ConversationService
) -> None:
    rasa = Rasa(hello)
    turns = make(rasa)
    said = Said("你好", None, "message-0001-0001-0001")
    answers = await asyncio.gather(*(turns.take_turn(said, "api") for _ in range(4)))
    answers.append(await turns.take_turn(said, "api"))
    assert len({a.conversation_id for a in answers}) == 1
    assert len({a.reply.text for a in answers}) == 1
    assert sorted(a.repeated for a in answers) == [False, True, True, True, True]
    assert len(rasa.asked) == 1
    assert len(conversations.events(answers[0].conversation_id)) == 2


async def test_messages_of_one_conversation_wait_for_each_other(
    make: Callable[..., Turns], conversations: ConversationService
) -> None:
    turns = make(Rasa(hello))
    first = await turns.take_turn(Said("你好"), "api")
    await asyncio.gather(*(turns.take_turn(Said(f"第{i}句", first.conversation_id), "api") for i in range(4)))
    kinds = [e.kind for e in conversations.events(first.conversation_id)]
    assert kinds == ["citizen", "bot"] * 5


async def test_a_failed_turn_can_be_sent_again(make: Callable[..., Turns], conversations: ConversationService) -> None:
    class NoCatalogue(Assistant):
        def answer(self, *_: Any) -> Any:
            raise Unavailable("办事指南还没有发布。")

    finder = PairFinder()
    broken = NoCatalogue(lambda: finder, City(), WorkCalendar(), PHRASES)
    failing = Turns(conversations, broken, None, FixedClock(conversations._clock.now()), PHRASES)
    said = Said("身份证丢了补办", None, "message-0001-0001-0001")
    with pytest.raises(Unavailable):
        await failing.take_turn(said, "api")
    answered = await make(None).take_turn(said, "api")
    assert answered.reply.outcome == "answered"
    assert len(conversations.events(answered.conversation_id)) == 2


async def test_bad_input_reaches_nobody(make: Callable[..., Turns]) -> None:
    rasa = Rasa(hello)
    with pytest.raises(InvalidInput):
        await make(rasa).take_turn(Said("   "), "api")
    assert rasa.asked == []


async def test_personal_numbers_stay_out_of_the_logs(make: Callable[..., Turns]) -> None:
    with structlog.testing.capture_logs() as lines:
        await make(Rasa(hello)).take_turn(Said("我电话13800002468，身份证45990219900307123X"), "api")
    logged = repr(lines)
    assert "13800002468" not in logged
    assert "45990219900307123X" not in logged
