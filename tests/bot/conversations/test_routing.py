"""The index decides unless a dialogue act is sure and the index is not."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.model import Candidate, Understanding
from bot.conversations.ports import Search
from bot.conversations.routing import SERVICES, SOCIAL, route

Decision = Literal["answered", "clarify", "unknown"]


def search(decision: Decision, confidence: float, *, exact: bool = False) -> Search:
    candidates = () if decision == "unknown" else (Candidate("A1", "某事", confidence),)
    return Search(decision, confidence, candidates, exact=exact)


def heard(text: str, intent: str, confidence: float, *entities: str) -> Understanding:
    return Understanding(text, intent, confidence, entities=tuple({"entity": e, "value": "x"} for e in entities))


@pytest.mark.parametrize("intent", sorted(SOCIAL | {"file_complaint", "out_of_scope", "give_situation", "ask_guide"}))
def test_a_sure_index_answers_whatever_was_misheard(intent: str) -> None:
    understanding = heard("办个健康证怎么这么麻烦呢", intent, 0.99)
    assert route(understanding, search("answered", 0.95)).way == "matter"


@given(st.sampled_from(sorted(SOCIAL | set(SERVICES))), st.floats(0, 1), st.floats(0, 1))
def test_an_exact_name_always_wins(intent: str, sureness: float, confidence: float) -> None:
    assert (
        route(heard("居民身份证丢失补领", intent, sureness), search("answered", confidence, exact=True)).way == "matter"
    )


@pytest.mark.parametrize(
    ("understanding", "found", "way"),
    [
        (heard("晚上好呀", "greet", 0.9), search("unknown", 0.1), "social"),
        (heard("真聪明", "smalltalk", 0.7), search("clarify", 0.4), "social"),
        (heard("问不出来 我还是打电话", "talk_to_human", 0.9), search("unknown", 0.2), "handoff"),
        (heard("换个人来说", "talk_to_human", 0.6), search("clarify", 0.4), "handoff"),
        (heard("我的护照批了没有", "query_case", 0.85), search("answered", 0.9), "case"),
        (heard("YS2603080071 尾号4519", "query_case", 0.6, "case_number"), search("clarify", 0.5), "case"),
        (heard("办护照要等多久", "query_case", 0.85), search("answered", 0.9), "matter"),
        (heard("楼下烧烤店油烟太大", "file_complaint", 0.9), search("clarify", 0.3), "complaint"),
        (heard("办个证怎么这么慢", "file_complaint", 0.7), search("clarify", 0.5), "clarify"),
        (heard("QQ密码忘了", "out_of_scope", 0.95), search("clarify", 0.3), "private"),
        (heard("QQ密码忘了", "out_of_scope", 0.95), search("answered", 0.9), "matter"),
        (heard("开店要什么证", "ask_guide", 0.9), search("clarify", 0.5), "clarify"),
        (heard("外星人落户", "ask_guide", 0.9), search("unknown", 0.1), "unknown"),
    ],
)
def test_ways(understanding: Understanding, found: Search, way: str) -> None:
    assert route(understanding, found).way == way


@pytest.mark.parametrize(
    ("text", "confidence", "way"),
    [
        ("我要投诉楼下烧烤摊天天占道", 0.95, "complaint"),
        ("那我想举报门口占道经营的", 0.9, "complaint"),
        ("投诉楼下烧烤摊占道经营", 0.95, "complaint"),
        ("我要投诉楼下烧烤摊天天占道", 0.6, "matter"),
        ("举报违法用地的奖励怎么领", 0.95, "matter"),
        ("占道摆个摊要不要办证", 0.95, "matter"),
    ],
)
def test_who_says_that_he_complains_is_not_answered_with_a_guide(text: str, confidence: float, way: str) -> None:
    assert route(heard(text, "file_complaint", confidence), search("answered", 0.99)).way == way


def test_a_complaint_about_a_known_matter_is_answered_with_the_way_to_complain() -> None:
    routed = route(heard("办个健康证拖了我一个月", "file_complaint", 0.95), search("answered", 0.9))
    assert (routed.way, routed.complains) == ("matter", True)


def test_another_city_is_declined_only_without_a_good_hit() -> None:
    understanding = heard("在杭州怎么办居住证", "ask_guide", 0.9)
    assert route(understanding, search("clarify", 0.5), elsewhere=True).way == "elsewhere"
    assert route(understanding, search("answered", 0.95), elsewhere=True).way == "matter"
