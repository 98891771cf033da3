"""Shares with their uncertainty, percentiles, and calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` out of ``of``; ``hits`` may hold halves, where a clarification counts as half."""

    hits: float
    of: int

    @property
    def share(self) -> float | None:
        """``hits / of``, or None where there was nothing to count."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of the share: how far it may be off by the luck of which questions were drawn."""
        if not self.of:
            return None
        z, n, p = 1.96, self.of, self.hits / self.of
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - reach), min(1.0, centre + reach)

    def to_dict(self) -> dict[str, object]:
        """JSON form: share, hits, of, interval."""
        interval = self.interval
        return {
            "share": _rounded(self.share),
            "hits": self.hits,
            "of": self.of,
            "interval": [round(bound, 4) for bound in interval] if interval else None,
        }


def rate(outcomes: Sequence[float | bool]) -> Rate:
    """The rate of ``outcomes``, each true/false or a credit between 0 and 1."""
    return Rate(float(sum(outcomes)), len(outcomes))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` (0..1) of ``values`` do not exceed; None of no values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers given at a confidence in ``low <= confidence < high`` (the last bin includes 1)."""

    low: float
    high: float
    count: int
    confidence: float | None
    """Mean confidence of the bin's answers."""
    right: float | None
    """Share of them that were right; a calibrated assistant has this equal to ``confidence``."""

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        return {
            "low": self.low,
            "high": self.high,
            "count": self.count,
            "confidence": _rounded(self.confidence),
            "right": _rounded(self.right),
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """The reliability table and two sums of it."""

    bins: tuple[Bin, ...]
    error: float | None
    """Expected calibration error: the mean gap between confidence and share right, weighted by the bins' counts."""
    brier: float | None
    """Mean squared distance of the confidence from what happened."""

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        bins = [b.to_dict() for b in self.bins]
        return {"expected_error": _rounded(self.error), "brier": _rounded(self.brier), "bins": bins}


def calibration(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> Calibration:
    """The calibration of ``pairs`` of a confidence (0..1) and whether that answer was right."""
    held: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for confidence, right in pairs:
        held[min(bins - 1, max(0, int(confidence * bins)))].append((confidence, right))
    table = tuple(_bin(number / bins, (number + 1) / bins, rows) for number, rows in enumerate(held))
    if not pairs:
        return Calibration(table, None, None)
    gaps = [b.count * abs(b.confidence - b.right) for b in table if b.confidence is not None and b.right is not None]
    brier = sum((confidence - right) ** 2 for confidence, right in pairs) / len(pairs)
    return Calibration(table, sum(gaps) / len(pairs), brier)


def _bin(low: float, high: float, rows: Sequence[tuple[float, bool]]) -> Bin:
    if not rows:
        return Bin(low, high, 0, None, None)
    confidence = sum(confidence for confidence, _ in rows) / len(rows)
    return Bin(low, high, len(rows), confidence, sum(right for _, right in rows) / len(rows))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
