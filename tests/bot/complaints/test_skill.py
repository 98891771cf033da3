"""Taking a complaint by talking: what is missing, what was said already, corrections, questions between, once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.complaints.hearing import heard, place_said, tells_something, when_said
from bot.complaints.numbers import aloud, said
from bot.complaints.tables import ComplaintRow
from bot.conversations.model import Focus
from bot.conversations.tables import ConversationRow
from bot.store.outbox import OutboxMessage
from tests.bot.complaints.conftest import Office
from tests.bot.complaints.talk import Talk

WHOLE = "我要投诉，昨晚十一点开始人民路药材公司门口自来水管爆了，没人来修，希望尽快抢修，电话13812345678"


@pytest.fixture
def talk(lite: Office, tmp_path: Path) -> Talk:
    return Talk(lite, tmp_path / "pictures")


def rows(office: Office) -> list[ComplaintRow]:
    with office.store.read() as session:
        return list(session.scalars(select(ComplaintRow).order_by(ComplaintRow.id)))


def filed(talk: Talk) -> dict[str, object]:
    talk.say(WHOLE)
    talk.press("没错")
    return talk.card()


def test_what_the_first_sentence_says_is_not_asked(talk: Talk) -> None:
    reply = talk.say(WHOLE)
    assert reply.outcome == "complaint"
    fields = talk.draft()
    assert fields["place"] == "人民路药材公司门口"
    assert fields["when"] == "昨晚十一点开始"
    assert fields["wish"] == "希望尽快抢修"
    assert fields["contact"] == "13812345678"
    assert fields["kind"] == "投诉"
    assert rows(talk.office) == []


def test_one_short_question_at_a_time_with_numbered_choices(talk: Talk) -> None:
    first = talk.say("我要投诉")
    assert "什么事" in first.text
    assert "什么地方" in talk.say("楼下烧烤摊太吵了睡不着觉").text
    asked = talk.say("和平小区3栋楼下")
    assert "什么时候" in asked.text
    assert [c["title"] for c in asked.messages[-1]["choices"]] == ["正在发生", "今天", "最近几天", "很久了，一直这样"]
    assert "怎么解决" in talk.say("4").text
    assert "手机号" in talk.say("让他们十点以后别营业").text
    talk.say("1")
    fields = talk.draft()
    assert fields == {
        "kind": "投诉",
        "text": "楼下烧烤摊太吵了睡不着觉",
        "place": "和平小区3栋楼下",
        "when": "很久了，一直这样",
        "wish": "让他们十点以后别营业",
        "contact": "匿名",
        "attachments": 0,
    }
    reply = talk.say("好的")
    assert "查询码" in reply.text
    [row] = rows(talk.office)
    assert (row.anonymous, row.happened, row.wish) == (True, "很久了，一直这样", "让他们十点以后别营业")
    assert aloud(row.number) in reply.text


def test_it_is_put_right_by_saying_so(talk: Talk) -> None:
    talk.say(WHOLE)
    talk.say("不是人民路，是人民东路")
    fields = talk.draft()
    assert fields["place"] == "人民东路药材公司门口"
    assert "人民东路" in fields["text"]
    talk.say("电话改成13900001111")
    assert talk.draft()["contact"] == "13900001111"
    talk.press("改一改")
    assert "什么地方" in talk.press("地点").text
    talk.say("解放路12号")
    assert talk.draft()["place"] == "解放路12号"
    talk.say("不是投诉，是求助")
    assert talk.draft()["kind"] == "求助"


@pytest.mark.parametrize("words", ["取消", "算了", "不提交了", "不投诉了", "3"])
def test_it_is_cancelled(talk: Talk, words: str) -> None:
    talk.say(WHOLE)
    assert "没有登记" in talk.say(words).text
    assert talk.focus.skill is None
    assert rows(talk.office) == []


def test_a_question_in_between_is_answered_and_the_form_returns(talk: Talk) -> None:
    talk.say("我要投诉物业乱收费，收了三百块垃圾费")
    reply = talk.say("身份证丢了补办要多少钱？")
    assert reply.outcome == "answered"
    assert "40" in reply.text
    assert "什么地方" in reply.text
    assert "什么时候" in talk.say("和平小区").text
    assert "接着登记" in talk.say("谢谢").text
    talk.say("今天")
    talk.say("4")
    talk.say("不留了，匿名吧")
    assert talk.draft()["place"] == "和平小区"


def test_a_question_a_guide_answers_is_answered_instead_of_filed(talk: Talk) -> None:
    talk.say("我要投诉")
    reply = talk.say("身份证丢了补办要多少钱？")
    assert reply.outcome == "answered"
    assert talk.say("取消").outcome == "complaint"
    assert rows(talk.office) == []


def test_the_same_turn_and_a_second_press_file_once(talk: Talk) -> None:
    talk.say(WHOLE)
    button = next(m for m in talk.last.messages if m["kind"] == "choices")["choices"][0]["payload"] if talk.last else ""
    before = talk.focus
    talk.say(button, turn="t-9")
    number = talk.card()["number"]
    code = talk.card()["query_code"]
    talk.focus = before  # the process died before the focus was written; the message comes again
    talk.say(button, turn="t-9")
    assert (talk.card()["number"], talk.card()["query_code"]) == (number, code)
    talk.say(button)  # pressed once more
    assert talk.card()["number"] == number
    talk.focus = Focus()
    assert "没有重复提交" in talk.say(button).text
    assert len(rows(talk.office)) == 1


def test_what_was_filed_unheard_is_put_right_rather_than_filed_again(talk: Talk) -> None:
    talk.say(WHOLE)
    before = talk.focus
    talk.press("没错")
    talk.focus = before
    talk.say("不是人民路，是人民东路")
    talk.press("没错")
    [row] = rows(talk.office)
    assert row.location == "人民东路药材公司门口"


def test_within_ten_minutes_it_is_taken_back_by_talking(talk: Talk) -> None:
    card = filed(talk)
    assert "确定撤回" in talk.say("刚才的投诉撤回吧").text
    assert "已经撤回" in talk.say("1").text
    assert [row.state for row in rows(talk.office)] == ["withdrawn"]
    assert card["number"] == rows(talk.office)[0].number


def test_after_another_question_it_can_still_be_taken_back(talk: Talk) -> None:
    filed(talk)
    talk.say("身份证丢了补办要多少钱？")
    assert talk.focus.skill is None
    assert "确定撤回" in talk.say("撤回刚才的投诉").text
    talk.say("确定撤回")
    assert [row.state for row in rows(talk.office)] == ["withdrawn"]


def test_within_ten_minutes_it_is_corrected_later_it_is_added(talk: Talk) -> None:
    filed(talk)
    assert "已经更正" in talk.say("不是人民路，是人民东路").text
    [row] = rows(talk.office)
    assert row.location == "人民东路药材公司门口"
    talk.office.clock.advance(timedelta(minutes=11))
    assert "补充" in talk.say("不是人民东路，是人民西路").text
    assert "已经补充" in talk.say("补充一下，水已经流进地下室了").text
    [row] = rows(talk.office)
    assert row.location == "人民东路药材公司门口"
    assert "地下室" in row.text


def test_danger_says_the_number_first_and_files_as_urgent(talk: Talk) -> None:
    reply = talk.say("家里煤气泄漏了，好大味道")
    assert reply.outcome == "handoff"
    assert "119" in str(reply.messages[0]["text"])
    assert "紧急登记" in reply.text
    assert "什么地方" in reply.text
    [row] = rows(talk.office)
    assert row.urgent
    with talk.office.store.read() as session:
        assert "complaint.urgent" in session.scalars(select(OutboxMessage.topic)).all()
    assert "电话" in talk.say("和平小区11栋2单元").text
    assert "记上了" in talk.say("13812345678").text
    [row] = rows(talk.office)
    assert row.location == "和平小区11栋2单元"
    talk.say("煤气还在漏，有人晕倒了！")
    assert len(rows(talk.office)) == 1  # the same danger is not filed twice
    assert "晕倒" in rows(talk.office)[0].text


def test_danger_in_the_middle_of_a_form_takes_what_was_said(talk: Talk) -> None:
    talk.say("我要投诉和平小区3栋有人私拉电线")
    talk.say("着火了！烟好大")
    [row] = rows(talk.office)
    assert row.urgent
    assert "私拉电线" in row.text


def test_the_same_incident_is_shown_and_joined(lite: Office, tmp_path: Path) -> None:
    first = Talk(lite, tmp_path / "a", "conversation-a")
    number = filed(first)["number"]
    second = Talk(lite, tmp_path / "b", "conversation-b", "wechat:wang")
    reply = second.say("我要投诉，人民路药材公司门口水管爆了，喷得很高，今天早上还在喷，希望尽快抢修")
    assert "同一件事" in reply.text
    assert "13812345678" not in reply.text
    second.press("也要反映")
    assert second.card()["number"] == number
    assert [row.joined for row in rows(lite)] == [1]
    third = Talk(lite, tmp_path / "c", "conversation-c", "wechat:li")
    third.say("我要投诉，人民路药材公司门口水管爆了，喷得很高，今天早上还在喷，希望尽快抢修")
    third.press("单独登记")
    third.press("没错")
    assert len(rows(lite)) == 2


def test_it_is_followed_in_the_conversation_and_with_the_code_elsewhere(lite: Office, tmp_path: Path) -> None:
    first = Talk(lite, tmp_path / "a", "conversation-a")
    card = filed(first)
    first.say("身份证丢了补办要多少钱？")
    first.say("我投诉的那个怎么样了")
    assert first.card()["number"] == card["number"]
    assert first.card()["query_code"] is None
    other = Talk(lite, tmp_path / "b", "conversation-b", "wechat:wang")
    assert "编号" in other.say("我投诉的那个怎么样了").text
    digits = str(card["number"]).removeprefix("TS")
    spoken = digits.translate(str.maketrans("0123456789", "零幺二三四五六七八九"))
    assert "查询码" in other.say(f"编号是 T S {spoken}").text
    assert other.focus.skill is not None
    assert other.focus.skill.awaits_secret
    assert "不对" in other.say("2AAAAA").text
    other.say(f"查询码 {str(card['query_code']).lower()}")
    assert other.card()["number"] == card["number"]
    other.focus = Focus()
    other.say("我投诉的那个怎么样了")  # linked now
    assert other.card()["number"] == card["number"]


def test_pictures_and_places_sent_meanwhile_belong_to_it(talk: Talk) -> None:
    with talk.office.store.write() as work:
        now = talk.office.clock.now()
        row = ConversationRow(
            id=talk.conversation, channel="web", created_at=now, updated_at=now, focus={}, turns=0, last_event=0
        )
        work.session.add(row)
    talk.say("我要投诉物业乱收费，收了三百块垃圾费")
    place = talk.attachments.add_place("s1", "web", talk.conversation, "30.1", "120.2", "幸福里小区东门")
    assert "怎么解决" in talk.say("今天").text  # the place is known by now
    talk.say("4")
    talk.say("匿名")
    fields = talk.draft()
    assert fields["place"] == "幸福里小区东门"
    assert fields["attachments"] == 1
    talk.press("没错")
    [filed_row] = rows(talk.office)
    assert filed_row.attachments == [place.id]


def test_what_was_not_heard_as_a_complaint_is_offered_to_be_filed(talk: Talk) -> None:
    reply = talk.say("镇上那座公厕的门锁坏了三个月")
    assert reply.outcome == "unknown"
    asked = talk.press("登记成诉求")
    assert asked.outcome == "complaint"
    talk.say("柳溪镇")
    talk.say("1")
    talk.say("匿名")
    assert talk.draft()["text"] == "镇上那座公厕的门锁坏了三个月"
    talk.say("取消")
    assert all(m["kind"] != "choices" for m in talk.say("养大熊猫要办什么手续？").messages)


@pytest.mark.parametrize(
    ("text", "number", "code"),
    [
        ("TS 261125 6411 235 查询码 7K2M9P", "TS2611256411235", "7K2M9P"),
        ("ts2611256411235，7k2m9p", "TS2611256411235", "7K2M9P"),
        ("ＴＳ２６１１２５６４１１２３５", "TS2611256411235", None),
        ("我的编号TS二六幺幺二五六四幺幺二三五", "TS2611256411235", None),
        ("YS2611130042", None, None),
        ("身份证号110101199003070000", None, None),
        ("电话13812345678", None, None),
    ],
)
def test_numbers_and_codes_in_any_writing(text: str, number: str | None, code: str | None) -> None:
    found = said(text)
    assert (found.number, found.code) == (number, code)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("昨天晚上八点多在云城区锦绣花园3栋2单元楼下，有人打人", "云城区锦绣花园3栋2单元楼下"),
        ("我想匿名举报幸福里小区的棋牌室赌博", "幸福里小区"),
        ("解放路和人民路交叉口红绿灯坏了", "解放路和人民路交叉口"),
        ("小区里太吵了", None),
        ("工资拖了四个月没发", None),
        ("我在马路上走", None),
    ],
)
def test_places_with_a_name_are_heard(text: str, place: str | None) -> None:
    assert place_said(text) == place


def test_what_else_is_heard() -> None:
    assert when_said("每天夜里两点到四点都在打桩") == "每天夜里两点到四点"
    assert heard("我要匿名").anonymous is True
    assert heard("不匿名了，我电话幺三八一二三四五六七八").contact == "13812345678"
    assert not tells_something("你好，我要投诉、举报")
    assert tells_something("我要投诉物业乱收费")
