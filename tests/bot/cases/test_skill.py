"""The skill for a known citizen: linked cases, a choice among them, unlinking, judging by a digit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.answers.phrases import Phrases
from bot.cases.delays import Delays
from bot.cases.skill import CaseSkill
from bot.conversations.assistant import Assistant
from bot.conversations.model import Focus, Reply, Speaker
from bot.conversations.reading import read
from bot.judgements.skill import JudgeSkill
from bot.workdays import WorkCalendar
from tests.bot.cases.conftest import Office
from tests.bot.cases.examples import ACCEPTED, APPLIED, case, stage
from tests.bot.conversations.city import City, PairFinder

DONE = [
    APPLIED,
    ACCEPTED,
    stage("审查", "11-16 10:00", "11-19 09:00"),
    stage("决定", "11-19 09:00", "11-20 10:00", person="王强"),
]


class Talk:
    """One citizen of a channel that knows him; his focus travels as it does through the store."""

    def __init__(self, office: Office, citizen: str) -> None:
        phrases = Phrases("云山市", "12345")
        judge = JudgeSkill(office.judgements, phrases)
        delays = Delays(office.store, office.clock, office.cases, office.notifications, None, "http://h")
        skills = {"case": CaseSkill(office.cases, delays, judge, phrases), "judge": judge}
        finder = PairFinder()
        self.assistant = Assistant(lambda: finder, City(), WorkCalendar(), phrases, skills)
        self.office = office
        self.speaker = Speaker("", citizen, "")
        self.focus = Focus()

    def say(self, text: str) -> Reply:
        today = self.office.clock.now().date()
        reply, focus = self.assistant.answer(read(text), self.focus, today, self.speaker)
        self.focus = Focus.from_dict(focus.to_dict())
        return reply


def card(reply: Reply) -> dict[str, object]:
    [found] = [message["case"] for message in reply.messages if message["kind"] == "case"]
    return dict(found)


@pytest.fixture
def wang(office: Office) -> Talk:
    office.keeper.put(case(), "file", actor="test")
    return Talk(office, "wechat:wang")


def test_once_verified_the_code_is_not_asked_for_again(wang: Talk) -> None:
    assert "办件编号" in wang.say("我的件办得怎么样了").text
    wang.say("YS2611130042")
    first = wang.say("1234")
    assert card(first)["number"] == "YS2611130042"
    assert "解除关联" in first.text
    again = wang.say("我的件办得怎么样了")
    assert card(again)["number"] == "YS2611130042"
    assert "解除关联" not in again.text


def test_of_several_linked_cases_one_is_chosen(wang: Talk) -> None:
    wang.office.keeper.put(case(number="YS2611130050", matter_name="居住证签注"), "file", actor="test")
    wang.say("YS2611130042 830271")
    wang.say("YS2611130050 830271")
    asked = wang.say("查进度")
    titles = [choice["title"] for choice in asked.messages[0]["choices"]]
    assert len(titles) == 2
    place = next(n for n, title in enumerate(titles, start=1) if "居住证" in title)
    assert card(wang.say(str(place)))["number"] == "YS2611130050"
    wang.say("查进度")
    assert card(wang.say(asked.messages[0]["choices"][place - 1]["payload"]))["number"] == "YS2611130050"


def test_unlinked_he_is_asked_for_everything_again(wang: Talk) -> None:
    wang.say("YS2611130042 830271")
    assert "1 件" in wang.say("解除关联").text
    assert "办件编号" in wang.say("我的件办得怎么样了").text
    assert "没有关联" in wang.say("解除关联").text


def test_another_citizen_learns_nothing_from_the_link(wang: Talk) -> None:
    wang.say("YS2611130042 830271")
    assert "查询码" in Talk(wang.office, "wechat:li").say("YS2611130042").text


def test_after_repeated_failures_it_is_locked_and_said(wang: Talk) -> None:
    wang.say("YS2611130042")
    for _ in range(5):
        assert "不对" in wang.say("999999").text
    locked = wang.say("830271").text
    assert "15 分钟" in locked
    assert wang.focus.skill is None


def test_a_digit_after_a_notice_is_its_answer(wang: Talk) -> None:
    wang.say("YS2611130042 830271")
    wang.office.keeper.put(case(stages=DONE, outcome="准予"), "file", actor="test")
    assert "满意" in wang.say("2").text
    assert "回访" not in wang.say("谢谢").text
    assert wang.office.judgements.awaited_of("wechat:wang") is None


def test_a_digit_without_a_question_is_no_judgement(wang: Talk) -> None:
    assert "评价" not in wang.say("2").text


def test_a_digit_under_the_card_is_the_level_it_shows(wang: Talk) -> None:
    wang.office.keeper.put(case(stages=DONE, outcome="准予"), "file", actor="test")
    shown = wang.say("YS2611130042 830271")
    titles = [choice["title"] for choice in shown.messages[-1]["choices"]]
    assert f"：{titles[4]}。" in wang.say("5").text
    assert titles[4] == "非常满意"


@pytest.mark.parametrize("pick", ["1", "１", "请人催办", "催一下", "要"])
def test_the_offer_under_a_late_case_is_taken_by_digit_name_or_words(wang: Talk, pick: str) -> None:
    wang.office.clock.advance(timedelta(days=12))
    shown = wang.say("YS2611130042 830271")
    assert shown.messages[-1]["choices"][0]["title"] == "请人催办"
    assert "登记号 CB" in wang.say(pick).text


def test_what_is_no_answer_to_the_offer_asks_for_nothing(wang: Talk) -> None:
    wang.office.clock.advance(timedelta(days=12))
    wang.say("YS2611130042 830271")
    assert "登记" not in wang.say("居住证要带什么").text
