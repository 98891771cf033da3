"""By when a complaint must be signed for, first replied to, and closed; what pauses and extensions make of it. Pure.

Limits are data (``limits.toml``, or the administrator's own file). They count in working days from the day after filing
(行政许可法第八十二条 counts likewise) and end when offices close; urgent ones count in hours around the clock. What
was counted is kept with the complaint (:class:`Counted`): it is counted anew when a year's holidays are published.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from bot.clock import ZONE
from bot.complaints.model import Kind
from bot.rule_file import RuleFile, Table
from bot.workdays import LONGEST_LIMIT, Deadline

OWN_FILE = "complaint-limits.toml"
"""Under the home: a city's own limits in place of the shipped ones."""

_CLOCKS = ("sign", "reply", "close", "return")


class Calendar(Protocol):
    """Counts working days (see ``bot.workdays``)."""

    def after(self, start: date, working_days: int) -> Deadline: ...
    def working_days_between(self, first: date, last: date) -> int: ...


@dataclass(frozen=True, slots=True)
class Counted:
    """What the deadlines of a complaint that is not urgent are counted from.

    ``days``: working days by clock, with extensions; ``sign`` and ``return`` from the day after ``sent``, ``reply`` and
    ``close`` from the day after ``start`` and over every pause (first day, last day) since.
    """

    start: date
    sent: date
    days: Mapping[str, int]
    pauses: tuple[tuple[date, date], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "start": self.start.isoformat(),
            "sent": self.sent.isoformat(),
            "days": dict(self.days),
            "pauses": [[first.isoformat(), last.isoformat()] for first, last in self.pauses],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Counted:
        pauses = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in values["pauses"])
        return cls(date.fromisoformat(values["start"]), date.fromisoformat(values["sent"]), values["days"], pauses)


@dataclass(frozen=True, slots=True)
class Due:
    """The deadlines of one complaint. ``provisional``: rests on a year whose holidays are not published yet.

    ``counted`` None: in hours, for an urgent one.
    """

    sign: datetime
    reply: datetime
    close: datetime
    return_until: datetime
    provisional: bool
    counted: Counted | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """The table of limits."""

    closes: time
    extension: int
    most_extensions: int
    urgent: Mapping[str, float]
    default: Mapping[str, int]
    by_kind: Mapping[str, Mapping[str, int]]
    by_category: Mapping[str, Mapping[str, int]]

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Limits:
        """The table in ``values``; raises ValueError (in Chinese)."""
        try:
            hours = {name: float(values["urgent"][f"{name}_hours"]) for name in _CLOCKS}
            default = {name: int(values["default"][name]) for name in _CLOCKS}
            closes = time.fromisoformat(str(values["office_closes"]))
            extension, most = int(values.get("extension", 0)), int(values.get("most_extensions", 0))
            rows = [dict(values.get(part) or {}) for part in ("kind", "category")]
        except (KeyError, TypeError) as error:
            raise ValueError(f"缺少 {error}") from None
        for row in (default, *rows[0].values(), *rows[1].values()):
            for name, days in row.items():
                if name not in _CLOCKS or not isinstance(days, int) or not 0 <= days <= LONGEST_LIMIT:
                    raise ValueError(f"{name} = {days} 不是时限：应为 {'、'.join(_CLOCKS)} 之一和工作日数")
        unknown = set(rows[0]) - {kind.value for kind in Kind}
        if unknown:
            raise ValueError(f"没有“{min(unknown)}”这种诉求类型")
        if min(hours.values()) <= 0 or extension < 0 or most < 0:
            raise ValueError("时限不能为零或负数")
        return cls(closes, extension, most, hours, default, *rows)

    def days(self, clock: str, kind: Kind, category: str) -> int:
        """Working days of ``clock`` (sign, reply, close, return) by the most telling row that names it."""
        rows = (
            self.by_category.get(category),
            self.by_category.get(category.split("/")[0]),
            self.by_kind.get(kind.value),
            self.default,
        )
        return next(row[clock] for row in rows if row and clock in row)


def _shipped() -> str:
    return files("bot.complaints").joinpath("limits.toml").read_text("utf-8")


TABLE = Table(
    name="complaint_limits",
    title="诉求时限",
    file=OWN_FILE,
    page="docs/complaints.md",
    shipped=_shipped,
    parse=lambda text: Limits.parse(tomllib.loads(text)),
)


