"""Which of the complaints before tells of the same incident: a first look at the nearest, a second that reads a few.

The first look compares what can be counted (:mod:`index.pairing`); the second sets both texts against each other token
by token, as questions and guides are read. Trained by :mod:`index.training.pairing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from index.encoder import Encoder, Vectors
from index.pairing import PairModel, Report, denies
from index.reranker import Reranker

READER = Path(__file__).parent / "models" / "pair_reader"
NEAREST = 20
"""Earlier complaints that a first look is taken at, the nearest by their vectors."""
READ = 4
"""Of those, the likeliest that are read."""


class Incidents:
    """The shipped models together. Safe to use from several threads."""

    def __init__(self, model: PairModel, reader: Reranker | None) -> None:
        """``reader`` None: the first look decides alone."""
        self._model, self._reader = model, reader

    @classmethod
    def beside(cls, encoder: Encoder) -> Incidents:
        """What ships; with another encoder than the shipped one nothing is read. Raises EncoderUnavailable."""
        return cls(PairModel.load(), Reranker.beside(encoder, READER, threads=1))

    def same(self, own: Report, vectors: Vectors, other: Callable[[int], Report]) -> int | None:
        """The place of the complaint that tells of the incident of ``own``; None where none is likely enough.

        ``vectors``: of the complaints before, a row each; ``other`` makes the report of one.
        """
        nearest = np.argsort(-(vectors @ own.vector), kind="stable")[:NEAREST]
        reports = [other(int(place)) for place in nearest]
        first = [self._model.first(report, own) for report in reports]
        possible = [place for place, report in enumerate(reports) if not denies(report, own)]
        chosen = sorted(possible, key=lambda place: -first[place])[:READ]
        if not chosen:
            return None
        if self._reader is None:
            likely, threshold = self._model.same_incident(reports[chosen[0]], own), self._model.threshold_unread
            return int(nearest[chosen[0]]) if likely >= threshold else None
        said = self._said(self._reader, own, [reports[place] for place in chosen])
        likely, best = max(
            (self._model.both(first[place], logit), place) for place, logit in zip(chosen, said, strict=True)
        )
        return int(nearest[best]) if likely >= self._model.threshold else None

    @staticmethod
    def _said(reader: Reranker, own: Report, others: Sequence[Report]) -> list[float]:
        mine, *theirs = reader.encoder.read_queries([own.reading, *(other.reading for other in others)])[1]
        return [float(logit) for logit in reader.logits(mine, theirs)]
