"""What a draft does: every question is put to the catalogue as it is and as it would be. Run by the worker.

Both are asked through the assistant, as citizens are where the dialogue understanding does not run: search, decision,
choices and all. ``result`` of an evaluation is JSON: ``better``, ``worse`` and ``still_wrong`` (questions of the draft
that it does not help), each with what was given before and after, and ``asked``: how many questions of which source.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import structlog

from bot.answers.limits import Calendar
from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.conversations.assistant import Assistant
from bot.conversations.model import Focus, Speaker
from bot.conversations.ports import Finder, Found, Guides
from bot.conversations.reading import read
from bot.errors import WenbanError
from bot.learning import repository
from bot.learning.drafting import amendment_of, changes_of
from bot.learning.model import Change, Given, judged
from bot.learning.questions import Put, Source, labelled_in, questions
from bot.learning.regressions import Regressions
from bot.matters.amending import Trial
from bot.matters.indexing import moved_on
from bot.matters.model import PublishedGuide
from bot.matters.service import MatterService
from bot.store import Store
from bot.text import normalise
from index.holder import SearcherHolder
from index.searcher import Searcher

LEASE = timedelta(minutes=10)
"""How long a worker that says nothing is waited for; encoding a large catalogue's new texts takes a while."""
TOLD_EVERY = 0.5
"""Seconds between two notes of how far it is."""
MOST_SHOWN = 200
"""Questions of each kind that are kept with the result."""

log = structlog.get_logger("wenban.learning")


class Stopped(Exception):
    """The evaluation is not wanted any more, or the worker ends."""


@dataclass(frozen=True)
class Running:
    """What is being evaluated."""

    id: int
    attempt: int
    draft: int
    base: str
    changes: Sequence[Change]


class Evaluator:
    """Carries out evaluations one after another."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        matters: MatterService,
        searchers: Callable[[], tuple[SearcherHolder, Callable[[Path], Searcher]]],
        calendar: Calendar,
        phrases: Phrases,
        labelled: Path,
    ) -> None:
        """``searchers``: the index in use, and what opens another folder as it is opened; called when first needed.

        ``labelled``: the installation's file of labelled questions, which need not be there.
        """
        self._store = store
        self._clock = clock
        self._matters = matters
        self._searchers = searchers
        self._calendar = calendar
        self._phrases = phrases
        self._labelled = labelled

    def run_next(self, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Carries out the evaluation that waits longest; False where none does. ``stopping`` is asked in between."""
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.claim_evaluation(work.session, now, now + LEASE)
            if row is None:
                return False
            running = Running(row.id, row.attempt, row.draft_id, row.base, changes_of(work.session, row.draft_id))
        try:
            self._evaluate(running, stopping)
        except Stopped:
            # where nobody else has it, this worker ends: another one begins it anew, at once
            with self._store.write() as work:
                repository.advance(work.session, running.id, running.attempt, {"state": "queued", "until": None})
            log.info("evaluation_stopped", evaluation=running.id)
        except WenbanError as error:
            self._failed(running, f"{error.message}{error.remedy or ''}")
        except Exception:
            log.exception("evaluation_failed", evaluation=running.id)
            self._failed(running, "评测时出错了，请看后台任务的日志，再评测一次。")
        return True

    def _evaluate(self, running: Running, stopping: Callable[[], bool]) -> None:
        teller = _Teller(lambda done, total: self._tell(running, done, total), stopping)
        holder, open_folder = self._searchers()
        amendment = amendment_of(running.base, running.changes)
        with self._matters.amending.trial(amendment, lambda *_: teller.wait()) as trial:
            guides = list(self._matters.guides())
            labelled = labelled_in(self._labelled, {guide.code for guide in guides})
            asked = questions(running.changes, Regressions(self._store, self._clock).all(), labelled, guides)
            holder.refresh()
            before = self._asker(holder.current(), self._matters)
            after = self._asker(open_folder(trial.index), _Amended(trial, self._matters))
            result = _Result()
            for number, put in enumerate(asked):
                teller.tell(number, len(asked))
                result.add(put, before.given(put), after.given(put))
            if self._matters.current_version() != running.base:
                raise moved_on()
        values = {"state": "done", "done": len(asked), "total": len(asked), "until": None, **result.values()}
        self._write(running, {**values, "ended_at": self._clock.now()})

    def _asker(self, searcher: Searcher, guides: Guides) -> _Asker:
        return _Asker(searcher, guides, self._calendar, self._phrases, self._clock.now().date())

    def _tell(self, running: Running, done: int, total: int) -> None:
        self._write(running, {"done": done, "total": total, "until": self._clock.now() + LEASE})

    def _failed(self, running: Running, trouble: str) -> None:
        values = {"state": "failed", "trouble": trouble[:500], "until": None, "ended_at": self._clock.now()}
        try:
            self._write(running, values)
        except Stopped:
            log.info("evaluation_superseded", evaluation=running.id)

    def _write(self, running: Running, values: dict[str, Any]) -> None:
        with self._store.write() as work:
            if not repository.advance(work.session, running.id, running.attempt, values):
                raise Stopped


