"""A form that asks over several turns: it hears first, survives questions, ends when it is done or given up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.answers.phrases import Phrases
from bot.conversations.assistant import Assistant
from bot.conversations.forms import MOST_ASIDES
from bot.conversations.model import Focus, Reply, SkillState, Speaker, with_skill
from bot.conversations.ports import Form, Situation
from bot.conversations.reading import read
from bot.conversations.referrals import said
from bot.workdays import WorkCalendar
from tests.bot.conversations.city import TODAY, City, PairFinder

ASKS = "您的颜色是？"


class Colour:
    """Asks for a colour; a very small form."""

    def __init__(self) -> None:
        self.heard: list[Situation] = []

    def answer(self, situation: Situation) -> tuple[Reply, Focus]:
        self.heard.append(situation)
        return said("case", [ASKS]), with_skill(situation.focus, SkillState("case", {"asked": "colour"}))

    def resume(self, situation: Situation) -> tuple[Reply, Focus] | None:
        self.heard.append(situation)
        text = situation.understanding.text
        if text == "取消":
            return said("case", ["好的，不问了。"]), with_skill(situation.focus, None)
        if text in ("红色", "蓝色"):
            return said("case", [f"记下了：{text}。"]), with_skill(situation.focus, None)
        return None

    def reminder(self, state: SkillState, situation: Situation) -> str:
        return f"（刚才问到：{ASKS}）"


class Talk:
    def __init__(self) -> None:
        self.form = Colour()
        finder = PairFinder()
        phrases = Phrases("云山市", "12345")
        self.assistant = Assistant(lambda: finder, City(), WorkCalendar(), phrases, {"case": self.form})
        self.focus = Focus()

    def say(self, text: str) -> Reply:
        speaker = Speaker("c1", "wechat:o1", "somewhere")
        reply, focus = self.assistant.answer(read(text), self.focus, TODAY, speaker)
        self.focus = Focus.from_dict(focus.to_dict())  # as it travels
        return reply


@pytest.fixture
def talk() -> Talk:
    talk = Talk()
    assert talk.say("查一下我的办件进度").text == ASKS
    return talk


def test_a_form_is_told_who_talks(talk: Talk) -> None:
    assert isinstance(talk.form, Form)
    heard = talk.form.heard[0]
    assert (heard.conversation_id, heard.citizen, heard.origin) == ("c1", "wechat:o1", "somewhere")


def test_the_active_form_hears_a_text_first_and_ends_when_it_is_done(talk: Talk) -> None:
    assert talk.say("红色").text == "记下了：红色。"
    assert talk.focus.skill is None
    assert talk.say("红色").outcome != "case"


def test_an_interrupting_question_is_answered_and_led_back(talk: Talk) -> None:
    reply = talk.say("身份证丢了补办要多少钱")
    assert reply.outcome == "answered"
    assert "40" in reply.text
    assert ASKS in reply.text
    assert talk.say("蓝色").text == "记下了：蓝色。"
    assert talk.focus.matter == "YS00103"


def test_small_talk_in_between_is_led_back_too(talk: Talk) -> None:
    assert ASKS in talk.say("谢谢").text
    assert talk.focus.skill is not None


def test_after_several_questions_the_form_is_given_up(talk: Talk) -> None:
    for _ in range(MOST_ASIDES):
        assert ASKS in talk.say("身份证丢了补办要多少钱").text
    assert ASKS not in talk.say("身份证丢了补办要带什么").text
    assert talk.focus.skill is None


def test_a_choice_that_is_open_is_asked_alone(talk: Talk) -> None:
    reply = talk.say("居民身份证")
    assert reply.outcome == "clarify"
    assert ASKS not in reply.text
    chosen = talk.say("1")
    assert chosen.outcome == "answered"
    assert ASKS in chosen.text


@pytest.mark.parametrize("text", ["重新开始", "转人工", "我要投诉"])
def test_starting_over_a_person_or_a_complaint_end_it(talk: Talk, text: str) -> None:
    assert ASKS not in talk.say(text).text
    assert talk.focus.skill is None


def test_danger_comes_before_the_form_and_leaves_it(talk: Talk) -> None:
    reply = talk.say("家里煤气泄漏了，好大味道")
    assert reply.outcome == "handoff"
    assert "119" in reply.text
    assert talk.say("红色").text == "记下了：红色。"


def test_what_a_skill_keeps_is_bounded() -> None:
    with pytest.raises(ValueError, match="too much"):
        SkillState("case", {"text": "长" * 501})
    with pytest.raises(ValueError, match="too much"):
        SkillState("case", {str(n): "" for n in range(13)})
    grown = replace(Focus(), skill=SkillState("case", {"a": "1"})).to_dict()
    grown["skill"]["data"]["a"] = "1" * 501
    assert Focus.from_dict(grown) == Focus()
