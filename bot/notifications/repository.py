"""Every query on notifications."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.notifications.tables import NotificationRow


def by_key(session: Session, key: str, *, lock: bool = False) -> NotificationRow | None:
    query = select(NotificationRow).where(NotificationRow.key == key)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def of_subject(session: Session, subject: str) -> Sequence[NotificationRow]:
    query = select(NotificationRow).where(NotificationRow.subject == subject)
    return session.scalars(query.order_by(NotificationRow.created_at, NotificationRow.key)).all()


def undelivered(session: Session, limit: int) -> Sequence[NotificationRow]:
    """Those that did not certainly arrive, latest first."""
    query = select(NotificationRow).where(NotificationRow.state.in_(("refused", "unsure")))
    return session.scalars(query.order_by(NotificationRow.created_at.desc()).limit(limit)).all()
