"""From which probability to answer and to offer choices.

Whoever is asked back has to answer once more, and the share answered at once is what falls most from one city to the
next. So it is answered as early as every figure keeps a distance from its floor; where none can, the figure nearest to
its floor is kept furthest from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.searched import Looks

FLOORS = {"at_once": (0.82, 0.016), "within": (0.95, 0.0095), "right": (0.96, 0.008), "refused": (0.75, 0.033)}
"""Shares to reach and their standard errors; ``right`` is one less the wrong answers."""

SPARE = 1.5
"""Standard errors that every figure of every city keeps above its floor: the next city is unlike those that were
measured. More would be bought with questions asked back that could have been answered."""

WRONG_FOLLOW = 0.05
"""Share of what is asked after a turn that may be answered with a wrong matter."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what both looks say of it."""

    looks: Looks
    right: frozenset[str]
    follows: bool
    family: str

    def labels(self) -> np.ndarray:
        """Which of the matters found, or none last, is right."""
        return np.array([*(code in self.right for code in self.looks.codes), not self.right])


class Outcomes:
    """What is needed of each question to say how it fares under any thresholds; follow-ups or the others."""

    def __init__(self, asked: Sequence[Asked], probability: Sequence[np.ndarray], *, follows: bool) -> None:
        rows = [(a, p, np.argsort(-p[:-1], kind="stable")[:3]) for a, p in zip(asked, probability, strict=True)]
        rows = [row for row in rows if row[0].follows == follows]
        self._best = np.array([p[order[0]] for _, p, order in rows])
        self._three = np.array([p[order].sum() for _, p, order in rows])
        hits = [[a.looks.codes[i] in a.right for i in order] for a, _, order in rows]
        self._first = np.array([hit[0] for hit in hits], bool)
        self._among = np.array([any(hit) for hit in hits], bool)
        self._known = np.array([bool(a.right) for a, _, _ in rows], bool)

    def under(self, answer: float, clarify: float) -> dict[str, float]:
        """Shares as named in :data:`FLOORS`; those without a question are left out."""
        answers = self._best >= answer
        offers = ~answers & (self._three >= clarify)
        shares = {}
        if self._known.any():
            at_once = answers & self._first
            shares["at_once"] = at_once[self._known].mean()
            shares["within"] = (at_once | (offers & self._among))[self._known].mean()
            shares["right"] = 1 - (answers & ~self._first)[self._known].mean()
        if not self._known.all():
            shares["refused"] = (1 - answers - 0.5 * offers)[~self._known].mean()
        return {name: float(share) for name, share in shares.items()}


def measure(
    asked: Sequence[Asked], probability: Sequence[np.ndarray], answer: float, clarify: float
) -> dict[str, float]:
    """Shares of single questions, and of follow-ups with ``follow_`` before."""
    singles = Outcomes(asked, probability, follows=False).under(answer, clarify)
    follows = Outcomes(asked, probability, follows=True).under(answer, clarify)
    return {**singles, **{f"follow_{name}": share for name, share in follows.items()}}


def choose(cities: Sequence[tuple[Sequence[Asked], Sequence[np.ndarray]]]) -> dict[str, float]:
    """The thresholds as said above, and the one for follow-ups. A city is its questions with their probabilities."""
    singles = [Outcomes(asked, probability, follows=False) for asked, probability in cities]
    follows = [Outcomes(asked, probability, follows=True) for asked, probability in cities]

    def margin(pair: tuple[float, float]) -> float:
        shares = [city.under(*pair) for city in singles]
        return min((got[name] - FLOORS[name][0]) / FLOORS[name][1] for got in shares for name in FLOORS if name in got)

    def right(answer: float) -> float:
        return min(city.under(answer, clarify).get("right", 1) for city in follows)

    steps = [round(float(step), 2) for step in np.arange(0.06, 0.9, 0.02)]
    pairs = {(a, c): margin((a, c)) for a in steps if a >= 0.3 for c in steps if c < a}
    answer, clarify = max(pairs, key=lambda pair: (min(pairs[pair], SPARE), -pair[0], pairs[pair]))
    enough = (t for t in steps if t > clarify and right(t) >= 1 - WRONG_FOLLOW)
    return {"answer": answer, "clarify": clarify, "answer_follow": next(enough, steps[-1])}
