"""Complaints that may tell of the same incident, for an operator who decides whether to merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from sqlalchemy import select

from bot.clock import Clock
from bot.complaints import repository as complaints
from bot.complaints.model import STATE_NAMES, State
from bot.complaints.tables import ComplaintRow
from bot.store import Store
from index.pairing import PairModel, report

WITHIN = timedelta(days=30)
MOST_COMPARED = 5_000
CLOSELY = 20
SHOWN = 5
LEAST = 0.2
"""Less likely ones are not shown."""


@dataclass(frozen=True, slots=True)
class Similar:
    """Another open complaint, and how likely it tells of the same incident. Probability in 0..1, calibrated."""

    number: str
    text: str
    location: str | None
    department: str | None
    state_name: str
    probability: float


class SimilarFinder:
    """Finds likely duplicates of a complaint. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock, pairs: PairModel | None = None) -> None:
        self._store = store
        self._clock = clock
        self._pairs = pairs or PairModel.load()

    def similar(self, number: str) -> Sequence[Similar]:
        """The open complaints of the last thirty days that may tell of the same, the likeliest first."""
        with self._store.read() as session:
            own = complaints.by_number(session, number)
            if own is None:
                return []
            since = self._clock.now() - WITHIN
            rows = [
                row for row in complaints.open_since(session, since, own.encoder, MOST_COMPARED) if row.id != own.id
            ]
            if not rows:
                return []
            mine = np.frombuffer(own.vector, np.float16).astype(np.float32)
            vectors = np.stack([np.frombuffer(row.vector, np.float16) for row in rows]).astype(np.float32)
            reported = report(own.text, own.location, mine)
            found: list[tuple[float, int]] = []
            for place in np.argsort(-(vectors @ mine))[:CLOSELY]:
                row = rows[int(place)]
                likely = self._pairs.same_incident(report(row.text, row.location, vectors[place]), reported)
                if likely >= LEAST or row.id == own.duplicate_of_id:
                    found.append((likely, row.id))
            found = sorted(found, reverse=True)[:SHOWN]
            chosen = select(ComplaintRow).where(ComplaintRow.id.in_([each for _, each in found]))
            kept = {row.id: row for row in session.scalars(chosen)}
            return [_similar(kept[each], likely) for likely, each in found]


def _similar(row: ComplaintRow, probability: float) -> Similar:
    return Similar(row.number, row.text, row.location, row.department, STATE_NAMES[State(row.state)], probability)
