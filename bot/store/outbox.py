"""The outbox: what others must be told, written in the transaction that caused it and delivered by the worker.

A message is claimed for a while (its lease); whoever claims it either finishes it or gives it back for later. A worker
that dies leaves the lease to run out, so a message is delivered at least once: receivers go by its ``id``.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 10
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)


class OutboxState(enum.StrEnum):
    NEW = "new"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"  # given up after MOST_ATTEMPTS; an operator looks at it


class OutboxMessage(Base):
    """One message to deliver. ``topic`` says of what kind it is, ``key`` what it is about."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'claimed', 'done', 'failed')", name="state"),
        Index("ix_outbox_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(120), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), default=OutboxState.NEW)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)


def emit(session: Session, topic: str, key: str, payload: Mapping[str, Any], now: datetime) -> OutboxMessage:
    """Adds a message to the transaction of ``session``."""
    message = OutboxMessage(topic=topic, key=key, payload=dict(payload), created_at=now, due_at=now)
    session.add(message)
    return message


def claim(session: Session, now: datetime, topics: tuple[str, ...] = ()) -> OutboxMessage | None:
    """The most overdue message (of ``topics``, if given), leased to the caller; None where nothing is due.

    Commit before delivering, so that others see the lease.
    """
    due = and_(
        or_(OutboxMessage.state == OutboxState.NEW, OutboxMessage.state == OutboxState.CLAIMED),
        OutboxMessage.due_at <= now,
    )
    if topics:
        due = and_(due, OutboxMessage.topic.in_(topics))
    chosen = (
        select(OutboxMessage.id)
        .where(due)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.id == chosen, due)
        .values(state=OutboxState.CLAIMED, attempts=OutboxMessage.attempts + 1, due_at=now + LEASE)
        .returning(OutboxMessage)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(statement).one_or_none()


def message_of(session: Session, topic: str, key: str) -> OutboxMessage | None:
    """The latest message of ``topic`` with that ``key``, whatever its state."""
    query = select(OutboxMessage).where(OutboxMessage.topic == topic, OutboxMessage.key == key)
    return session.scalars(query.order_by(OutboxMessage.id.desc()).limit(1)).one_or_none()


def claimed(session: Session, message_id: int, attempts: int) -> OutboxMessage | None:
    """The message, locked, where it is still claimed by the attempt of that number; else somebody else has it."""
    query = select(OutboxMessage).where(
        OutboxMessage.id == message_id,
        OutboxMessage.attempts == attempts,
        OutboxMessage.state == OutboxState.CLAIMED,
    )
    return session.scalars(query.with_for_update()).one_or_none()


def put_off(message: OutboxMessage, until: datetime, reason: str) -> None:
    """Puts a claimed message off without counting the attempt as a failed one."""
    message.state = OutboxState.NEW
    message.attempts -= 1
    message.due_at = until
    message.last_error = reason[:2_000]


def finish(message: OutboxMessage) -> None:
    """Marks a claimed message as delivered."""
    message.state = OutboxState.DONE
    message.last_error = None


def give_back(message: OutboxMessage, error: str, now: datetime) -> None:
    """Puts a claimed message off after a failure, twice as long each time; at last it counts as failed."""
    message.last_error = error[:2_000]
    if message.attempts >= MOST_ATTEMPTS:
        message.state = OutboxState.FAILED
        return
    message.state = OutboxState.NEW
    message.due_at = now + min(FIRST_PAUSE * 2 ** (message.attempts - 1), LONGEST_PAUSE)


def unfinished(session: Session, state: OutboxState | None = None, limit: int = 100) -> list[OutboxMessage]:
    """Messages that are not done, oldest first; only those in ``state`` where one is given."""
    wanted = OutboxMessage.state == state if state else OutboxMessage.state != OutboxState.DONE
    return list(session.scalars(select(OutboxMessage).where(wanted).order_by(OutboxMessage.id).limit(limit)))


def forget(session: Session, before: datetime, most: int, kept: Collection[str] = ()) -> int:
    """Removes at most ``most`` messages that were finished ``before``; how many. Topics in ``kept`` stay."""
    # what is finished was due when its last attempt began, give or take the lease: the index knows no better moment
    old = (
        select(OutboxMessage.id)
        .where(OutboxMessage.state == OutboxState.DONE, OutboxMessage.due_at < before, OutboxMessage.topic.not_in(kept))
        .order_by(OutboxMessage.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    numbers = session.scalars(old).all()
    session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(numbers)))
    return len(numbers)


def revive(session: Session, message_id: int, now: datetime) -> OutboxMessage | None:
    """A message that was given up, made new again; None where there is none of that number in that state."""
    query = select(OutboxMessage).where(OutboxMessage.id == message_id, OutboxMessage.state == OutboxState.FAILED)
    message = session.scalars(query.with_for_update()).one_or_none()
    if message is not None:
        message.state, message.attempts, message.due_at = OutboxState.NEW, 0, now
    return message
