"""Fills the review list: listens to the conversations' logs and puts what says alike together. Run by the worker.

A question is kept once for its line in the log, however often the log is read and however many workers read it. A
question joins the group it is nearest to on average, where that is near enough, and else begins one; groups that were
dismissed go on taking in what is like them, those that were published do not: what comes later is news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from bot.conversations.model import Event
from bot.conversations.tables import EventRow
from bot.learning import repository
from bot.learning.listening import missed_in
from bot.learning.model import NEAR, SETTLED, Missed, Stage
from bot.learning.tables import GroupRow, QuestionRow
from bot.store import Store
from index.encoder import Encoder

FIRST = timedelta(days=30)
"""How far back the first round listens."""
OVERLAP = timedelta(minutes=1)
"""What was being written when the last round looked is looked at again."""
BATCH = 100
"""Conversations of one transaction."""
MOST_NEW = 300
"""New questions of one round, some seconds of encoding: the worker's other jobs wait no longer. The next goes on."""
LONGEST_LOG = 500
"""Lines of a log that are read, the latest."""
MOST_GROUPS = 5_000
"""Groups a question is compared with, the latest."""

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Heard:
    conversation: str
    missed: Missed


class Gatherer:
    """Several workers may run one each; the mark is locked while a batch is written."""

    def __init__(self, store: Store, encoder: Callable[[], Encoder]) -> None:
        """``encoder`` is called when a question is first put into a group."""
        self._store = store
        self._encoder = encoder

    def refresh(self, now: datetime) -> int:
        """Listens to what was said since the last round; how many questions are new on the list."""
        with self._store.read() as session:
            mark = repository.heard_until(session)
        since = now - FIRST if mark is None else mark - OVERLAP
        # those that fell silent since: what was offered in them was not taken
        silent, _ = self._listen(since - SETTLED, min(since, now - SETTLED), now)
        added, reached = self._listen(since, now, now, MOST_NEW)
        with self._store.write() as work:
            row = repository.locked_mark(work.session)
            row.heard_until = reached if row.heard_until is None else max(reached, row.heard_until)
        return silent + added

    def _listen(self, since: datetime, until: datetime, now: datetime, most: int | None = None) -> tuple[int, datetime]:
        """How many questions are new, and up to when was listened: ``until``, or where ``most`` were reached."""
        added = 0
        for batch, reached in self._batches(since, until):
            with self._store.read() as session:
                logs = repository.logs(session, batch, LONGEST_LOG)
                heard = [_Heard(each, missed) for each, log in logs.items() for missed in _missed(log, now)]
                heard.sort(key=lambda each: (each.missed.at, each.conversation, each.missed.event))
                kept = repository.known(session, batch)
                fresh = [each for each in heard if (each.conversation, each.missed.event) not in kept]
                changed = any(
                    _differs(kept[place], each.missed)
                    for each in heard
                    if (place := (each.conversation, each.missed.event)) in kept
                )
            if fresh or changed:
                texts = [each.missed.text for each in fresh]
                vectors = self._encoder().encode_queries(texts) if texts else np.empty((0, 0), np.float32)
                added += self._write(heard, dict(zip(texts, vectors, strict=True)), now)
            if most is not None and added >= most:
                return added, reached
        return added, until

    def _batches(self, since: datetime, until: datetime) -> Iterator[tuple[list[str], datetime]]:
        after = ""
        while since <= until:
            with self._store.read() as session:
                rows = repository.touched(session, since, until, after, BATCH)
            if not rows:
                return
            since, after = rows[-1].updated_at, rows[-1].id
            yield [row.id for row in rows], since

    def _write(self, heard: Sequence[_Heard], vectors: Mapping[str, Vector], now: datetime) -> int:
        """Keeps what is new and what grew; how many are new."""
        with self._store.write() as work:
            session = work.session
            repository.locked_mark(session)
            kept = repository.known(session, {each.conversation for each in heard})
            fresh = []
            for each in heard:
                row = kept.get((each.conversation, each.missed.event))
                if row is None:
                    fresh.append(each)
                elif _differs(row, each.missed):
                    _update(row, each.missed)
            fresh = [each for each in fresh if each.missed.text in vectors]
            if fresh:
                _Groups(session, self._encoder().identity, now).take_in(fresh, vectors)
            return len(fresh)


