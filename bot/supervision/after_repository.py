"""Every query on call-backs, rectifications and what is closed by rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select, type_coerce
from sqlalchemy.orm import Session

from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.store.types import UtcDateTime
from bot.supervision.tables import CallbackRow, RectificationRow


def callback(session: Session, callback_id: int, *, lock: bool = False) -> tuple[CallbackRow, ComplaintRow] | None:
    """The call-back with its complaint."""
    query = select(CallbackRow, ComplaintRow).join(ComplaintRow).where(CallbackRow.id == callback_id)
    found = session.execute(query.with_for_update() if lock else query).one_or_none()
    return (found[0], found[1]) if found is not None else None


def callbacks(session: Session, *, state: str, limit: int) -> list[tuple[CallbackRow, ComplaintRow]]:
    """Call-backs in ``state``, the first due first."""
    query = (
        select(CallbackRow, ComplaintRow)
        .join(ComplaintRow)
        .where(CallbackRow.state == state)
        .order_by(CallbackRow.due_at, CallbackRow.id)
        .limit(limit)
    )
    return [(row, complaint) for row, complaint in session.execute(query)]


def void_callbacks(
    session: Session, standing: Sequence[str], limit: int, *, lock: bool = False
) -> Sequence[CallbackRow]:
    """Open call-backs of complaints that are in none of the states ``standing``."""
    query = (
        select(CallbackRow)
        .join(ComplaintRow)
        .where(CallbackRow.state == "open", ComplaintRow.state.not_in(standing))
        .limit(limit)
    )
    return session.scalars(query.with_for_update(of=CallbackRow, skip_locked=True) if lock else query).all()


def rectification_under_way(session: Session, complaint_id: int, unit: str) -> bool:
    """Whether the unit is putting something right about the complaint already."""
    query = select(RectificationRow.id).where(
        RectificationRow.complaint_id == complaint_id,
        RectificationRow.unit == unit,
        RectificationRow.state != "accepted",
    )
    return session.scalars(query.limit(1)).first() is not None


def rectification(
    session: Session, rectification_id: int, *, lock: bool = False
) -> tuple[RectificationRow, str] | None:
    """The rectification with its complaint's number."""
    query = (
        select(RectificationRow, ComplaintRow.number).join(ComplaintRow).where(RectificationRow.id == rectification_id)
    )
    found = session.execute(query.with_for_update(of=RectificationRow) if lock else query).one_or_none()
    return (found[0], found[1]) if found is not None else None


def rectifications(
    session: Session, *, unit: str | None = None, states: Sequence[str] = (), limit: int = 200
) -> list[tuple[RectificationRow, str]]:
    """Rectifications (of one unit, in some states), the first due first, with their complaints' numbers."""
    query = select(RectificationRow, ComplaintRow.number).join(ComplaintRow)
    if unit is not None:
        query = query.where(RectificationRow.unit == unit)
    if states:
        query = query.where(RectificationRow.state.in_(states))
    query = query.order_by(RectificationRow.due_at, RectificationRow.id).limit(limit)
    return [(row, number) for row, number in session.execute(query)]


def answered_uncalled(session: Session, limit: int) -> Sequence[ComplaintRow]:
    """Answered complaints of citizens who can be called, whose answer nobody was told to call about yet."""
    made = exists().where(
        CallbackRow.complaint_id == ComplaintRow.id,
        CallbackRow.reason == "answer",
        CallbackRow.occasion == ComplaintRow.close_version,
    )
    query = select(ComplaintRow).where(ComplaintRow.state == "answered", ComplaintRow.anonymous.is_(False), ~made)
    return session.scalars(query.order_by(ComplaintRow.due_at, ComplaintRow.id).limit(limit)).all()


def settled(session: Session, state: str, limit: int) -> list[tuple[ComplaintRow, datetime]]:
    """Complaints in ``state`` (answered, reviewed) with no call or rectification open, and since when they are."""
    calling = exists().where(CallbackRow.complaint_id == ComplaintRow.id, CallbackRow.state == "open")
    mending = exists().where(RectificationRow.complaint_id == ComplaintRow.id, RectificationRow.state != "accepted")
    entered = (
        select(func.max(ComplaintEventRow.at))
        .where(ComplaintEventRow.complaint_id == ComplaintRow.id, ComplaintEventRow.state == state)
        .scalar_subquery()
    )
    query = (
        select(ComplaintRow, type_coerce(entered, UtcDateTime))
        .where(ComplaintRow.state == state, ~calling, ~mending, entered.is_not(None))
        .order_by(entered, ComplaintRow.id)
        .limit(limit)
    )
    return [(row, since) for row, since in session.execute(query)]


def provisional(session: Session) -> list[CallbackRow | RectificationRow]:
    """Open call-backs and rectifications whose deadline rests on holidays that were not published; locked."""
    found: list[CallbackRow | RectificationRow] = []
    for row in (CallbackRow, RectificationRow):
        query = select(row).where(row.state == "open", row.provisional.is_(True)).order_by(row.id)
        found.extend(session.scalars(query.with_for_update()))
    return found
