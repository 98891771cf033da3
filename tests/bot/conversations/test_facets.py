"""Which facets are answered, from what was guessed, what is said and what was asked before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.facets import MOST, OVERVIEW, POSSIBLE, asked_facets
from bot.conversations.model import FacetGuess, Focus, Understanding

ASKED_BEFORE = Focus(matter="YS1", facets=("materials",))


def understood(text: str, **guesses: float) -> Understanding:
    return Understanding(text, "ask_guide", 0.9, tuple(FacetGuess(name, sure) for name, sure in guesses.items()))


def asked(text: str, focus: Focus = ASKED_BEFORE, *, follows_up: bool = False, **guesses: float) -> tuple[str, ...]:
    return asked_facets(understood(text, **guesses), focus, follows_up=follows_up)


def test_a_sure_guess_stands_alone() -> None:
    assert asked("身份证掉了咋补", process=0.9, overview=POSSIBLE - 0.01) == ("process",)


def test_a_possible_second_is_answered_too() -> None:
    assert asked("身份证掉了咋补", process=0.6, overview=POSSIBLE, conditions=POSSIBLE - 0.01) == (
        "process",
        "overview",
    )


def test_a_named_facet_needs_less_confidence() -> None:
    assert asked("开店要什么条件，收费吗", conditions=0.9, fees=0.06) == ("conditions", "fees")


def test_a_word_that_nobody_asks_by_is_not_answered() -> None:
    assert asked("材料都交了，钱什么时候到我卡上", time_limit=0.95, materials=0.01) == ("time_limit",)


@pytest.mark.parametrize("guesses", [{}, {"conditions": 0.9}])
def test_a_text_of_nothing_but_facets_gets_them(guesses: dict[str, float]) -> None:
    assert asked("多少钱，要几天", **guesses) == ("fees", "time_limit")


@pytest.mark.parametrize("text", ["换领呢", "外地的", "那我爸也一样吗", "不是补领，是换领"])
def test_a_short_follow_up_keeps_what_was_asked(text: str) -> None:
    assert asked(text, follows_up=True, overview=0.6 if text.endswith("呢") else 0.3) == ("materials",)


def test_a_follow_up_that_says_more_asks_anew() -> None:
    text = "换了名以后阶梯的人口还算不算原来的"
    assert asked(text, follows_up=True, conditions=0.4, result=0.3) == ("conditions", "result")


def test_nothing_known_gives_the_overview() -> None:
    assert asked("身份证", Focus()) == OVERVIEW


@given(
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["fees", "where", "overview", "materials"]), st.floats(0, 1)),
    st.booleans(),
)
def test_there_is_always_something_and_never_too_much(text: str, guesses: dict[str, float], follows_up: bool) -> None:
    facets = asked(text, follows_up=follows_up, **guesses)
    assert 1 <= len(facets) <= MOST
    assert len(set(facets)) == len(facets)
