"""A search begun ahead is the search that is asked for, done once; what went wrong ahead goes wrong when asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date

import pytest

from bot.conversations.ahead import MOST, THREADS, Searches
from bot.conversations.model import Focus
from bot.conversations.ports import Finder, Found
from bot.conversations.searching import search_matters
from bot.errors import Unavailable
from tests.bot.conversations.city import PairFinder

DAY = date(2026, 11, 22)
TEXT = "身份证丢了补办多少钱"
WITHIN = 20.0
"""Seconds; far more than any search takes."""


class Watched:
    """A finder that notes what it is asked and, where told to, waits before it looks."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.may_look = threading.Event()
        self.may_look.set()
        self.looking = threading.Semaphore(0)
        self.fault: Exception | None = None
        self._pairs = PairFinder()

    def find(
        self,
        text: str,
        *,
        turns: Sequence[str] = (),
        focus: str | None = None,
        focus_offered: Sequence[str] = (),
        today: date | None = None,
    ) -> Found:
        self.asked.append((text, threading.current_thread().name))
        self.looking.release()
        if self.fault is not None:
            raise self.fault
        if threading.current_thread() is not threading.main_thread():
            assert self.may_look.wait(WITHIN)
        return self._pairs.find(text, turns=turns, focus=focus, focus_offered=focus_offered, today=today)


@pytest.fixture
def finder() -> Watched:
    return Watched()


def test_what_was_begun_is_found_once_and_elsewhere(finder: Watched) -> None:
    searches = Searches(lambda: finder)
    searches.begin(TEXT, Focus(), DAY)
    assert finder.looking.acquire(timeout=WITHIN)
    found = searches.search(TEXT, Focus(), DAY)
    assert found == search_matters(PairFinder(), TEXT, Focus(), DAY)
    [(text, thread)] = finder.asked
    assert text == TEXT
    assert thread.startswith("search-ahead")
    searches.search(TEXT, Focus(), DAY)
    assert len(finder.asked) == 2  # asked for a second time, it is a search of its own


@pytest.mark.parametrize(
    ("text", "focus", "day"),
    [
        ("护照多少钱", Focus(), DAY),
        (TEXT, Focus(matter="YS00103"), DAY),
        (TEXT, Focus(turns=("护照",)), DAY),
        (TEXT, Focus(), date(2026, 11, 23)),
    ],
)
def test_another_question_is_searched_by_itself(finder: Watched, text: str, focus: Focus, day: date) -> None:
    searches = Searches(lambda: finder)
    searches.begin(TEXT, Focus(), DAY)
    assert finder.looking.acquire(timeout=WITHIN)
    assert searches.search(text, focus, day) == search_matters(PairFinder(), text, focus, day)
    assert len(finder.asked) == 2


def test_one_that_waits_for_a_thread_is_done_by_who_asks(finder: Watched) -> None:
    searches = Searches(lambda: finder)
    finder.may_look.clear()
    for number in range(THREADS):
        searches.begin(f"第{number}件事", Focus(), DAY)
        assert finder.looking.acquire(timeout=WITHIN)
    searches.begin(TEXT, Focus(), DAY)
    assert searches.search(TEXT, Focus(), DAY) == search_matters(PairFinder(), TEXT, Focus(), DAY)
    assert finder.asked[-1] == (TEXT, threading.main_thread().name)
    finder.may_look.set()


def test_a_catalogue_published_meanwhile_is_the_one_that_answers() -> None:
    old, new = Watched(), Watched()
    current: list[Finder] = [old]
    searches = Searches(lambda: current[0])
    searches.begin(TEXT, Focus(), DAY)
    assert old.looking.acquire(timeout=WITHIN)
    current[0] = new
    searches.search(TEXT, Focus(), DAY)
    assert [text for text, _ in new.asked] == [TEXT]


def test_without_a_catalogue_beginning_is_silent_and_asking_says_so() -> None:
    def nothing() -> Finder:
        raise Unavailable("还没有目录。", code="no_catalogue")

    searches = Searches(nothing)
    searches.begin(TEXT, Focus(), DAY)
    with pytest.raises(Unavailable):
        searches.search(TEXT, Focus(), DAY)


def test_a_fault_ahead_is_raised_to_who_asks(finder: Watched) -> None:
    finder.fault = RuntimeError("broken")
    searches = Searches(lambda: finder)
    searches.begin(TEXT, Focus(), DAY)
    assert finder.looking.acquire(timeout=WITHIN)
    with pytest.raises(RuntimeError, match="broken"):
        searches.search(TEXT, Focus(), DAY)


def test_those_never_asked_for_do_not_pile_up(finder: Watched) -> None:
    searches = Searches(lambda: finder)
    finder.may_look.clear()
    for number in range(MOST * 2):
        searches.begin(f"第{number}件事", Focus(), DAY)
    finder.may_look.set()
    searches.search("第0件事", Focus(), DAY)
    last = f"第{MOST * 2 - 1}件事"
    searches.search(last, Focus(), DAY)
    assert [text for text, _ in finder.asked].count("第0件事") == 2  # forgotten: begun first, searched anew
    assert [text for text, _ in finder.asked].count(last) == 1
