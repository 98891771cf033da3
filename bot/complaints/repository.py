"""Every query on complaints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from bot.complaints.model import OPEN, State
from bot.complaints.tables import (
    ComplaintAttemptRow,
    ComplaintEventRow,
    ComplaintJoinerRow,
    ComplaintLinkRow,
    ComplaintRow,
    RelearningRow,
)
from bot.store.inserting import insert_new


def by_number(session: Session, number: str, *, lock: bool = False) -> ComplaintRow | None:
    query = select(ComplaintRow).where(ComplaintRow.number == number)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def by_id(session: Session, complaint_id: int) -> ComplaintRow | None:
    return session.get(ComplaintRow, complaint_id)


def by_request(session: Session, indexes: Sequence[str]) -> ComplaintRow | None:
    """The complaint that was filed with this request."""
    return session.scalars(select(ComplaintRow).where(ComplaintRow.request_index.in_(indexes))).one_or_none()


def insert(session: Session, values: dict[str, Any]) -> bool:
    """Inserts a complaint; False, with nothing changed, where its number or its request is there."""
    return insert_new(session, ComplaintRow, values)


def change(session: Session, row: ComplaintRow, version: int, values: dict[str, Any]) -> bool:
    """Compare and set: writes ``values`` and the next version where the complaint still has ``version``."""
    statement = (
        update(ComplaintRow)
        .where(ComplaintRow.id == row.id, ComplaintRow.version == version)
        .values(**values, version=version + 1)
        .returning(ComplaintRow.id)
        .execution_options(synchronize_session=False)
    )
    done = session.execute(statement).first() is not None
    if done:
        session.refresh(row)
    return done


def add_event(session: Session, complaint_id: int, **values: Any) -> None:
    """Adds the next event of a complaint, whose row the transaction must have written."""
    last = session.scalar(
        select(func.max(ComplaintEventRow.number)).where(ComplaintEventRow.complaint_id == complaint_id)
    )
    session.add(ComplaintEventRow(complaint_id=complaint_id, number=(last or 0) + 1, **values))
    session.flush()


def events(session: Session, complaint_id: int) -> Sequence[ComplaintEventRow]:
    query = select(ComplaintEventRow).where(ComplaintEventRow.complaint_id == complaint_id)
    return session.scalars(query.order_by(ComplaintEventRow.number)).all()


def open_since(session: Session, since: datetime, encoder: str, most: int) -> Sequence[Any]:
    """Number, text, location, vector, case number of the open complaints filed after ``since``, the newest first."""
    query = (
        select(
            ComplaintRow.id,
            ComplaintRow.number,
            ComplaintRow.text,
            ComplaintRow.location,
            ComplaintRow.vector,
            ComplaintRow.case_number,
        )
        .where(
            ComplaintRow.filed_at >= since,
            ComplaintRow.encoder == encoder,
            ComplaintRow.state.in_([state.value for state in OPEN]),
        )
        .order_by(ComplaintRow.filed_at.desc(), ComplaintRow.id.desc())
        .limit(most)
    )
    return session.execute(query).all()


# -- who joined, and what is handled together --------------------------------------------------------------------------


def root(session: Session, row: ComplaintRow) -> ComplaintRow:
    """The complaint that ``row`` is handled with: itself where it is not merged."""
    while row.merged_into_id is not None:
        row = session.get_one(ComplaintRow, row.merged_into_id)
    return row


def handled_together(session: Session, row: ComplaintRow) -> list[ComplaintRow]:
    """``row`` and everything that was merged into it, directly or through others."""
    found = [row]
    for each in found:  # grows while it is walked: merges never form a ring
        query = select(ComplaintRow).where(ComplaintRow.merged_into_id == each.id).order_by(ComplaintRow.id)
        found.extend(session.scalars(query))
    return found


def count_joined(session: Session, row: ComplaintRow, more: int) -> None:
    """Adds ``more`` to the count of ``row`` and of what it is merged into; its version stays, for no act happened."""
    while True:
        statement = update(ComplaintRow).where(ComplaintRow.id == row.id).values(joined=ComplaintRow.joined + more)
        session.execute(statement.execution_options(synchronize_session=False))
        session.refresh(row)
        if row.merged_into_id is None:
            return
        row = session.get_one(ComplaintRow, row.merged_into_id, with_for_update=True)


def insert_joiner(session: Session, values: dict[str, Any]) -> bool:
    """False, with nothing changed, where its request is there."""
    return insert_new(session, ComplaintJoinerRow, values)


def joiner_by_request(session: Session, indexes: Sequence[str]) -> ComplaintJoinerRow | None:
    query = select(ComplaintJoinerRow).where(ComplaintJoinerRow.request_index.in_(indexes))
    return session.scalars(query).one_or_none()


def joiner_by_code(session: Session, complaint_id: int, indexes: Sequence[str]) -> ComplaintJoinerRow | None:
    query = select(ComplaintJoinerRow).where(
        ComplaintJoinerRow.complaint_id == complaint_id, ComplaintJoinerRow.code_index.in_(indexes)
    )
    return session.scalars(query).first()


def joiner_by_id(session: Session, joiner_id: int) -> ComplaintJoinerRow | None:
    return session.get(ComplaintJoinerRow, joiner_id)


def joiners(session: Session, complaint_id: int) -> Sequence[ComplaintJoinerRow]:
    """Oldest first."""
    query = select(ComplaintJoinerRow).where(ComplaintJoinerRow.complaint_id == complaint_id)
    return session.scalars(query.order_by(ComplaintJoinerRow.id)).all()


# -- who may see it without the code -----------------------------------------------------------------------------------


def link(session: Session, who: str, complaint_id: int, joiner_id: int | None, now: datetime) -> None:
    values = {"who": who, "complaint_id": complaint_id, "joiner_id": joiner_id, "seen_at": now}
    if not insert_new(session, ComplaintLinkRow, values):
        row = session.get(ComplaintLinkRow, (who, complaint_id))
        if row is not None:
            row.seen_at = now


def link_of(session: Session, who: str, complaint_id: int) -> ComplaintLinkRow | None:
    return session.get(ComplaintLinkRow, (who, complaint_id))


def linked(session: Session, who: str, limit: int) -> Sequence[tuple[ComplaintRow, int | None]]:
    """The complaints of ``who``, each with the joiner he is; the latest first."""
    query = (
        select(ComplaintRow, ComplaintLinkRow.joiner_id)
        .join(ComplaintLinkRow, ComplaintLinkRow.complaint_id == ComplaintRow.id)
        .where(ComplaintLinkRow.who == who)
        .order_by(ComplaintRow.filed_at.desc(), ComplaintRow.id.desc())
        .limit(limit)
    )
    return [(row, joiner_id) for row, joiner_id in session.execute(query)]


def linked_conversations(session: Session, complaint_id: int, joiner_id: int | None) -> Sequence[str]:
    """Conversations (ids) in which the filer, or that joiner, follows the complaint."""
    query = select(ComplaintLinkRow.who).where(
        ComplaintLinkRow.complaint_id == complaint_id,
        ComplaintLinkRow.joiner_id.is_(None) if joiner_id is None else ComplaintLinkRow.joiner_id == joiner_id,
        ComplaintLinkRow.who.like("conversation:%"),
    )
    return [who.removeprefix("conversation:") for who in session.scalars(query.order_by(ComplaintLinkRow.who))]


def provisional_open(session: Session, after_id: int, limit: int) -> Sequence[ComplaintRow]:
    """Open complaints, by number from ``after_id``, whose deadlines rest on unpublished holidays; locked."""
    query = (
        select(ComplaintRow)
        .where(
            ComplaintRow.id > after_id,
            ComplaintRow.provisional.is_(True),
            ComplaintRow.state.in_([state.value for state in OPEN]),
        )
        .order_by(ComplaintRow.id)
        .limit(limit)
    )
    return session.scalars(query.with_for_update()).all()


def attempts(session: Session, key: str, now: datetime) -> ComplaintAttemptRow:
    """The count of ``key``, locked until the transaction ends; made where there is none."""
    insert_new(session, ComplaintAttemptRow, {"key": key, "failures": 0, "updated_at": now})
    query = select(ComplaintAttemptRow).where(ComplaintAttemptRow.key == key)
    return session.scalars(query.with_for_update()).one()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ComplaintRow)) or 0


def listed(
    session: Session,
    *,
    numbers: Collection[str],
    words: str = "",
    categories: Collection[str],
    done: bool | None,
    done_states: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    updated_since: datetime | None,
    most: int,
    skip: int,
) -> Sequence[tuple[ComplaintRow, datetime | None]]:
    """Complaints with the time of their last event, the latest filed first."""
    last = (
        select(func.max(ComplaintEventRow.at))
        .where(ComplaintEventRow.complaint_id == ComplaintRow.id)
        .correlate(ComplaintRow)
        .scalar_subquery()
    )
    query = select(ComplaintRow, last.label("updated_at"))
    if numbers:
        query = query.where(ComplaintRow.number.in_(numbers))
    if words:
        said = (column.contains(words, autoescape=True) for column in (ComplaintRow.text, ComplaintRow.location))
        query = query.where(or_(*said))
    if categories:
        query = query.where(ComplaintRow.category.in_(categories))
    if done is not None:
        inside = ComplaintRow.state.in_(done_states)
        query = query.where(inside if done else ~inside)
    if since is not None:
        query = query.where(ComplaintRow.filed_at >= since)
    if until is not None:
        query = query.where(ComplaintRow.filed_at <= until)
    if updated_since is not None:
        query = query.where(last >= updated_since)
    query = query.order_by(ComplaintRow.filed_at.desc(), ComplaintRow.id.desc()).limit(most).offset(skip)
    return [(row, updated_at) for row, updated_at in session.execute(query)]


def closed_before(session: Session, moment: datetime, cleared: str, most: int) -> Sequence[ComplaintRow]:
    """Complaints closed before ``moment`` whose text is not ``cleared`` yet, the oldest first."""
    query = (
        select(ComplaintRow)
        .where(ComplaintRow.closed_at < moment, ComplaintRow.text != cleared)
        .order_by(ComplaintRow.closed_at, ComplaintRow.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def joiners_of(session: Session, complaint_ids: Collection[int]) -> Sequence[ComplaintJoinerRow]:
    return session.scalars(select(ComplaintJoinerRow).where(ComplaintJoinerRow.complaint_id.in_(complaint_ids))).all()


# -- what people decided, and what was learned of it -------------------------------------------------------------------


def acts_on_complaints(
    session: Session, acts: Collection[str], encoder: str, until: datetime, most: int
) -> Sequence[Any]:
    """Id, number, text, location, vector, and act, actor, details: of ``acts`` up to ``until``, complaint by complaint.

    Of the complaints that the latest ``most`` of these acts were done to, have a vector of ``encoder``, and were not
    withdrawn; the acts of each in their order.
    """
    latest = (
        select(ComplaintEventRow.complaint_id)
        .where(ComplaintEventRow.act.in_(acts), ComplaintEventRow.at <= until)
        .order_by(ComplaintEventRow.at.desc())
        .limit(most)
        .subquery()
    )
    query = (
        select(
            ComplaintRow.id,
            ComplaintRow.number,
            ComplaintRow.text,
            ComplaintRow.location,
            ComplaintRow.vector,
            ComplaintEventRow.act,
            ComplaintEventRow.actor,
            ComplaintEventRow.details,
        )
        .join(ComplaintEventRow, ComplaintEventRow.complaint_id == ComplaintRow.id)
        .where(
            ComplaintRow.id.in_(select(latest.c.complaint_id)),
            ComplaintRow.encoder == encoder,
            ComplaintRow.state != State.WITHDRAWN.value,
            ComplaintEventRow.at <= until,
            ComplaintEventRow.act.in_(acts),
        )
        .order_by(ComplaintRow.id, ComplaintEventRow.number)
    )
    return session.execute(query).all()


def relearning_in_force(session: Session, *, lock: bool = False) -> RelearningRow | None:
    """What was learned last and not undone."""
    query = select(RelearningRow).where(RelearningRow.undone_at.is_(None)).order_by(RelearningRow.id.desc()).limit(1)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()
