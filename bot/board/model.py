"""What supervision looks at, as values: lights, measures, and the filter that every number and every list shares. Pure.

A filter is its query string: a number on the board links to the list of exactly the complaints it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from bot.clock import ZONE
from bot.complaints.model import OPEN, Act, Kind, State
from bot.errors import InvalidInput
from bot.supervision.model import Calendar, Light, Yellow, yellow_before

PERIOD_DAYS = 30
"""Days the board looks back where nothing else is asked for."""
LONGEST_PERIOD = 366
LONGEST_VALUE = 200


LIGHT_NAMES = {Light.RED: "红灯（已超时）", Light.YELLOW: "黄灯（临近）", Light.GREEN: "绿灯（正常）"}


class Measure(StrEnum):
    """Which complaints are meant. Those in :data:`NOW` are as of now, the others happened within the period."""

    OPEN = "open"
    HELD = "held"  # open, and with the unit: neither returned nor waiting to be sent to one
    TRIAGE = "triage"
    OVERDUE = "overdue"
    REVIEW = "review"
    EXTENSION = "extension"
    FILED = "filed"
    DONE = "done"
    ON_TIME = "on_time"
    EXTENDED = "extended"
    LATE = "late"
    RETURNED = "returned"
    DISSATISFIED = "dissatisfied"
    UNRESOLVED = "unresolved"


MEASURE_NAMES = {
    Measure.OPEN: "在办",
    Measure.HELD: "在本单位办理",
    Measure.TRIAGE: "待派单",
    Measure.OVERDUE: "超时未办结",
    Measure.REVIEW: "已答复待审核",
    Measure.EXTENSION: "申请延期",
    Measure.FILED: "期间登记",
    Measure.DONE: "期间办结",
    Measure.ON_TIME: "按时办结",
    Measure.EXTENDED: "延期后按时办结",
    Measure.LATE: "超时办结",
    Measure.RETURNED: "期间退回",
    Measure.DISSATISFIED: "评价不满意",
    Measure.UNRESOLVED: "回访未解决",
}
NOW = frozenset({Measure.OPEN, Measure.HELD, Measure.TRIAGE, Measure.OVERDUE, Measure.REVIEW, Measure.EXTENSION})
"""Measures that the period does not bound."""

ACT_NAMES: Mapping[str, str] = {
    "file": "登记",
    "join": "他人加入",
    Act.DISPATCH: "派单",
    Act.SIGN: "签收",
    Act.REPLY: "首次回复",
    Act.RETURN: "退回",
    Act.TAKE_BACK: "收回",
    Act.RECLASSIFY: "改分类",
    Act.ASK_EXTENSION: "申请延期",
    Act.GRANT_EXTENSION: "批准延期",
    Act.REFUSE_EXTENSION: "不批准延期",
    Act.PAUSE: "暂停计时",
    Act.RESUME: "恢复计时",
    Act.ANSWER: "答复",
    Act.REVIEW: "审核",
    Act.CLOSE: "办结",
    Act.CORRECT: "市民更正",
    Act.WITHDRAW: "市民撤回",
    Act.SUPPLEMENT: "市民补充",
    Act.REOPEN: "重新办理",
    Act.MERGE: "并入",
    Act.SPLIT: "拆出",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty fields do not filter. ``since`` and ``until`` are the first and the last day of the period."""

    show: Measure = Measure.OPEN
    department: str = ""
    kind: str = ""
    category: str = ""
    area: str = ""
    urgent: bool = False
    light: str = ""
    state: str = ""
    number: str = ""
    hot: int = 0
    since: date | None = None
    until: date | None = None

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Filter:
        """The filter of a query string; unknown names are left alone. Raises InvalidInput that names the faulty one."""
        found: dict[str, Any] = {}
        for name in ("department", "kind", "category", "area", "light", "state", "number"):
            if value := values.get(name, "").strip():
                found[name] = value[:LONGEST_VALUE]
        try:
            if values.get("show"):
                found["show"] = Measure(values["show"])
            if found.get("light"):
                Light(found["light"])
            if found.get("state"):
                State(found["state"])
            if found.get("kind"):
                Kind(found["kind"])
            for name in ("since", "until"):
                if values.get(name):
                    found[name] = date.fromisoformat(values[name])
            if values.get("hot"):
                found["hot"] = min(int(values["hot"]), 2**31 - 1)
        except ValueError as error:
            raise InvalidInput("筛选条件不对。", code="filter_invalid", remedy="请从页面上重新选择。") from error
        found["urgent"] = values.get("urgent", "") in ("1", "true", "on")
        made = cls(**found)
        if made.since and made.until and not timedelta(0) <= made.until - made.since <= timedelta(days=LONGEST_PERIOD):
            raise InvalidInput(
                "时间段不对。", code="period_invalid", remedy=f"起始日不晚于截止日，最长 {LONGEST_PERIOD} 天。"
            )
        return made

    def within(self, today: date) -> Filter:
        """The filter with its period filled in: the last :data:`PERIOD_DAYS` days, or at most a year."""
        until = min(self.until or today, today)
        since = self.since or until - timedelta(days=PERIOD_DAYS - 1)
        return replace(self, since=max(min(since, until), until - timedelta(days=LONGEST_PERIOD)), until=until)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the period narrows what is counted."""
        narrowing = ("department", "kind", "category", "area", "urgent", "light", "state", "number", "hot")
        return not any(getattr(self, name) for name in narrowing)

    def without(self, name: str) -> Filter:
        """The filter that one thing narrows no more."""
        return self.but(**{name: type(self).__dataclass_fields__[name].default})

    def but(self, **changes: Any) -> Filter:
        """The filter with other values."""
        return replace(self, **changes)

    def query(self) -> str:
        """The query string; parses back to the same filter."""
        parts = []
        for name, default in _DEFAULTS:
            value = getattr(self, name)
            if value and value != default:
                parts.append(f"{name}={_quoted(value)}")
        return "&".join(parts)


_DEFAULTS = tuple((field.name, field.default) for field in fields(Filter))


@lru_cache(4_096)
def _quoted(value: object) -> str:
    """A value as a query string has it: a board holds hundreds of links that differ in little."""
    text = "1" if value is True else value.isoformat() if isinstance(value, date) else str(value)
    return quote_plus(text)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Moments that part the lights as of ``now``: what is due before ``soon`` is yellow."""

    now: datetime
    soon: datetime
    soon_urgent: datetime

    @classmethod
    def at(cls, now: datetime, yellow: Yellow, calendar: Calendar) -> Thresholds:
        """The moments by the city's rule ``yellow``."""
        soon, soon_urgent = (yellow_before(now, urgent, yellow, calendar) for urgent in (False, True))
        return cls(now, soon, soon_urgent)

    def light(self, state: State, due_at: datetime, urgent: bool) -> Light | None:
        """The light of a complaint; None where its clock stands still or it is done."""
        if state is State.PAUSED or state not in OPEN:
            return None
        if due_at < self.now:
            return Light.RED
        return Light.YELLOW if due_at < (self.soon_urgent if urgent else self.soon) else Light.GREEN


def midnight(day: date) -> datetime:
    """The moment at which ``day`` begins."""
    return datetime.combine(day, time.min, ZONE)