class _Groups:
    """The groups that may grow, inside one transaction."""

    def __init__(self, session: Session, encoder: str, now: datetime) -> None:
        self._session = session
        self._encoder = encoder
        rows = repository.growing(session, encoder, now - timedelta(days=1), MOST_GROUPS)
        self._ids: list[int] = [row.id for row in rows]
        self._until: list[datetime | None] = [row.decided_at if row.stage == Stage.DONE else None for row in rows]
        self._sums = [np.frombuffer(row.total, np.float32) for row in rows]
        self._sizes = [row.size for row in rows]

    def take_in(self, heard: Sequence[_Heard], vectors: Mapping[str, Vector]) -> None:
        """Puts each question into its group."""
        means = np.stack([s / n for s, n in zip(self._sums, self._sizes, strict=True)]) if self._sums else None
        grown: dict[int, GroupRow] = {}
        for each in heard:
            vector = vectors[each.missed.text].astype(np.float32)
            place = None if means is None else self._nearest(means, vector, each.missed.at)
            if place is None:
                group = self._begun(each.missed, vector)
                grown[group.id] = group
                self._ids.append(group.id)
                self._until.append(None)
                self._sums.append(vector)
                self._sizes.append(1)
                means = vector[None] if means is None else np.concatenate([means, vector[None]])
            else:
                number = self._ids[place]
                if number not in grown:
                    grown |= repository.locked_groups(self._session, [number])
                group = grown[number]
                self._sums[place] = self._sums[place] + vector
                self._sizes[place] += 1
                group.total = self._sums[place].astype(np.float32).tobytes()
                group.size = self._sizes[place]
                group.first_at = min(group.first_at, each.missed.at)
                group.last_at = max(group.last_at, each.missed.at)
                if means is not None:
                    means[place] = self._sums[place] / self._sizes[place]
            self._session.add(_row(each, group.id, vector))

    def _nearest(self, means: Vector, vector: Vector, at: datetime) -> int | None:
        alike = means @ vector
        for place in map(int, np.argsort(-alike, kind="stable")):
            if alike[place] < NEAR:
                return None
            until = self._until[place]
            if until is None or at <= until:
                return place
        return None

    def _begun(self, missed: Missed, vector: Vector) -> GroupRow:
        group = GroupRow(
            stage=Stage.OPEN,
            version=0,
            title=missed.text,
            size=1,
            first_at=missed.at,
            last_at=missed.at,
            encoder=self._encoder,
            total=vector.tobytes(),
        )
        self._session.add(group)
        self._session.flush()
        return group


def _missed(log: Sequence[EventRow], now: datetime) -> list[Missed]:
    return missed_in([Event(event.number, event.kind, event.at, event.payload) for event in log], now)


def _grows(missed: Missed) -> dict[str, Any]:
    """What may come to be known of a question later."""
    values = {"cause": missed.cause.value, "then": missed.then}
    return {**values, "answer": missed.answer, "answered_by": missed.answered_by}


def _differs(row: QuestionRow, missed: Missed) -> bool:
    return any(getattr(row, name) != value for name, value in _grows(missed).items())


def _update(row: QuestionRow, missed: Missed) -> None:
    for name, value in _grows(missed).items():
        setattr(row, name, value)


def _row(heard: _Heard, group_id: int, vector: Vector) -> QuestionRow:
    missed = heard.missed
    return QuestionRow(
        conversation_id=heard.conversation,
        event=missed.event,
        group_id=group_id,
        at=missed.at,
        text=missed.text,
        said=missed.said,
        matter=missed.matter,
        confidence=missed.confidence,
        candidates=[list(each) for each in missed.candidates],
        vector=vector.astype(np.float16).tobytes(),
        **_grows(missed),
    )
