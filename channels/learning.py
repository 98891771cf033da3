"""Learning's parts put together, for the gateway and for the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import structlog

from bot.answers.limits import Calendar
from bot.answers.phrases import Phrases
from bot.clock import Clock
from bot.learning.drafting import Drafting
from bot.learning.evaluating import Evaluator
from bot.learning.gathering import Gatherer
from bot.learning.regressions import Regressions
from bot.learning.review import Reviewing
from bot.matters.service import MatterService
from bot.settings import Settings
from bot.store import Store
from channels.worker import Job
from index.encoder import Encoder, open_encoder
from index.holder import SearcherHolder
from index.ranking import Ranker
from index.searcher import Searcher
from index.second import SecondLook

LISTEN_EVERY = timedelta(seconds=10)
LOOK_EVERY = timedelta(seconds=2)
"""How often it is looked whether an editor asked for an evaluation."""
LABELLED = "questions.jsonl"

log = structlog.get_logger("wenban.learning")


@dataclass(frozen=True)
class Learning:
    """The review list, the draft and the regression cases."""

    reviewing: Reviewing
    drafting: Drafting
    cases: Regressions


def build_learning(store: Store, clock: Clock, matters: MatterService) -> Learning:
    """The services of the editors' pages."""
    return Learning(Reviewing(store, clock), Drafting(store, clock, matters), Regressions(store, clock))


def labelled_file(settings: Settings) -> Path:
    """Where the installation keeps its labelled questions."""
    return settings.evaluation_file or settings.home / LABELLED


def learning_jobs(settings: Settings, store: Store, clock: Clock, calendar: Calendar, phrases: Phrases) -> list[Job]:
    """What the worker does: fill the review list, carry out evaluations. The encoder is opened when first needed."""
    encoder = cache(lambda: open_encoder(settings.encoder, threads=1))
    gatherer = Gatherer(store, encoder)

    def listen(now: datetime) -> None:
        if heard := gatherer.refresh(now):
            log.info("questions_to_review", number=heard)

    evaluations = Evaluations(evaluator(settings, store, clock, calendar, phrases, encoder))
    return [Job("listen", LISTEN_EVERY, listen), evaluations.job()]


def evaluator(
    settings: Settings,
    store: Store,
    clock: Clock,
    calendar: Calendar,
    phrases: Phrases,
    encoder: Callable[[], Encoder],
) -> Evaluator:
    """Carries out evaluations with the models that serve."""
    root = settings.home / "index"

    @cache
    def searchers() -> tuple[SearcherHolder, Callable[[Path], Searcher]]:
        ranker, second = Ranker.load(), SecondLook.beside(encoder(), threads=1)
        holder = SearcherHolder(root, encoder(), ranker, second)
        return holder, lambda folder: Searcher.open(folder, encoder(), ranker, second)

    matters = MatterService(store, clock, root, encoder)
    return Evaluator(store, clock, matters, searchers, calendar, phrases, labelled_file(settings))


class Evaluations:
    """Carries out evaluations in a thread of its own: the worker's other jobs go on meanwhile."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._ending = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evaluation")
        self._running: Future[bool] | None = None

    def job(self) -> Job:
        """The worker's job."""

        def run(_: datetime) -> None:
            if self._running is None or self._running.done():
                self._running = self._thread.submit(self._run)

        return Job("evaluate", LOOK_EVERY, run, self.close)

    def _run(self) -> bool:
        try:
            return self._evaluator.run_next(self._ending.is_set)
        except Exception:
            log.exception("evaluations_interrupted")
            return False

    def close(self) -> None:
        """Gives back what is running, to be begun anew by another worker."""
        self._ending.set()
        self._thread.shutdown(wait=True)
