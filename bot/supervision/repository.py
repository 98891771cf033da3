"""Every query on alarms and their notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.complaints.tables import ComplaintRow
from bot.store.base import Base
from bot.supervision.model import RUNS, Clock, Cutoff, Level, Recipient
from bot.supervision.tables import AlarmNoticeRow, AlarmRecipientRow, AlarmRow, CallbackRow, RectificationRow


@dataclass(frozen=True, slots=True)
class Reached:
    """A running clock whose deadline has reached a level that was not raised about it yet."""

    complaint_id: int
    number: str
    clock: Clock
    item: int
    version: int
    level: Level
    department: str | None
    urgent: bool
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a clock's deadline, version and holder are, and when it runs."""

    row: type[Base]
    item: ColumnElement[int]
    due: InstrumentedAttribute[datetime]
    version: InstrumentedAttribute[int]
    department: ColumnElement[Any]
    running: ColumnElement[bool]


def _own(clock: Clock, due: InstrumentedAttribute[datetime], version: InstrumentedAttribute[int]) -> _Source:
    running: ColumnElement[bool] = ComplaintRow.state.in_(sorted(state.value for state in RUNS[clock]))
    if clock is Clock.REPLY:
        running &= ComplaintRow.replied_at.is_(None)
    return _Source(ComplaintRow, literal(0), due, version, ComplaintRow.department.expression, running)


_SOURCES: Mapping[Clock, _Source] = {
    Clock.DISPATCH: _own(Clock.DISPATCH, ComplaintRow.sign_due_at, ComplaintRow.sign_version),
    Clock.SIGN: _own(Clock.SIGN, ComplaintRow.sign_due_at, ComplaintRow.sign_version),
    Clock.REPLY: _own(Clock.REPLY, ComplaintRow.reply_due_at, ComplaintRow.reply_version),
    Clock.CLOSE: _own(Clock.CLOSE, ComplaintRow.due_at, ComplaintRow.close_version),
    Clock.RECTIFY: _Source(
        RectificationRow,
        RectificationRow.id.expression,
        RectificationRow.due_at,
        RectificationRow.version,
        RectificationRow.unit.expression,
        RectificationRow.state == "open",
    ),
    Clock.CALLBACK: _Source(
        CallbackRow,
        CallbackRow.id.expression,
        CallbackRow.due_at,
        CallbackRow.version,
        ComplaintRow.department.expression,
        CallbackRow.state == "open",
    ),
}
AFTER = frozenset({Clock.RECTIFY, Clock.CALLBACK})
"""Clocks that run after the answer, in working days whatever the complaint was."""


def reached(
    session: Session, clock: Clock, urgent: bool, cutoffs: Sequence[Cutoff], limit: int, *, lock: bool = False
) -> list[Reached]:
    """Clocks that have reached a level above all that was raised about this version of their deadline; most overdue
    first. ``cutoffs``: gravest first. ``lock``: those that another worker or a handler has at this moment are left out.
    """
    if not cutoffs:
        return []
    source = _SOURCES[clock]
    level = case(*[(source.due < cutoff.before, int(cutoff.level)) for cutoff in cutoffs], else_=0)
    # Not an anti-join: after a burst of alarms, before the database has counted them, that reads all of them each time.
    raised = (
        select(func.coalesce(func.max(AlarmRow.level), 0))
        .where(
            AlarmRow.complaint_id == ComplaintRow.id,
            AlarmRow.clock == clock.value,
            AlarmRow.item == source.item,
            AlarmRow.version == source.version,
            AlarmRow.serial == 0,
        )
        .correlate(ComplaintRow, source.row)
        .scalar_subquery()
    )
    query = (
        _joined(source)
        .add_columns(
            ComplaintRow.id, ComplaintRow.number, source.item, source.version, level, source.department, source.due
        )
        .where(source.running, source.due < max(cutoff.before for cutoff in cutoffs), raised < level)
        .order_by(source.due, ComplaintRow.id)
        .limit(limit)
    )
    if clock not in AFTER:
        query = query.where(ComplaintRow.urgent.is_(urgent))
    if lock:
        query = query.with_for_update(of=source.row, skip_locked=True)
    return [
        Reached(complaint, number, clock, item, version, Level(reached), department, urgent, due)
        for complaint, number, item, version, reached, department, due in session.execute(query)
    ]


def _joined(source: _Source) -> Select[Any]:
    if source.row is ComplaintRow:
        return select().select_from(ComplaintRow)
    return select().select_from(source.row).join(ComplaintRow, ComplaintRow.id == source.row.complaint_id)  # type: ignore[attr-defined]


# -- raising -----------------------------------------------------------------------------------------------------------


def insert_alarms(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str, int, int, int], int]:
    """Inserts alarms; the numbers of those that were not there, by complaint, clock, item, version, level."""
    statement = _insert(session, AlarmRow).on_conflict_do_nothing()
    found = session.execute(
        statement.returning(
            AlarmRow.id, AlarmRow.complaint_id, AlarmRow.clock, AlarmRow.item, AlarmRow.version, AlarmRow.level
        ),
        rows,
    )
    return {
        (complaint, clock, item, version, level): number for number, complaint, clock, item, version, level in found
    }


