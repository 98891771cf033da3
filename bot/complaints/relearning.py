"""What people decided about complaints, kept as lessons: what re-learning would change, doing it, and undoing it.

The lessons are the events of the complaints themselves: an operator's choice of unit, a unit's return, and a unit's
signing, which vouches for what was sent to it. Learning sets them beside the learned decision as a memory
(:mod:`index.memory`); the weights that ship stay as they are. Cleared complaints (retention.py) teach nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import structlog

from bot.clock import Clock
from bot.complaints import repository
from bot.complaints.deciding import Decider
from bot.complaints.lessons import Decided
from bot.complaints.lessons import decided as decided_until
from bot.complaints.tables import RelearningRow
from bot.errors import Conflict
from bot.store import Store
from index.memory import Lesson, Memory, Shares, Tuning, cross_validated, first, folds, tuned

log = structlog.get_logger("wenban.complaints")

LEAST_LESSONS = 30
"""Decisions below which nothing is learned: their folds say too little."""
OFFERED = 3


@dataclass(frozen=True, slots=True)
class Score:
    """Of ``of`` complaints: right unit first, among three; sent without asking, and of these rightly."""

    of: int
    first: int
    three: int
    sent: int
    sent_right: int


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A complaint that would go to another unit. ``right``: the unit that had it in the end, where one did."""

    number: str
    text: str
    before: str | None
    after: str | None
    right: str | None
    better: bool | None
    """None: both are wrong, or both are possible."""


@dataclass(frozen=True)
class Review:
    """What re-learning would change. ``before`` is the decision as it ships; ``after`` is held out, fold by fold.

    ``triaged``: the part of the decisions where somebody chose or refused; the rest went as it was sent.
    """

    until: datetime
    decisions: int
    triaged: int
    before: Score
    after: Score
    before_triaged: Score
    after_triaged: Score
    tuning: Tuning
    otherwise: tuple[Otherwise, ...]
    in_force: int | None
    """The number of what was learned and is used now."""

    @property
    def gains(self) -> bool:
        """Whether it is worth doing: enough decisions, and more of them right than without."""
        return self.decisions >= LEAST_LESSONS and self.tuning.weight > 0 and self.after.first > self.before.first


class Remembered:
    """What was learned and is in force, kept in memory until another is. Safe to use from several threads."""

    def __init__(self, store: Store, encoder: str) -> None:
        """``encoder``: identity of the one whose vectors are compared."""
        self._store = store
        self._encoder = encoder
        self._lock = Lock()
        self._held: tuple[int | None, Memory | None] = (None, None)

    def current(self) -> Memory | None:
        """None where nothing was learned."""
        with self._store.read() as session:
            row = repository.relearning_in_force(session)
        number = row.id if row is not None else None
        with self._lock:
            if self._held[0] != number:
                self._held = (number, self._made(row) if row is not None else None)
            return self._held[1]

    def _made(self, row: RelearningRow) -> Memory:
        with self._store.read() as session:
            decided = decided_until(session, self._encoder, row.until)
        log.info("relearned_in_use", number=row.id, decisions=len(decided))
        return Memory([each.lesson for each in decided], Tuning(row.weight, row.reach))


