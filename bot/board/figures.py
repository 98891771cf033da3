"""Formulas of supervision. Pure.

The on-time rate cannot be raised by leaving things undone: 按时办结 ÷（办结 + 仍未办结且已超时）. What was closed
within an extended deadline stands apart, neither in the numerator nor in the denominator, so that asking for extensions
does not raise the rate; what is late in spite of an extension counts as late. A unit has done its part when it has
answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened within a period, and what is open now (``open``, ``overdue``).

    ``filed``: registered; ``on_time``, ``extended``, ``late``: answered within the deadline, within an extended one,
    after it; ``returned``: sent back by the unit; ``judged``, ``satisfied``: five-level judgements given, and those of
    基本满意 and better; ``asked``, ``resolved``: called back, and those whose matter was resolved.
    """

    filed: int = 0
    on_time: int = 0
    extended: int = 0
    late: int = 0
    returned: int = 0
    judged: int = 0
    satisfied: int = 0
    asked: int = 0
    resolved: int = 0
    open: int = 0
    overdue: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    @property
    def done(self) -> int:
        """Answered within the period, in time or not."""
        return self.on_time + self.extended + self.late

    @property
    def on_time_rate(self) -> float | None:
        """See the module; None where nothing counts yet."""
        return share(self.on_time, self.on_time + self.late + self.overdue)

    @property
    def satisfaction(self) -> float | None:
        return share(self.satisfied, self.judged)

    @property
    def resolution(self) -> float | None:
        return share(self.resolved, self.asked)

    @property
    def return_rate(self) -> float | None:
        """Of all that the unit had to do with: what it sent back."""
        return share(self.returned, self.returned + self.done + self.open)


NAMES = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True, slots=True)
class Ranked:
    """A unit's place; None where it has no rate yet. Equal rates share a place."""

    place: int | None
    unit: str
    figures: Figures


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole``, None of nothing."""
    return part / whole if whole else None


def ranked(units: Iterable[tuple[str, Figures]]) -> Sequence[Ranked]:
    """Units by on-time rate, the best first; of equal rates who has done more stands first but shares the place."""

    def order(entry: tuple[str, Figures]) -> tuple[float, int, str]:
        rate = entry[1].on_time_rate
        return (-rate if rate is not None else 1.0, -entry[1].done, entry[0])

    found: list[Ranked] = []
    for position, (unit, figures) in enumerate(sorted(units, key=order), start=1):
        rate = figures.on_time_rate
        same = found and found[-1].figures.on_time_rate == rate
        place = None if rate is None else found[-1].place if same else position
        found.append(Ranked(place, unit, figures))
    return found


def by_upper(values: Mapping[str, Figures], upper: str, most: int) -> Sequence[tuple[str, Figures]]:
    """The ``most`` values with the most complaints; categories (大类/小类) by their upper part, whole below ``upper``.

    Values without a name are left out.
    """
    found: defaultdict[str, Figures] = defaultdict(Figures)
    for value, figures in values.items():
        found[value if upper else value.split("/")[0]] += figures
    named = [(value, figures) for value, figures in found.items() if value and figures.filed + figures.done]
    return sorted(named, key=lambda pair: (-pair[1].filed, -pair[1].done, pair[0]))[:most]
