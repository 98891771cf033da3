"""Judging: answered once, changed once, by token or in a conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FixedClock
from bot.errors import Conflict, InvalidInput, NotFound
from bot.judgements.model import said_level
from bot.judgements.service import POOR_TOPIC, JudgementService
from bot.store import Store, outbox
from bot.store.sealed import Sealer


@pytest.fixture
def judgements(any_store: Store, clock: FixedClock) -> JudgementService:
    return JudgementService(any_store, clock, Sealer(bytes(32)))


def ask(judgements: JudgementService, store: Store, occasion: str = "finished:1", citizen: str | None = None) -> str:
    with store.write() as work:
        return judgements.ask(
            work,
            subject="case:YS1",
            occasion=occasion,
            title="居住证签注",
            unit="派出所",
            person="李敏",
            citizen=citizen,
        )


def poor(store: Store) -> int:
    with store.read() as session:
        return sum(message.topic == POOR_TOPIC for message in outbox.unfinished(session))


def test_an_answer_counts_and_may_be_changed_once(judgements: JudgementService, any_store: Store) -> None:
    token = ask(judgements, any_store)
    assert judgements.read(token).level is None
    assert judgements.answer(token, 1, comment="等了三次", channel="web").level == 1
    assert judgements.answer(token, 1, channel="web").changed is False  # the same again changes nothing
    changed = judgements.answer(token, 4, channel="web")
    assert (changed.level, changed.changed, changed.comment) == (4, True, "等了三次")
    with pytest.raises(Conflict) as raised:
        judgements.answer(token, 5, channel="web")
    assert raised.value.code == "judgement_changed"
    assert judgements.read(token).level == 4


def test_the_same_occasion_is_asked_once_and_another_anew(judgements: JudgementService, any_store: Store) -> None:
    assert ask(judgements, any_store) == ask(judgements, any_store)
    assert ask(judgements, any_store) != ask(judgements, any_store, "finished:2")


@pytest.mark.parametrize("token", ["", "1", "1.", "1.AAAAAAAAAAAAAAAA", "9" * 50, "１.x"])
def test_a_token_not_made_here_finds_nothing(judgements: JudgementService, any_store: Store, token: str) -> None:
    ask(judgements, any_store)
    with pytest.raises(NotFound):
        judgements.answer(token, 5, channel="web")


def test_levels_are_one_to_five_and_late_answers_are_refused(
    judgements: JudgementService, any_store: Store, clock: FixedClock
) -> None:
    token = ask(judgements, any_store)
    for level in (0, 6, -1):
        with pytest.raises(InvalidInput):
            judgements.answer(token, level, channel="web")
    clock.advance(timedelta(days=30))
    with pytest.raises(Conflict) as raised:
        judgements.answer(token, 5, channel="web")
    assert raised.value.code == "judgement_late"


def test_a_poor_answer_is_left_for_those_who_must_look_into_it(judgements: JudgementService, any_store: Store) -> None:
    judgements.answer(ask(judgements, any_store), 3, channel="web")
    assert poor(any_store) == 0
    judgements.answer(ask(judgements, any_store, "finished:2"), 2, channel="sms")
    assert poor(any_store) == 1


def test_a_citizen_answers_what_was_asked_last(
    judgements: JudgementService, any_store: Store, clock: FixedClock
) -> None:
    ask(judgements, any_store, "accepted", "wechat:wang")
    clock.advance(timedelta(hours=1))
    ask(judgements, any_store, "finished:1", "wechat:wang")
    awaited = judgements.awaited_of("wechat:wang")
    assert awaited is not None
    assert awaited.occasion == "finished:1"
    assert judgements.awaited_of("wechat:li") is None
    with pytest.raises(NotFound):
        judgements.answer_awaited("wechat:li", awaited, 5, channel="wechat")
    assert judgements.answer_awaited("wechat:wang", awaited, 5, channel="wechat").level == 5
    assert judgements.awaited_of("wechat:wang") is None


def test_a_digit_is_an_answer_for_two_days(judgements: JudgementService, any_store: Store, clock: FixedClock) -> None:
    ask(judgements, any_store, "finished:1", "wechat:wang")
    clock.advance(timedelta(hours=49))
    assert judgements.awaited_of("wechat:wang") is None


@pytest.mark.parametrize(
    ("text", "level"),
    [("5", 5), ("５", 5), ("1分", 1), ("给4分吧", 4), ("非常满意", 5), ("不满意。", 2), ("非常不满意！", 1),
     ("6", None), ("15", None), ("满意度怎么查", None), ("第1个", None), ("", None)],
)  # fmt: skip
def test_levels_as_people_write_them(text: str, level: int | None) -> None:
    assert said_level(text) == level