def load_limits(home: Path | None = None) -> Limits:
    """The city's own table under ``home``, else the shipped one. Raises ConfigurationError that names the file."""
    return TABLE.parse(TABLE.shipped()) if home is None else RuleFile(home, TABLE).current()


def due(filed: datetime, kind: Kind, category: str, urgent: bool, limits: Limits, calendar: Calendar) -> Due:
    """The deadlines of a complaint filed at ``filed``."""
    if urgent:
        moments = {name: filed + timedelta(hours=hours) for name, hours in limits.urgent.items()}
        return Due(moments["sign"], moments["reply"], moments["close"], moments["return"], provisional=False)
    day = filed.astimezone(ZONE).date()
    days = {name: limits.days(name, kind, category) for name in _CLOCKS}
    return ends(Counted(day, day, days), limits, calendar)


def ends(counted: Counted, limits: Limits, calendar: Calendar) -> Due:
    """The deadlines that ``counted`` makes by ``calendar``."""
    paused = sum(calendar.working_days_between(first, last) for first, last in counted.pauses)
    days = counted.days
    found = {
        "sign": calendar.after(counted.sent, days["sign"]),
        "return": calendar.after(counted.sent, days["return"]),
        "reply": calendar.after(counted.start, days["reply"] + paused),
        "close": calendar.after(counted.start, days["close"] + paused),
    }
    moments = {name: datetime.combine(end.date, limits.closes, ZONE) for name, end in found.items()}
    return Due(
        moments["sign"],
        moments["reply"],
        moments["close"],
        moments["return"],
        provisional=any(end.provisional for end in found.values()),
        counted=counted,
    )


def sent(
    before: Due, now: datetime, kind: Kind, category: str, urgent: bool, limits: Limits, calendar: Calendar
) -> Due:
    """The deadlines after a unit (or the desk) was sent the complaint: it has its whole time to sign for it."""
    fresh = due(now, kind, category, urgent, limits, calendar)
    if before.counted is None or fresh.counted is None:
        return replace(before, sign=fresh.sign, return_until=fresh.return_until)
    days = {**before.counted.days, **{name: fresh.counted.days[name] for name in ("sign", "return")}}
    return ends(replace(before.counted, sent=fresh.counted.sent, days=days), limits, calendar)


def reclassified(
    before: Due,
    now: datetime,
    kind: Kind,
    category: str,
    urgent: bool,
    extensions: int,
    limits: Limits,
    calendar: Calendar,
) -> Due:
    """The deadlines of what turned out to be of another kind or category, or urgent, or not.

    Working days run from where they ran before, with the pauses and ``extensions`` there were. What is urgent only now
    has its hours from ``now``, since nobody knew before; what no longer is has its working days from where the hours
    began.
    """
    if urgent:
        return before if before.counted is None else due(now, kind, category, True, limits, calendar)
    counted = before.counted
    if counted is None:
        began = before.close - timedelta(hours=limits.urgent["close"])
        return sent(due(began, kind, category, False, limits, calendar), now, kind, category, False, limits, calendar)
    days = {name: limits.days(name, kind, category) for name in _CLOCKS}
    days["close"] += extensions * limits.extension
    return ends(replace(counted, days=days), limits, calendar)


def extended(before: Due, limits: Limits, calendar: Calendar) -> Due:
    """The deadlines with one extension: the closing moves by its working days, nothing else does."""
    if before.counted is None:
        end = calendar.after(before.close.astimezone(ZONE).date(), limits.extension)
        close = datetime.combine(end.date, limits.closes, ZONE)
        return replace(before, close=close, provisional=before.provisional or end.provisional)
    days = {**before.counted.days, "close": before.counted.days["close"] + limits.extension}
    return ends(replace(before.counted, days=days), limits, calendar)


def resumed(before: Due, paused_at: datetime, now: datetime, urgent: bool, limits: Limits, calendar: Calendar) -> Due:
    """The deadlines after a pause: reply and closing move by the working days it lasted (urgent: by its time)."""
    if urgent or before.counted is None:
        lasted = now - paused_at
        return replace(before, reply=before.reply + lasted, close=before.close + lasted)
    pause = (paused_at.astimezone(ZONE).date(), now.astimezone(ZONE).date())
    return ends(replace(before.counted, pauses=(*before.counted.pauses, pause)), limits, calendar)
