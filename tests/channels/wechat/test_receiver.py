"""The inbox under retries, slow answers, restarts and two processes: one answer each, by one way, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.store import Store
from bot.wechat import inbox, repository
from bot.wechat.model import SILENCE, Answer, Message, identity
from channels.metrics import Metrics
from channels.wechat.batching import Batches
from channels.wechat.client import WeChatClient
from channels.wechat.faults import InDoubt, NotDone, Rejected
from channels.wechat.receiver import Receiver
from channels.wechat.sending import Sender
from channels.wechat.words import say
from tests.bot.conftest import any_empty_engine, any_engine, any_store

__all__ = ["any_empty_engine", "any_engine", "any_store"]

HOTLINE = "12345"
LONG = 30.0
"""Seconds that no machine is late by: what a test says is in time is."""
Reply = Callable[[Message], Awaitable[Answer]]


@dataclass
class Answerer:
    """Answers when its gate is open; counts who was answered in which order."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    reply: Callable[[Message], Answer] = lambda message: Answer((f"答{message.fields['Content']}",))

    async def answer(self, message: Message, key: str) -> Answer:
        self.begun.append(message.fields.get("Content", message.event))
        await self.gate.wait()
        return self.reply(message)


class Outbound:
    """The platform's end of customer-service messages: what arrives, or how it fails."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.faults: list[Exception] = []
        self.news = asyncio.Event()

    async def send_text(self, openid: str, text: str) -> None:
        self.news.set()
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append((openid, text))

    async def send_menu(self, openid: str, menu: Any) -> None:
        await self.send_text(openid, menu["head_content"])


@dataclass
class Process:
    """One gateway's inbox."""

    receiver: Receiver
    answerer: Answerer
    outbound: Outbound

    async def post(self, message: Message) -> str | None:
        return await self.receiver.receive(message, asyncio.get_running_loop().time())

    async def post_late(self, message: Message) -> str | None:
        """A post whose time is up when the message is stored, however long that takes: tried until then."""
        not_stored = say("citizen.busy", hotline=HOTLINE)
        while (reply := await self.receiver.receive(message, asyncio.get_running_loop().time() - LONG)) == not_stored:
            await asyncio.sleep(0.01)
        return reply


@asynccontextmanager
async def process(
    store: Store,
    clock: FixedClock,
    owner: str,
    *,
    can_send: bool = True,
    answerer: Answerer | None = None,
    outbound: Outbound | None = None,
) -> AsyncIterator[Process]:
    answering, out = answerer or Answerer(), outbound or Outbound()
    batches, metrics = Batches(store), Metrics()
    client: WeChatClient = out  # type: ignore[assignment]  # the end that the platform would be
    sender = Sender(batches, client, clock, owner, metrics) if can_send else None
    receiver = Receiver(batches, answering, sender, clock, metrics, HOTLINE, owner=owner, budget=LONG)
    receiver.start()
    try:
        yield Process(receiver, answering, out)
    finally:
        await receiver.close()


