"""Searches begun ahead: while Rasa is still reading a text, the index is already looking for what it may mean.

Reading and searching a text need nothing of each other, and take about as long. On two cores a turn is shorter by
whichever is less. A search that is not asked for after all costs its time and nothing else.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date

from bot.conversations.model import Focus
from bot.conversations.ports import Finder, FinderNow, Search
from bot.conversations.searching import search_matters
from bot.errors import WenbanError

THREADS = 2
MOST = 64
"""Searches that may wait to be asked for; the oldest goes first."""

_Key = tuple[str, tuple[str, ...], str | None, tuple[str, ...], date]


class Searches:
    """Searches in the catalogue published now. Safe to use from several threads."""

    def __init__(self, finder: FinderNow) -> None:
        self._finder = finder
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search-ahead")
        self._lock = threading.Lock()
        self._begun: OrderedDict[_Key, Future[Search]] = OrderedDict()
        self._by: Finder | None = None

    def begin(self, text: str, focus: Focus, today: date) -> None:
        """Begins the search that :meth:`search` will be asked for. Never raises and never waits."""
        try:
            finder = self._finder()
        except WenbanError:
            return  # whoever asks for the search will be told
        key = _key(text, focus, today)
        with self._lock:
            if self._by is not finder:  # another catalogue was published: what was found in the old one is void
                self._begun.clear()
                self._by = finder
            if key not in self._begun:
                self._begun[key] = self._threads.submit(search_matters, finder, text, focus, today)
            while len(self._begun) > MOST:
                self._begun.popitem(last=False)[1].cancel()

    def search(self, text: str, focus: Focus, today: date) -> Search:
        """What the index finds for ``text``, begun ahead or not. Raises what the finder raises."""
        finder = self._finder()
        with self._lock:
            begun = self._begun.pop(_key(text, focus, today), None) if self._by is finder else None
        # One that still waits for a thread is quicker done here.
        if begun is None or begun.cancel():
            return search_matters(finder, text, focus, today)
        return begun.result()


def _key(text: str, focus: Focus, today: date) -> _Key:
    """All that a search depends on, beside the finder."""
    return (text, focus.turns, focus.matter, focus.offered_codes, today)