class Relearning:
    """Use cases of ``wenban eval relearn``."""

    def __init__(self, store: Store, clock: Clock, decider: Decider, encoder: str) -> None:
        self._store = store
        self._clock = clock
        self._decider = decider
        self._encoder = encoder

    def review(self) -> Review:
        """What learning from the decisions kept by now would change. Changes nothing."""
        until = self._clock.now()
        with self._store.read() as session:
            decided = decided_until(session, self._encoder, until)
            row = repository.relearning_in_force(session)
            in_force = row.id if row is not None else None
        return self._reviewed(decided, until, in_force)

    def apply(self, actor: str) -> Review:
        """Learns what :meth:`review` says, as a new version. Raises Conflict where nothing is gained."""
        review = self.review()
        if not review.gains:
            raise Conflict(
                "这些决定还教不会什么：数量太少，或者学了不会派得更准。",
                code="relearning_gains_nothing",
                remedy=f"至少要有 {LEAST_LESSONS} 件，且交叉验证中承办单位一次对的要变多；等坐席多分派一些再试。",
            )
        with self._store.write() as work:
            row = RelearningRow(
                at=self._clock.now(),
                actor=actor,
                until=review.until,
                weight=review.tuning.weight,
                reach=review.tuning.reach,
                decisions=review.decisions,
                right_before=review.before.first,
                right_after=review.after.first,
            )
            work.session.add(row)
            work.session.flush()
            work.audit(actor, "complaints.relearn", f"relearning:{row.id}", _told(review))
        return review

    def undo(self, actor: str) -> int:
        """Goes back to what was in force before, and gives the number that is not any more. Raises Conflict."""
        with self._store.write() as work:
            row = repository.relearning_in_force(work.session, lock=True)
            if row is None:
                raise Conflict("现在没有用着学到的东西。", code="nothing_relearned", remedy="不用撤销。")
            row.undone_at = self._clock.now()
            work.audit(actor, "complaints.relearn_undo", f"relearning:{row.id}")
            return row.id

    def _reviewed(self, decided: Sequence[Decided], until: datetime, in_force: int | None) -> Review:
        lessons = [each.lesson for each in decided]
        before = [self._decider.shares(each.text, each.location) for each in decided]
        enough = len(lessons) >= LEAST_LESSONS
        after = cross_validated(lessons, before) if enough else [dict(each) for each in before]
        tuning = tuned(lessons, before, folds(lessons)) if enough else Tuning(0.0, 1.0)
        triaged = [place for place, each in enumerate(decided) if each.triaged]

        def scores(shares: Sequence[Shares]) -> tuple[Score, Score]:
            threshold = self._decider.threshold
            chosen = [shares[place] for place in triaged]
            return _score(lessons, shares, threshold), _score([lessons[p] for p in triaged], chosen, threshold)

        (all_before, triaged_before), (all_after, triaged_after) = scores(before), scores(after)
        return Review(
            until=until,
            decisions=len(decided),
            triaged=len(triaged),
            before=all_before,
            after=all_after,
            before_triaged=triaged_before,
            after_triaged=triaged_after,
            tuning=tuning,
            otherwise=tuple(_otherwise(decided, before, after)),
            in_force=in_force,
        )


def _fits(lesson: Lesson, unit: str | None) -> bool:
    """Whether ``unit`` is the right one; where that is not known, whether it did not return the complaint."""
    return unit == lesson.right if lesson.right is not None else unit is not None and unit not in lesson.wrong


def _score(lessons: Sequence[Lesson], shares: Sequence[Shares], threshold: float) -> Score:
    right = [_fits(lesson, first(given)) for lesson, given in zip(lessons, shares, strict=True)]
    sent = [max(given.values(), default=0.0) >= threshold for given in shares]
    three = [
        any(_fits(lesson, unit) for unit in sorted(given, key=lambda name: -given[name])[:OFFERED])
        for lesson, given in zip(lessons, shares, strict=True)
    ]
    return Score(len(lessons), sum(right), sum(three), sum(sent), sum(r for r, s in zip(right, sent, strict=True) if s))


def _otherwise(decided: Sequence[Decided], before: Sequence[Shares], after: Sequence[Shares]) -> list[Otherwise]:
    found = []
    for each, old, new in zip(decided, before, after, strict=True):
        was, becomes = first(old), first(new)
        if was == becomes:
            continue
        fitted, fits = _fits(each.lesson, was), _fits(each.lesson, becomes)
        better = fits if fits != fitted else None
        found.append(Otherwise(each.number, each.text, was, becomes, each.lesson.right, better))
    return found


def _told(review: Review) -> dict[str, Any]:
    return {
        "until": review.until.isoformat(),
        "decisions": review.decisions,
        "right_before": review.before.first,
        "right_after": review.after.first,
        "weight": review.tuning.weight,
        "reach": review.tuning.reach,
    }
