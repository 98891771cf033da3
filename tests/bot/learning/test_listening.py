"""Which questions of a log belong on the review list, and what comes to be known of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.clock import ZONE
from bot.conversations.model import Event
from bot.learning.listening import missed_in
from bot.learning.model import Cause, Missed

START = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
NAMES = [{"code": "YS0001", "name": "居民身份证丢失补领"}, {"code": "YS0002", "name": "居民身份证有效期满换领"}]


class Log:
    """A log as it grows."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def _add(self, kind: str, payload: dict[str, Any]) -> Log:
        number = len(self.events) + 1
        self.events.append(Event(number, kind, START + timedelta(seconds=number), payload))
        return self

    def asked(self, text: str, outcome: str, matter: str | None = None) -> Log:
        turn = f"t{len(self.events)}"
        self._add("citizen", {"turn_id": turn, "text": text})
        reply = {"turn_id": turn, "outcome": outcome, "matter": matter, "candidates": NAMES, "confidence": 0.4}
        return self._add("bot", {**reply, "messages": [{"kind": "text", "text": f"回：{text}"}]})

    def heard(self, text: str) -> Log:
        return self._add("citizen", {"turn_id": None, "text": text})

    def moved(self, act: str, holder: str) -> Log:
        return self._add("holder", {"act": act, "holder": holder, "text": "…"})

    def person(self, text: str, **more: Any) -> Log:
        message = {"kind": "text", "text": text, **({"card": more.pop("card")} if "card" in more else {})}
        return self._add("person", {"messages": [message], "operator": "王敏", **more})

    def missed(self, later: timedelta = timedelta()) -> list[Missed]:
        return missed_in(self.events, START + timedelta(seconds=len(self.events)) + later)


LATER = timedelta(minutes=11)


def test_an_unknown_question_is_missed_and_an_answered_one_is_not() -> None:
    [missed] = Log().asked("身份证丢了怎么补", "answered", "YS0001").asked("大熊猫怎么养", "unknown").missed()
    assert (missed.event, missed.cause, missed.text) == (3, Cause.UNKNOWN, "大熊猫怎么养")
    assert (missed.said, missed.confidence, missed.candidates[0]) == (
        "回：大熊猫怎么养",
        0.4,
        ("YS0001", NAMES[0]["name"]),
    )


@pytest.mark.parametrize("outcome", ["smalltalk", "case", "complaint", "error", "handoff", "answered"])
def test_other_outcomes_are_no_gap_of_knowledge(outcome: str) -> None:
    assert Log().asked("你好", outcome, "YS0001" if outcome == "answered" else None).missed(LATER) == []


def test_a_choice_that_was_taken_is_resolved() -> None:
    log = Log().asked("身份证怎么办", "clarify").asked("YS0002 居民身份证有效期满换领", "answered", "YS0002")
    assert log.missed(LATER) == []


def test_a_choice_nobody_took_is_unclear_after_a_while() -> None:
    log = Log().asked("身份证怎么办", "clarify")
    assert log.missed() == []
    [missed] = log.missed(LATER)
    assert (missed.cause, missed.text) == (Cause.UNCLEAR, "身份证怎么办")


def test_choices_one_after_another_are_one_question() -> None:
    log = Log().asked("身份证怎么办", "clarify").asked("都不是", "clarify").asked("就是那个小卡片", "unknown")
    assert [(each.text, each.cause) for each in log.missed()] == [
        ("身份证怎么办", Cause.UNCLEAR),
        ("就是那个小卡片", Cause.UNKNOWN),
    ]


def test_the_matter_that_was_meant_is_known_when_it_is_picked() -> None:
    log = Log().asked("证掉河里了", "unknown").asked("YS0001 居民身份证丢失补领", "answered", "YS0001")
    [missed] = log.missed()
    assert (missed.text, missed.then) == ("证掉河里了", "YS0001")


@pytest.mark.parametrize("objection", ["不对", "答非所问", "我问的不是这个", "你说的不对", "不是补领，是换领"])
def test_an_answer_the_citizen_objects_to_is_corrected(objection: str) -> None:
    log = Log().asked("身份证要换一张", "answered", "YS0001").asked(objection, "answered", "YS0002")
    [missed] = log.missed()
    assert (missed.cause, missed.text, missed.matter, missed.then) == (
        Cause.CORRECTED,
        "身份证要换一张",
        "YS0001",
        "YS0002",
    )


def test_an_objection_is_no_question() -> None:
    log = Log().asked("身份证要换一张", "answered", "YS0001").asked("答非所问", "unknown")
    assert [each.cause for each in log.missed()] == [Cause.CORRECTED]


@pytest.mark.parametrize("text", ["谢谢", "那多少钱", "我不是本地户口可以办吗", "不是本人去可以吗"])
def test_other_words_after_an_answer_are_no_objection(text: str) -> None:
    assert Log().asked("身份证要换一张", "answered", "YS0001").asked(text, "answered", "YS0001").missed(LATER) == []


def test_a_persons_answer_stands_beside_the_question_it_answers() -> None:
    log = Log().asked("大熊猫怎么养", "unknown").moved("ask", "waiting").moved("take", "person")
    log.person("不能私人饲养，").person("请联系林业局 13812345678。").moved("give_back", "bot")
    [missed] = log.asked("谢谢", "smalltalk").missed()
    assert missed.answer == "不能私人饲养, 请联系林业局 138****5678。"
    assert missed.answered_by == "王敏"


def test_an_answer_that_a_person_had_to_give_again_is_corrected() -> None:
    log = Log().asked("身份证要换一张", "answered", "YS0001").moved("ask", "waiting").moved("take", "person")
    [missed] = log.person("到期的话去换领窗口。").missed()
    assert (missed.cause, missed.matter, missed.answer) == (Cause.CORRECTED, "YS0001", "到期的话去换领窗口。")


def test_a_card_after_an_answer_corrects_nothing() -> None:
    log = Log().asked("身份证要换一张", "answered", "YS0001").moved("ask", "waiting").moved("take", "person")
    assert log.person("材料：……", card={"code": "YS0001"}).missed() == []


def test_what_a_person_says_later_belongs_to_nothing_before() -> None:
    log = Log().asked("大熊猫怎么养", "unknown").moved("ask", "waiting").moved("take", "person").person("不能养。")
    log.moved("give_back", "bot").moved("step_in", "person")
    [missed] = log.person("还有别的事吗？").missed()
    assert missed.answer == "不能养。"


def test_a_passage_that_an_operator_rewrote_is_kept_with_what_was_asked() -> None:
    log = Log().moved("step_in", "person").heard("孩子户口迁过来要啥")
    [missed] = log.person("带户口簿和出生证，周六也办。", guide={"code": "YS7", "edited": True}).missed()
    assert (missed.cause, missed.text, missed.matter) == (Cause.EDITED, "孩子户口迁过来要啥", "YS7")
    assert missed.answer == "带户口簿和出生证，周六也办。"


def test_a_passage_sent_as_it_is_teaches_nothing() -> None:
    log = Log().asked("身份证要换一张", "answered", "YS0001").moved("step_in", "person").heard("再说一遍")
    assert log.person("材料：……", guide={"code": "YS0001", "edited": False}).missed() == []


def test_numbers_of_persons_are_masked() -> None:
    [missed] = Log().asked("我叫张三，电话13812345678，证号110101199003074512，怎么办熊猫证", "unknown").missed()
    assert "13812345678" not in missed.text and "110101199003074512" not in missed.text  # noqa: PT018
