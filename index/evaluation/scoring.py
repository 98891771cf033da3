"""What a reply to a labelled question is worth, and the report over many of them.

The figures, each a :class:`~index.evaluation.rates.Rate`:

``answered_right``     the right matter was answered at once
``within_three``       that, or it was among the at most three choices of a clarification
``answered_wrong``     another matter was answered
``unanswerable``       an unanswerable question got no guide's facts; a clarification counts half, an error nothing
``facet``              all facets asked for were answered, where the right matter was
``follow_up_right`` / ``follow_up_within_three``   the first two over questions that have earlier turns

The first three are over answerable questions without earlier turns; ``follow_up_*`` over answerable ones with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from index.evaluation.questions import Question
from index.evaluation.rates import Calibration, Rate, calibration, percentile, rate

FORMAT = 1
"""Version of the JSON report; it changes when a key changes its meaning or goes."""

CHOICES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant replied: the parts of a chat reply that are scored, and the seconds the last turn took."""

    outcome: str
    matter: str | None
    candidates: tuple[str, ...]
    facets: tuple[str, ...]
    confidence: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Record:
    """A question and the reply it got."""

    question: Question
    answer: Answer

    @property
    def answered(self) -> bool:
        """Whether a guide's facts were given."""
        return self.answer.outcome == "answered"

    @property
    def right(self) -> bool:
        """Whether they were those of a right matter."""
        return self.answered and self.answer.matter in self.question.matters

    @property
    def wrong(self) -> bool:
        """Whether they were those of another matter, or nothing in the catalogue answers the question."""
        return self.answered and not self.right

    @property
    def within_three(self) -> bool:
        """Right, or a right matter is among the choices offered."""
        return self.right or (self.answer.outcome == "clarify" and bool(self.question.matters & set(self.offered)))

    @property
    def offered(self) -> tuple[str, ...]:
        """The codes offered as choices; more than three are not choices."""
        return self.answer.candidates[:CHOICES]

    @property
    def refusal(self) -> float:
        """Credit for giving no guide's facts, of an unanswerable question."""
        return {"answered": 0.0, "error": 0.0, "clarify": 0.5}.get(self.answer.outcome, 1.0)

    @property
    def facet_right(self) -> bool:
        """Whether every facet asked for was answered."""
        return set(self.question.facets) <= set(self.answer.facets)


@dataclass(frozen=True, slots=True)
class Scores:
    """The main figures over some records; see the module's docstring."""

    questions: int
    answered_right: Rate
    within_three: Rate
    answered_wrong: Rate
    unanswerable: Rate
    facet: Rate
    facet_exact: Rate
    """No facet missing and none too many, where the right matter was answered."""
    follow_up_right: Rate
    follow_up_within_three: Rate

    def rates(self) -> dict[str, Rate]:
        """The rates by name, in the order of reports."""
        return {name: value for name in self.__slots__ if isinstance(value := getattr(self, name), Rate)}

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        return {"questions": self.questions, **{name: value.to_dict() for name, value in self.rates().items()}}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one evaluation says."""

    scores: Scores
    calibration: Calibration
    latency: Mapping[str, float | None]
    """Milliseconds of the scored turn: p50, p95, p99, mean."""
    outcomes: Mapping[str, int]
    by_facet: Mapping[str, Scores]
    by_siblings: Mapping[str, Scores]
    """``siblings``: the matter shares its basic-catalogue number with another; ``single``: it does not."""
    wrong: Sequence[Record]

    def to_dict(self) -> dict[str, object]:
        """JSON form, stable within one FORMAT (docs/evaluation.md)."""
        return {
            "format": FORMAT,
            "scores": self.scores.to_dict(),
            "calibration": self.calibration.to_dict(),
            "latency_ms": {name: None if ms is None else round(ms, 1) for name, ms in self.latency.items()},
            "outcomes": dict(self.outcomes),
            "by_facet": {name: scores.to_dict() for name, scores in self.by_facet.items()},
            "by_siblings": {name: scores.to_dict() for name, scores in self.by_siblings.items()},
            "wrong": [described(record) for record in self.wrong],
        }


def described(record: Record) -> dict[str, object]:
    """JSON form of one record: the question, its labels and what was replied."""
    question, answer = record.question, record.answer
    return {
        "line": question.line,
        "text": question.text,
        "context": list(question.context),
        "matters": sorted(question.matters),
        "facets": list(question.facets),
        "outcome": answer.outcome,
        "answered": answer.matter,
        "candidates": list(answer.candidates),
        "answered_facets": list(answer.facets),
        "confidence": answer.confidence,
    }


def score(records: Sequence[Record]) -> Scores:
    """The main figures over ``records``."""
    single = [r for r in records if r.question.answerable and not r.question.context]
    follow_ups = [r for r in records if r.question.answerable and r.question.context]
    faceted = [r for r in records if r.right and r.question.facets]
    return Scores(
        questions=len(records),
        answered_right=rate([r.right for r in single]),
        within_three=rate([r.within_three for r in single]),
        answered_wrong=rate([r.wrong for r in single]),
        unanswerable=rate([r.refusal for r in records if not r.question.answerable]),
        facet=rate([r.facet_right for r in faceted]),
        facet_exact=rate([set(r.question.facets) == set(r.answer.facets) for r in faceted]),
        follow_up_right=rate([r.right for r in follow_ups]),
        follow_up_within_three=rate([r.within_three for r in follow_ups]),
    )


def report(records: Sequence[Record], siblings: Mapping[str, int] | None = None) -> Report:
    """The report over ``records``; ``siblings`` holds how many matters each code's sibling family has, with itself."""
    sizes = siblings or {}
    milliseconds = [r.answer.seconds * 1000 for r in records if r.answer.outcome != "error"]
    confident = [(r.answer.confidence, r.right) for r in records if r.answered and r.answer.confidence is not None]
    answerable = [r for r in records if r.question.answerable]
    return Report(
        scores=score(records),
        calibration=calibration(confident),
        latency={
            "p50": percentile(milliseconds, 0.5),
            "p95": percentile(milliseconds, 0.95),
            "p99": percentile(milliseconds, 0.99),
            "mean": sum(milliseconds) / len(milliseconds) if milliseconds else None,
        },
        outcomes=dict(Counter(r.answer.outcome for r in records).most_common()),
        by_facet=_grouped(answerable, lambda r: r.question.facets or ("none",)),
        by_siblings=_grouped(answerable, lambda r: (_sibling_group(r, sizes),)) if sizes else {},
        wrong=[r for r in records if r.wrong],
    )


def _grouped(records: Sequence[Record], names: Callable[[Record], Sequence[str]]) -> dict[str, Scores]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        for name in names(record):
            groups.setdefault(name, []).append(record)
    return {name: score(group) for name, group in sorted(groups.items())}


def _sibling_group(record: Record, sizes: Mapping[str, int]) -> str:
    return "siblings" if any(sizes.get(code, 1) > 1 for code in record.question.matters) else "single"
