"""What the index finds, as the conversation reads it: turning away, and what was said while nothing was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pytest

from bot.answers.phrases import Phrases
from bot.conversations.assistant import Assistant
from bot.conversations.model import Focus
from bot.conversations.ports import Decision
from bot.conversations.reading import read
from bot.conversations.searching import search_matters
from bot.workdays import WorkCalendar
from tests.bot.conversations.city import TODAY, Candidate, City, Found

REPLACED, RENEWED = "YS00103", "YS00102"
TALKED_ABOUT = Focus(matter=REPLACED, facets=("fees",), turns=("身份证丢了补办多少钱",))


@dataclass
class Holding:
    """An index that holds on to one opinion, whatever the text; ``asked`` are the texts with their earlier turns.

    ``alone``: what it holds of a text by itself, where what was said before leads it astray.
    """

    decision: Decision
    scores: dict[str, float]
    alone: Holding | None = None

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def find(
        self,
        text: str,
        *,
        turns: Sequence[str] = (),
        focus: str | None = None,
        focus_offered: Sequence[str] = (),
        today: date | None = None,
    ) -> Found:
        if self.alone and not turns:
            return self.alone.find(text)
        self.asked.append((text, tuple(turns)))
        candidates = tuple(Candidate(code, code, score, "") for code, score in self.scores.items())
        best = candidates[0]
        return Found(self.decision, best.score, candidates, False, best.code == focus, "；".join((*turns, text)))


def test_a_question_that_says_enough_is_another_matter_whatever_was_talked_about() -> None:
    index = Holding("answered", {REPLACED: 0.95}, alone=Holding("answered", {RENEWED: 0.9}))

    for text, best in (
        ("身份证到期了要去哪换", RENEWED),
        ("我们公司搬家了", RENEWED),
        ("那到期的呢", REPLACED),
        ("到期换一个", REPLACED),
    ):
        search = search_matters(index, text, TALKED_ABOUT, TODAY)
        assert (search.best.code if search.best else None) == best, text
        assert search.kept_focus == (best == TALKED_ABOUT.matter), text


def test_a_long_story_nothing_fits_is_not_answered_by_what_was_talked_about() -> None:
    index = Holding("answered", {REPLACED: 0.95}, alone=Holding("unknown", {RENEWED: 0.1}))

    story = "我跟邻居合伙买的一头牛走丢了，牛贩子说是在他那儿捡到的，要我拿两千块去赎"
    assert search_matters(index, story, TALKED_ABOUT, TODAY).decision == "unknown"
    for leaning in ("我户口不在这边能办不", "到期了换一个"):
        search = search_matters(index, leaning, TALKED_ABOUT, TODAY)
        assert search.decision == "answered", leaning
        assert search.kept_focus, leaning


def test_turning_away_from_the_matter_is_asked_back() -> None:
    index = Holding("answered", {REPLACED: 0.85, RENEWED: 0.13})

    assert search_matters(index, "那要是没丢，就是到期了呢", TALKED_ABOUT, TODAY).decision == "clarify"
    assert search_matters(index, "那要几天能拿到", TALKED_ABOUT, TODAY).decision == "answered"


def test_a_short_follow_up_that_finds_little_is_asked_back() -> None:
    index = Holding("unknown", {RENEWED: 0.2})

    assert search_matters(index, "外地的", TALKED_ABOUT, TODAY).decision == "clarify"
    assert search_matters(index, "外地的", Focus(), TODAY).decision == "unknown"
    assert search_matters(Holding("unknown", {RENEWED: 0.05}), "外地的", TALKED_ABOUT, TODAY).decision == "unknown"


def test_with_nothing_else_to_turn_to_the_matter_is_kept() -> None:
    index = Holding("answered", {REPLACED: 0.99, RENEWED: 0.001})

    assert search_matters(index, "那要是没丢，就是到期了呢", TALKED_ABOUT, TODAY).decision == "answered"


def test_a_question_that_found_nothing_is_remembered_for_the_next() -> None:
    index = Holding("unknown", {REPLACED: 0.02})
    assistant = Assistant(lambda: index, City(), WorkCalendar(), Phrases("云山市", "12345"))

    _, focus = assistant.answer(read("医保停了两个月怎么续"), Focus(), TODAY)
    assistant.answer(read("补交要什么"), focus, TODAY)

    assert index.asked[-1] == ("补交要什么", ("医保停了两个月怎么续",))


def test_what_found_nothing_does_not_end_the_matter_talked_about() -> None:
    index = Holding("unknown", {REPLACED: 0.02})
    assistant = Assistant(lambda: index, City(), WorkCalendar(), Phrases("云山市", "12345"))

    _, focus = assistant.answer(read("股票怎么买才能赚到钱"), TALKED_ABOUT, TODAY)

    assert (focus.matter, focus.turns) == (TALKED_ABOUT.matter, TALKED_ABOUT.turns)


@pytest.mark.parametrize("text", ["要收他多少钱", "我是租的房，房东不知道"])
def test_saying_more_about_an_open_choice_offers_it_again(text: str) -> None:
    index = Holding("clarify", {REPLACED: 0.4, RENEWED: 0.3})
    assistant = Assistant(lambda: index, City(), WorkCalendar(), Phrases("云山市", "12345"))
    first, focus = assistant.answer(read("证件的事想问下"), Focus(), TODAY)
    index.decision, index.scores = "unknown", {REPLACED: 0.17}

    again, after = assistant.answer(read(text), focus, TODAY)

    assert [c.code for c in again.candidates] == [c.code for c in first.candidates]
    assert again.outcome == "clarify"
    chosen, _ = assistant.answer(read("第一个"), after, TODAY)
    assert chosen.matter == REPLACED
    assert ("fees" in chosen.facets) == ("多少钱" in text)
