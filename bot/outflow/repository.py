"""Every query on subscriptions and deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from bot.outflow.tables import DeliveryRow, WebhookRow
from bot.store.inserting import insert_new


def webhooks(session: Session, *, active: bool | None = None) -> Sequence[WebhookRow]:
    query = select(WebhookRow).order_by(WebhookRow.name)
    return session.scalars(query if active is None else query.where(WebhookRow.active.is_(active))).all()


def webhook(session: Session, webhook_id: int) -> WebhookRow | None:
    return session.get(WebhookRow, webhook_id)


def by_name(session: Session, name: str, *, lock: bool = False) -> WebhookRow | None:
    query = select(WebhookRow).where(WebhookRow.name == name)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def remove(session: Session, row: WebhookRow, target: str) -> None:
    """Removes a subscription with everything on its way there."""
    session.execute(delete(DeliveryRow).where(DeliveryRow.target == target))
    session.delete(row)


def insert(session: Session, values: Mapping[str, Any]) -> bool:
    """Puts a delivery on the list; False where it was."""
    return insert_new(session, DeliveryRow, values)


def _due(now: datetime, target: str) -> Select[int]:
    return select(DeliveryRow.id).where(
        DeliveryRow.target == target, DeliveryRow.state.in_(("waiting", "sending")), DeliveryRow.due_at <= now
    )


def is_due(session: Session, now: datetime, target: str) -> bool:
    """Whether anything is due for a target."""
    return session.scalars(_due(now, target).limit(1)).first() is not None


def claim(session: Session, now: datetime, until: datetime, target: str, limit: int) -> Sequence[DeliveryRow]:
    """The most overdue deliveries of a target, leased to the caller until ``until``."""
    due = _due(now, target)
    chosen = due.order_by(DeliveryRow.due_at, DeliveryRow.id).limit(limit).with_for_update(skip_locked=True)
    statement = (
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(list(session.scalars(chosen))))
        .values(state="sending", attempts=DeliveryRow.attempts + 1, due_at=until)
        .returning(DeliveryRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(session.scalars(statement), key=lambda row: row.id)


def claimed(session: Session, delivery_id: int, attempts: int) -> DeliveryRow | None:
    """The delivery, locked, where it is still the claim of that attempt."""
    query = select(DeliveryRow).where(
        DeliveryRow.id == delivery_id, DeliveryRow.attempts == attempts, DeliveryRow.state == "sending"
    )
    return session.scalars(query.with_for_update()).one_or_none()


def dead(session: Session, target: str | None, limit: int) -> Sequence[DeliveryRow]:
    """Deliveries that were given up, oldest first."""
    query = select(DeliveryRow).where(DeliveryRow.state == "dead")
    if target is not None:
        query = query.where(DeliveryRow.target == target)
    return session.scalars(query.order_by(DeliveryRow.id).limit(limit)).all()


def revive(session: Session, now: datetime, numbers: Sequence[int], target: str | None) -> int:
    """Makes dead deliveries (of these numbers, else all, of one target) new again; how many."""
    statement = update(DeliveryRow).where(DeliveryRow.state == "dead")
    if numbers:
        statement = statement.where(DeliveryRow.id.in_(numbers))
    if target is not None:
        statement = statement.where(DeliveryRow.target == target)
    statement = statement.values(state="waiting", attempts=0, due_at=now, finished_at=None).returning(DeliveryRow.id)
    return len(session.execute(statement.execution_options(synchronize_session=False)).all())


def counts(session: Session) -> dict[tuple[str, str], int]:
    """How many deliveries there are by target and state."""
    query = select(DeliveryRow.target, DeliveryRow.state, func.count()).group_by(DeliveryRow.target, DeliveryRow.state)
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def forget(session: Session, before: datetime) -> int:
    """Removes what was delivered before ``before``; how many."""
    statement = delete(DeliveryRow).where(DeliveryRow.state == "done", DeliveryRow.finished_at < before)
    return len(session.execute(statement.returning(DeliveryRow.id)).all())