def text(content: str, number: int = 0, openid: str = "o1", at: FixedClock | None = None) -> Message:
    sent_at = int(at.now().timestamp()) if at else 1
    return Message(
        "text", openid, "gh", sent_at, str(number or abs(hash(content)) % 10**9), fields={"Content": content}
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not condition():
            await asyncio.sleep(0.01)


def row_of(store: Store, message: Message) -> Any:
    with store.read() as session:
        return repository.message_of(session, identity(message))


async def test_an_answer_in_time_is_the_reply_and_copies_get_the_same(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a") as one:
        one.answerer.gate.set()
        message = text("一", at=clock)
        replies = await asyncio.gather(*(one.post(message) for _ in range(5)))
        assert replies == ["答一"] * 5
        assert await one.post(message) == "答一"
        assert one.answerer.begun == ["一"]
        assert one.outbound.sent == []
        assert row_of(any_store, message).delivery == "passive"


async def test_a_late_answer_comes_once_by_message_and_never_as_a_reply(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a") as one:
        message = text("慢", at=clock)
        first = asyncio.create_task(one.post(message))
        again = asyncio.create_task(one.post(message))
        assert await one.post_late(message) is None
        assert await first is None
        assert await again is None
        assert await one.post(message) is None
        one.answerer.gate.set()
        await until(lambda: row_of(any_store, message).state == "done")
        assert one.outbound.sent == [("o1", "答慢")]
        assert await one.post(message) is None
        assert row_of(any_store, message).delivery == "service"


async def test_messages_of_one_citizen_are_answered_in_order(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a") as one:
        first = asyncio.create_task(one.post(text("一", 1, at=clock)))
        await until(lambda: one.answerer.begun == ["一"])
        second = asyncio.create_task(one.post(text("二", 2, at=clock)))
        other = asyncio.create_task(one.post(text("别人", 3, "o2", at=clock)))
        await until(lambda: one.answerer.begun == ["一", "别人"])
        one.answerer.gate.set()
        assert [await first, await second, await other] == ["答一", "答二", "答别人"]
        assert one.answerer.begun == ["一", "别人", "二"]


async def test_a_killed_process_loses_and_doubles_nothing(any_store: Store, clock: FixedClock) -> None:
    """The first process takes a message in and is never heard of again; the next one answers it."""
    message = text("死", at=clock)
    with any_store.write() as work:
        taken = inbox.take_in(work.session, message, identity(message), "dead", clock.now())
    assert taken.fresh
    async with process(any_store, clock, "b") as two:
        assert await two.post_late(message) is None, "the dead one may still be at work: its lease runs"
        assert two.answerer.begun == []
        clock.advance(inbox.LEASE + timedelta(seconds=1))
        two.answerer.gate.set()
        await until(lambda: row_of(any_store, message).state == "done")
        assert two.answerer.begun == ["死"]
        assert two.outbound.sent == [("o1", "答死")]


async def test_what_was_on_its_way_at_the_kill_is_not_sent_again(any_store: Store, clock: FixedClock) -> None:
    message = text("途", at=clock)
    with any_store.write() as work:
        session, now = work.session, clock.now()
        row = inbox.take_in(session, message, identity(message), "dead", now).id
        inbox.give_up_waiting(session, row, "service", "dead", now)
        inbox.answered(session, row, "dead", Answer(("一", "二")), waited_for=False, now=now)
        assert inbox.begin_part(session, row, "dead", 0, now)
    clock.advance(inbox.LEASE + timedelta(seconds=1))
    async with process(any_store, clock, "b") as two:
        await until(lambda: row_of(any_store, message).state == "done")
        assert two.outbound.sent == [("o1", "二")], "only what nobody had begun to send"


async def test_two_processes_answer_one_message_once(any_engine: Engine, clock: FixedClock) -> None:
    answerer, outbound = Answerer(), Outbound()
    shared = {"answerer": answerer, "outbound": outbound}
    async with (
        process(Store(any_engine, clock), clock, "a", **shared) as one,  # type: ignore[arg-type]
        process(Store(any_engine, clock), clock, "b", **shared) as two,  # type: ignore[arg-type]
    ):
        messages = [text(str(n), n, f"o{n % 3}", at=clock) for n in range(1, 13)]
        posts = [asyncio.create_task(p.post(m)) for m in messages for p in (one, two, one)]
        await until(lambda: len(answerer.begun) >= 3)
        answerer.gate.set()
        replies = await asyncio.gather(*posts)
    assert replies == [f"答{m.fields['Content']}" for m in messages for _ in range(3)]
    assert sorted(answerer.begun, key=int) == [str(n) for n in range(1, 13)]
    for citizen in range(3):
        numbers = [int(each) for each in answerer.begun if int(each) % 3 == citizen]
        assert numbers == sorted(numbers)
    assert outbound.sent == []


async def test_a_refused_message_is_kept_for_the_next_reply(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a") as one:
        one.outbound.faults = [Rejected(45015, "out of time")]
        late = text("迟", 1, at=clock)
        assert await one.post_late(late) is None
        one.answerer.gate.set()
        await until(lambda: row_of(any_store, late).delivery == "held")
        reply = await one.post(text("新", 2, at=clock))
        assert reply == "答迟\n\n答新"
        assert one.outbound.sent == []
        assert row_of(any_store, late).state == "done"


async def test_a_message_in_doubt_is_never_sent_again(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a") as one:
        one.outbound.faults = [InDoubt("no answer")]
        late = text("疑", 1, at=clock)
        assert await one.post_late(late) is None
        one.answerer.gate.set()
        await until(lambda: row_of(any_store, late).state == "done")
        assert row_of(any_store, late).fault == "unsure"
        assert one.outbound.sent == []


async def test_a_message_that_was_not_sent_is_tried_again(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a") as one:
        one.outbound.faults = [NotDone("no connection"), NotDone("no connection")]
        late = text("试", 1, at=clock)
        assert await one.post_late(late) is None
        one.answerer.gate.set()
        for attempt in (1, 2):
            await until(lambda attempt=attempt: row_of(any_store, late).attempts == attempt)  # type: ignore[misc]
            clock.advance(timedelta(minutes=1))
        await until(lambda: row_of(any_store, late).state == "done")
        assert one.outbound.sent == [("o1", "答试")]


async def test_without_a_secret_a_late_answer_waits_for_the_next_message(any_store: Store, clock: FixedClock) -> None:
    async with process(any_store, clock, "a", can_send=False) as one:
        late = text("迟", 1, at=clock)
        assert "还在查" in (await one.post_late(late) or "")
        one.answerer.gate.set()
        await until(lambda: row_of(any_store, late).state == "ready")
        assert await one.post(text("新", 2, at=clock)) == "答迟\n\n答新"


async def test_a_long_answer_goes_on_by_messages(any_store: Store, clock: FixedClock) -> None:
    answerer = Answerer(reply=lambda _: Answer(("一", "二", "三")))
    async with process(any_store, clock, "a", answerer=answerer) as one:
        answerer.gate.set()
        message = text("长", at=clock)
        assert await one.post(message) == "一"
        await until(lambda: row_of(any_store, message).state == "done")
        assert [said for _, said in one.outbound.sent] == ["二", "三"]
        assert await one.post(message) == "一"


async def test_no_more_is_sent_than_the_window_allows(any_store: Store, clock: FixedClock) -> None:
    answerer = Answerer(reply=lambda _: Answer(("一", "二", "三", "四")))
    async with process(any_store, clock, "a", answerer=answerer) as one:
        answerer.gate.set()
        event = Message("event", "o1", "gh", int(clock.now().timestamp()), event="click", fields={"EventKey": "x"})
        assert await one.post(event) == "一"
        await until(lambda: len(one.outbound.sent) == 3)
        clock.advance(timedelta(minutes=2))
        second = Message(
            "event", "o1", "gh", int(clock.now().timestamp()) - 90, event="click", fields={"EventKey": "y"}
        )
        assert await one.post(second) == "一", "a click of long ago opens nothing"
        await until(lambda: row_of(any_store, second).delivery == "held")
        assert len(one.outbound.sent) == 3


async def test_silence_is_success_and_sends_nothing(any_store: Store, clock: FixedClock) -> None:
    answerer = Answerer(reply=lambda _: SILENCE)
    async with process(any_store, clock, "a", answerer=answerer) as one:
        answerer.gate.set()
        event = Message("event", "o1", "gh", 1, event="view", fields={"EventKey": "x"})
        assert await one.post(event) is None
        assert row_of(any_store, event).state == "done"


async def test_a_fault_in_the_answer_is_said_and_the_next_message_is_answered(
    any_store: Store, clock: FixedClock
) -> None:
    def break_once(message: Message) -> Answer:
        if message.fields["Content"] == "坏":
            raise ZeroDivisionError
        return Answer(("好",))

    async with process(any_store, clock, "a", answerer=Answerer(reply=break_once)) as one:
        one.answerer.gate.set()
        assert "没有处理成功" in (await one.post(text("坏", 1, at=clock)) or "")
        assert await one.post(text("行", 2, at=clock)) == "好"


async def test_messages_too_old_are_closed_and_old_ones_removed(store: Store, clock: FixedClock) -> None:
    with store.write() as work:
        message = text("旧", at=clock)
        inbox.take_in(work.session, message, identity(message), "dead", clock.now())
    clock.advance(timedelta(hours=49))
    with store.write() as work:
        assert inbox.tidy(work.session, clock.now()) == (1, 0)
    clock.advance(timedelta(days=3))
    with store.write() as work:
        assert inbox.tidy(work.session, clock.now()) == (0, 1)


async def test_a_day_without_a_word_ends_the_conversation(store: Store, clock: FixedClock) -> None:
    for number, kept in ((1, None), (2, "c1"), (3, None)):
        with store.write() as work:
            message = text("话", number, at=clock)
            inbox.take_in(work.session, message, identity(message), "a", clock.now())
            assert inbox.known(work.session, "o1").conversation_id == kept
            inbox.remember(work.session, "o1", clock.now(), conversation_id="c1")
        clock.advance(timedelta(hours=11 if number == 1 else 12))


@pytest.mark.parametrize("waiting", [3])
async def test_under_overload_posts_are_let_go_at_once(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, waiting: int
) -> None:
    monkeypatch.setattr("channels.wechat.receiver.MOST_WAITING", waiting)
    async with process(store, clock, "a") as one:
        held = [asyncio.create_task(one.post(text(str(n), n, f"o{n}", at=clock))) for n in range(1, waiting + 1)]
        await until(lambda: len(one.answerer.begun) == waiting)
        assert await one.post(text("多", 99, "o99", at=clock)) is None
        one.answerer.gate.set()
        assert all([await each for each in held])
        await until(lambda: one.outbound.sent == [("o99", "答多")])
