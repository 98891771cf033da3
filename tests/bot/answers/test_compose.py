"""Answers come from the guide alone: asked facets first, a source, what differs by situation, what is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.answers.compose import Ask, Composed, compose
from bot.answers.phrases import Phrases, facet_of_word, facet_words
from bot.answers.situations import Chosen
from bot.matters.model import Facet, Guide
from bot.workdays import WorkCalendar
from tests.bot.conversations.city import FIRST, RENEWAL, REPLACEMENT, TODAY, City, guide

PHRASES = Phrases("云山市", "12345")


def answer(of: Guide, *facets: str, today: date = TODAY, **values: Any) -> Composed:
    published = City([of]).get(of.code, TODAY)
    assert published is not None
    return compose(Ask(facets, **values), published, today=today, calendar=WorkCalendar(), phrases=PHRASES)


def said(composed: Composed) -> str:
    return str(composed.messages[0]["text"])


def test_asked_facets_come_first_in_the_order_asked() -> None:
    text = said(answer(REPLACEMENT, "fees", "materials"))
    assert text.index("40 元/证") < text.index("居民户口簿") < text.index("来源：")
    assert "居民身份证丢失补领" in text.splitlines()[0]


def test_every_answer_names_its_source() -> None:
    composed = answer(REPLACEMENT, "where", "fees")
    assert "编码 YS00103，版本 2026.1，云山市公安局" in said(composed)
    assert "《中华人民共和国居民身份证法》第十一条" in said(composed)
    where, fees = composed.sources
    assert (where["facet"], where["legal_basis"]) == ("where", "《中华人民共和国居民身份证法》第十一条")
    assert (fees["facet"], fees["legal_basis"]) == ("fees", "发改价格〔2003〕2322号")
    assert where["version"] == "2026.1"
    assert where["catalogue_version"] == "v3"


def test_time_limit_is_also_a_date_in_working_days() -> None:
    text = said(answer(FIRST, "time_limit"))
    assert "承诺 10 个工作日办结" in text
    assert "今天交齐，最晚 12 月 4 日（周五）办结" in text
    assert "推算" not in text


def test_a_date_beyond_the_arranged_calendar_is_said_to_be_provisional() -> None:
    text = said(answer(FIRST, "time_limit", today=date(2026, 12, 28)))
    assert "2027 年 1 月" in text
    assert "推算" in text


def test_on_the_spot_and_statutory_limit() -> None:
    on_the_spot = guide(
        "A1", "即办的事", promised_limit={"value": 0, "unit": "工作日"}, statutory_limit={"value": 20, "unit": "工作日"}
    )
    text = said(answer(on_the_spot, "time_limit"))
    assert "当场办结" in text
    assert "法定时限是 20 个工作日" in text


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"value": 7, "unit": "自然日"}, "最晚 11 月 29 日（周日）"),
        ({"value": 2, "unit": "月"}, "最晚 2027 年 1 月 22 日（周五）"),
        ({"value": 2, "unit": "小时"}, "承诺 2 个小时办结"),
        (None, "指南里没有写承诺时限"),
    ],
)
def test_other_units_of_time(limit: dict[str, Any] | None, expected: str) -> None:
    assert expected in said(answer(guide("A1", "某事", promised_limit=limit), "time_limit"))


def test_free_is_said_as_free() -> None:
    assert "不收费" in said(answer(FIRST, "fees"))
    zero = guide("A1", "某事", fees=[{"item": "工本费", "amount": "0", "basis": "某文件"}])
    assert "不收费" in said(answer(zero, "fees"))


@pytest.mark.parametrize("facet", ["where", "online", "process", "conditions", "legal_basis", "result", "materials"])
def test_what_the_guide_lacks_is_said_with_the_phone(facet: str) -> None:
    bare_guide = guide("A1", "某事", consult_phone="0799-1")
    text = said(answer(bare_guide, facet))
    assert "指南里没有" in text
    assert "0799-1" in text
    assert "12345" in said(answer(guide("A1", "某事"), facet))


def test_materials_of_an_unknown_situation_are_grouped_and_asked() -> None:
    composed = answer(REPLACEMENT, "materials")
    assert "如果是“丢证人未满16周岁”，另需" in said(composed)
    assert composed.question == "丢证人年龄"
    choices = composed.messages[1]
    assert choices["kind"] == "choices"
    assert [c["title"] for c in choices["choices"]] == ["丢证人年满16周岁", "丢证人未满16周岁"]


def test_a_chosen_situation_narrows_the_materials() -> None:
    adult = answer(REPLACEMENT, "materials", chosen=(Chosen("丢证人年龄", "丢证人年满16周岁"),))
    child = answer(REPLACEMENT, "materials", chosen=(Chosen("丢证人年龄", "丢证人未满16周岁"),))
    assert "监护人" not in said(adult)
    assert "2. 监护人居民身份证" in said(child)
    assert "（丢证人未满16周岁）" in said(child)
    assert child.question is None


def test_what_else_is_known_is_offered() -> None:
    composed = answer(REPLACEMENT, "fees")
    offered = [offer.payload for offer in composed.offers]
    assert 1 <= len(offered) <= 3
    assert all(payload.startswith("YS00103 ") for payload in offered)
    assert "YS00103 收费" not in offered


def test_the_window_at_the_named_place_comes_first() -> None:
    composed = answer(REPLACEMENT, "where", text="我在石桥 去哪补")
    assert "“石桥”可以去：\n1. 石桥县公安局户政窗口" in said(composed)
    assert composed.place == "石桥"


def test_online_without_a_visit() -> None:
    assert "全程网上办，不用到现场：https://zwfw.yunshan.example/sfz" in said(answer(RENEWAL, "online"))


def test_an_faq_entry_asked_exactly_is_quoted_first() -> None:
    composed = answer(REPLACEMENT, "conditions", text="补领期间，能坐火车吗？")
    assert composed.quoted
    body = said(composed)
    assert body.index("可以凭临时身份证乘车") < body.index("受理条件")
    assert "要带" not in said(answer(REPLACEMENT, "overview", text="补领期间能坐火车吗"))


def test_guide_text_is_never_markup_or_template() -> None:
    odd = guide("A1", "{{ 7*7 }}<script>", conditions="{% raw %}<b>无</b>")
    assert "{{ 7*7 }}<script>" in said(answer(odd, "conditions"))
    assert "{% raw %}<b>无</b>" in said(answer(odd, "conditions"))


def test_every_facet_has_words_and_a_template() -> None:
    assert set(facet_words()) == {facet.value for facet in Facet}
    for facet in Facet:
        assert said(answer(REPLACEMENT, facet.value))
        assert facet_of_word(facet_words()[facet.value].word) == facet
