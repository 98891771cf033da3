"""Figures by day and by month, kept by the worker so that a board over a year of a million complaints need not count.

A day is counted anew from the complaints whenever something happened to one of those that it counts, and its month
summed anew; so what is kept is always what counting would give, as of the mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, get_args

from sqlalchemy import CompoundSelect, Delete, Select, delete, func, insert, literal, select, union, union_all
from sqlalchemy.orm import Session

from bot.board import counting
from bot.board.counting import By
from bot.board.figures import Figures
from bot.board.model import Filter
from bot.board.tables import BoardDayRow, BoardMarkRow, BoardMonthRow
from bot.clock import ZONE
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.judgements.tables import JudgementRow
from bot.store import Store
from bot.store.inserting import insert_new
from bot.supervision.tables import CallbackRow

MARK = "days"
_DAY = timedelta(days=1)
OVERLAP = timedelta(minutes=2)
"""What was being written when the last round looked is looked at again."""
KEPT = ("filed", "on_time", "extended", "late", "returned", "judged", "satisfied", "asked", "resolved")
DIMENSIONS: tuple[By, ...] = tuple(each for each in get_args(By) if each != "day")


class DayKeeper:
    """Keeps the figures of days. Two workers may run: the mark is locked while a day is written."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def refresh(self, now: datetime) -> int:
        """Counts anew the days that changed since the last time; how many these were."""
        with self._store.read() as session:
            mark = session.get(BoardMarkRow, MARK)
            days = sorted(_touched(session, mark.at - OVERLAP if mark and mark.at else None, now))
        for day in days:
            with self._store.write() as work:
                locked(work.session, MARK)
                _write(work.session, day)
        for month in sorted({day.replace(day=1) for day in days}):
            with self._store.write() as work:
                locked(work.session, MARK)
                _sum_up(work.session, month)
        with self._store.write() as work:
            locked(work.session, MARK).at = now
        return len(days)


def as_of(session: Session) -> datetime | None:
    """The moment up to which the kept figures are complete; None before the first round."""
    mark = session.get(BoardMarkRow, MARK)
    return mark.at if mark else None


def kept(session: Session, wanted: Filter, by: By) -> dict[str, Figures]:
    """The figures of the period of ``wanted``; but for it only a unit may narrow them, by unit and by day."""
    if wanted.since is None or wanted.until is None:
        raise ValueError("the period is not filled in")
    names = KEPT if by in ("all", "unit") else KEPT[:4]  # as counting does: the others are judged by no more
    unit = wanted.department
    if by == "day":
        dimension: By = "unit" if unit else "all"
        query = _between(BoardDayRow, dimension, wanted.since, wanted.until, names, BoardDayRow.day, unit)
    else:
        first, after = whole_months(wanted.since, wanted.until)
        parts = union_all(
            _between(BoardDayRow, by, wanted.since, first - _DAY, names, BoardDayRow.value, unit),
            _between(BoardMonthRow, by, first, after - _DAY, names, BoardMonthRow.value, unit),
            _between(BoardDayRow, by, after, wanted.until, names, BoardDayRow.value, unit),
        ).subquery()
        query = select(parts.c.key, *(func.sum(parts.c[name]) for name in names)).group_by(parts.c.key)
    found = {}
    for key, *sums in session.execute(query):
        if not any(sums):  # a day on which something else happened
            continue
        named = key.isoformat() if isinstance(key, date) else key
        found[named] = Figures(**dict(zip(names, map(int, sums), strict=True)))
    return found


def whole_months(since: date, until: date) -> tuple[date, date]:
    """The first day of the first whole month of a period, and the day after its last whole month.

    Both are ``since`` where no month is whole.
    """
    first = since if since.day == 1 else _next_month(since)
    after = until + _DAY if (until + _DAY).day == 1 else until.replace(day=1)
    return (first, after) if first < after else (since, since)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _between(
    row: type[BoardDayRow | BoardMonthRow],
    dimension: By,
    first: date,
    last: date,
    names: Sequence[str],
    key: Any,
    value: str = "",
) -> Select[Any]:
    """Sums by ``key`` of what is kept from ``first`` to ``last``; of nothing where the last comes first.

    ``value``: only what is kept of it, where it is not empty.
    """
    sums = (func.sum(getattr(row, name)).label(name) for name in names)
    query = select(key.label("key"), *sums).where(row.dimension == dimension, row.day >= first, row.day <= last)
    if value:
        query = query.where(row.value == value)
    return query.group_by(key)


def values(session: Session, by: By, since: date, most: int = 300) -> Sequence[str]:
    """The values of a dimension that were there since then, the most frequent first."""
    row = BoardDayRow
    query = select(row.value).where(row.dimension == by, row.day >= since, row.value != "").group_by(row.value)
    return session.scalars(query.order_by(func.sum(row.filed).desc(), row.value).limit(most)).all()


def _touched(session: Session, since: datetime | None, now: datetime) -> set[date]:
    """The days that count a complaint to which something happened since then; every day where ``since`` is None."""
    if since is None:
        first = session.scalar(select(func.min(ComplaintRow.filed_at)))
        return set() if first is None else set(_days(first, now))
    event = ComplaintEventRow
    moved = select(event.complaint_id).where(event.at >= since)
    moments: CompoundSelect[Any] = union(
        select(event.at).where(event.complaint_id.in_(moved)),
        select(JudgementRow.answered_at).where(JudgementRow.answered_at >= since),
        select(CallbackRow.done_at).where(CallbackRow.done_at >= since),
    )
    return {moment.astimezone(ZONE).date() for moment in session.scalars(moments)}


def _days(first: datetime, last: datetime) -> Iterator[date]:
    day, end = first.astimezone(ZONE).date(), last.astimezone(ZONE).date()
    while day <= end:
        yield day
        day += timedelta(days=1)


def _write(session: Session, day: date) -> None:
    session.execute(_deleted(BoardDayRow, day))
    found = counting.happened(session, Filter(since=day, until=day), DIMENSIONS)
    rows = [
        {"dimension": dimension, "day": day, "value": value, **{name: getattr(figures, name) for name in KEPT}}
        for dimension, values in found.items()
        for value, figures in values.items()
    ]
    if rows:
        session.execute(insert(BoardDayRow), rows)


def _deleted(row: type[BoardDayRow | BoardMonthRow], day: date) -> Delete:
    # by dimension too: the key begins with it, and a day alone would be looked for in all that is kept
    return delete(row).where(row.dimension.in_(DIMENSIONS), row.day == day)


def _sum_up(session: Session, month: date) -> None:
    row = BoardDayRow
    session.execute(_deleted(BoardMonthRow, month))
    days = (
        select(row.dimension, literal(month), row.value, *(func.sum(getattr(row, name)) for name in KEPT))
        .where(row.dimension.in_(DIMENSIONS), row.day >= month, row.day < _next_month(month))
        .group_by(row.dimension, row.value)
    )
    session.execute(insert(BoardMonthRow).from_select(["dimension", "day", "value", *KEPT], days))


def locked(session: Session, name: str) -> BoardMarkRow:
    """The mark, made where there is none; nobody else changes it until the transaction ends."""
    insert_new(session, BoardMarkRow, {"name": name, "at": None})
    return session.scalars(select(BoardMarkRow).where(BoardMarkRow.name == name).with_for_update()).one()