class _Teller:
    """Says how far it is, not too often; stops where it is time to."""

    def __init__(self, write: Callable[[int, int], None], stopping: Callable[[], bool]) -> None:
        self._write = write
        self._stopping = stopping
        self._told = 0.0

    def wait(self) -> None:
        """Something goes on that has no count yet."""
        self.tell(0, 0)

    def tell(self, done: int, total: int) -> None:
        if self._stopping():
            raise Stopped
        if time.monotonic() - self._told >= TOLD_EVERY:
            self._write(done, total)
            self._told = time.monotonic()


class _Amended:
    """The guides as they would be."""

    def __init__(self, trial: Trial, others: Guides) -> None:
        self._trial = trial
        self._others = others

    def get(self, code: str, today: date) -> PublishedGuide | None:
        if code in self._trial.guides:
            return self._trial.get(code, today)
        return self._others.get(code, today)


class _Unseen:
    """A searcher that does not recognise the text it is asked for."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def find(self, text: str, **around: Any) -> Found:
        return self._searcher.search(text, unseen=True, **around).found


class _Asker:
    """One catalogue that can be asked."""

    def __init__(self, searcher: Searcher, guides: Guides, calendar: Calendar, phrases: Phrases, today: date) -> None:
        self._today = today
        seen: Finder = searcher
        unseen: Finder = _Unseen(searcher)
        self._seen = Assistant(lambda: seen, guides, calendar, phrases)
        self._unseen = Assistant(lambda: unseen, guides, calendar, phrases)

    def given(self, put: Put) -> Given:
        """What the question gets, in a conversation of its own."""
        assistant, focus = self._unseen if put.unseen else self._seen, Focus()
        for text in put.context:
            _, focus = assistant.answer(read(normalise(text)), focus, self._today, Speaker())
        reply, _ = assistant.answer(read(normalise(put.text)), focus, self._today, Speaker())
        offered = tuple(candidate.code for candidate in reply.candidates)
        return Given(reply.outcome, reply.matter, offered, round(reply.confidence, 4))


class _Result:
    """What came out, question by question."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._lists: dict[str, list[dict[str, Any]]] = {"better": [], "worse": [], "still_wrong": []}
        self._counts: Counter[str] = Counter()

    def add(self, put: Put, before: Given, after: Given) -> None:
        self._asked[put.source.value] += 1
        earlier, later = judged(put.expected, before), judged(put.expected, after)
        verdict = "unchanged" if later == earlier else "better" if later > earlier else "worse"
        self._counts[verdict] += 1
        wrong = put.source is Source.DRAFT and later < 1
        for name in (*([verdict] if verdict != "unchanged" else []), *(["still_wrong"] if wrong else [])):
            if len(self._lists[name]) < MOST_SHOWN:
                self._lists[name].append(_shown(put, before, after))

    def values(self) -> dict[str, Any]:
        counts = {name: self._counts[name] for name in ("better", "worse", "unchanged")}
        return {**counts, "result": {**self._lists, "asked": dict(self._asked)}}


def _shown(put: Put, before: Given, after: Given) -> dict[str, Any]:
    return {
        "text": put.text,
        "context": list(put.context),
        "source": put.source.value,
        "expected": sorted(put.expected.matters),
        "never": put.expected.never,
        "before": _as_json(before),
        "after": _as_json(after),
    }


def _as_json(given: Given) -> dict[str, Any]:
    return {
        "outcome": given.outcome,
        "matter": given.matter,
        "offered": list(given.offered),
        "confidence": given.confidence,
    }