def insert_notices(session: Session, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, int], set[str]]:
    """Makes sure the notices are there and unread; their numbers by key, and which keys are new."""
    ordered = sorted(rows, key=lambda row: str(row["key"]))  # two workers take them in one order
    statement = _insert(session, AlarmNoticeRow).on_conflict_do_nothing()
    made = session.execute(statement.returning(AlarmNoticeRow.key, AlarmNoticeRow.id), ordered)
    found: dict[str, int] = {row[0]: row[1] for row in made}
    fresh = set(found)
    others = [str(row["key"]) for row in ordered if row["key"] not in fresh]
    if others:
        known = select(AlarmNoticeRow.key, AlarmNoticeRow.id).where(AlarmNoticeRow.key.in_(others))
        found |= {row[0]: row[1] for row in session.execute(known)}
        session.execute(
            update(AlarmNoticeRow)
            .where(AlarmNoticeRow.key.in_(others), AlarmNoticeRow.seen_at.is_not(None))
            .values(seen_at=None, seen_by=None)
            .execution_options(synchronize_session=False)
        )
    return found, fresh


def insert_recipients(session: Session, pairs: Sequence[tuple[int, int]]) -> None:
    """Who is told: pairs of alarm and notice."""
    session.execute(insert(AlarmRecipientRow), [{"alarm_id": alarm, "notice_id": notice} for alarm, notice in pairs])


def _insert(session: Session, row: type[Base]) -> Any:
    made = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return made(row)


# -- alarms and notices ------------------------------------------------------------------------------------------------


def alarm(session: Session, alarm_id: int, *, lock: bool = False) -> tuple[AlarmRow, str] | None:
    """The alarm with its complaint's number."""
    query = select(AlarmRow, ComplaintRow.number).join(ComplaintRow).where(AlarmRow.id == alarm_id)
    found = session.execute(query.with_for_update(of=AlarmRow) if lock else query).one_or_none()
    return (found[0], found[1]) if found is not None else None


def alarms_of(session: Session, complaint_id: int) -> Sequence[AlarmRow]:
    """Everything raised about a complaint, oldest first."""
    query = select(AlarmRow).where(AlarmRow.complaint_id == complaint_id)
    return session.scalars(query.order_by(AlarmRow.raised_at, AlarmRow.id)).all()


def next_serial(session: Session, complaint_id: int, clock: Clock, version: int, level: Level) -> int:
    """The number of the next one raised by hand; the complaint's row must be locked."""
    last = session.scalar(
        select(func.max(AlarmRow.serial)).where(
            AlarmRow.complaint_id == complaint_id,
            AlarmRow.clock == clock.value,
            AlarmRow.version == version,
            AlarmRow.level == int(level),
        )
    )
    return (last or 0) + 1


def notice(session: Session, notice_id: int, *, lock: bool = False) -> AlarmNoticeRow | None:
    query = select(AlarmNoticeRow).where(AlarmNoticeRow.id == notice_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def notices(
    session: Session, recipients: Sequence[tuple[Recipient, str]], *, unseen: bool, limit: int
) -> Sequence[AlarmNoticeRow]:
    """Notices to any of ``recipients`` (role and department), latest first; only unread ones where wanted."""
    wanted = tuple_(AlarmNoticeRow.role, AlarmNoticeRow.department).in_([(r.value, d) for r, d in recipients])
    query = select(AlarmNoticeRow).where(wanted)
    if unseen:
        query = query.where(AlarmNoticeRow.seen_at.is_(None))
    return session.scalars(query.order_by(AlarmNoticeRow.at.desc(), AlarmNoticeRow.id.desc()).limit(limit)).all()


def levels_of(session: Session, notice_ids: Sequence[int]) -> dict[int, dict[Level, int]]:
    """How many alarms of each level each notice is of, the gravest first."""
    query = (
        select(AlarmRecipientRow.notice_id, AlarmRow.level, func.count())
        .join(AlarmRow, AlarmRow.id == AlarmRecipientRow.alarm_id)
        .where(AlarmRecipientRow.notice_id.in_(notice_ids))
        .group_by(AlarmRecipientRow.notice_id, AlarmRow.level)
        .order_by(AlarmRecipientRow.notice_id, AlarmRow.level.desc())
    )
    found: dict[int, dict[Level, int]] = {}
    for number, level, count in session.execute(query):
        found.setdefault(number, {})[Level(level)] = count
    return found


def alarms_of_notice(session: Session, notice_id: int, limit: int) -> list[tuple[AlarmRow, str]]:
    """The alarms a notice is of, gravest and most overdue first, each with its complaint's number."""
    query = (
        select(AlarmRow, ComplaintRow.number)
        .join(ComplaintRow)
        .join(AlarmRecipientRow, AlarmRecipientRow.alarm_id == AlarmRow.id)
        .where(AlarmRecipientRow.notice_id == notice_id)
        .order_by(AlarmRow.level.desc(), AlarmRow.due_at, AlarmRow.id)
        .limit(limit)
    )
    return [(row, number) for row, number in session.execute(query)]
