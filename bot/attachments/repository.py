"""Every query over attachments. Holds no rules."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot.attachments.tables import AttachmentRow


def of_source(session: Session, source: str) -> AttachmentRow | None:
    return session.scalars(select(AttachmentRow).where(AttachmentRow.source == source)).one_or_none()


def get(session: Session, attachment_id: str) -> AttachmentRow | None:
    return session.get(AttachmentRow, attachment_id)


def of_conversation(session: Session, conversation_id: str) -> list[AttachmentRow]:
    """Oldest first."""
    query = select(AttachmentRow).where(AttachmentRow.conversation_id == conversation_id)
    return list(session.scalars(query.order_by(AttachmentRow.created_at, AttachmentRow.id)))


def count(session: Session, citizen: str, conversation_id: str | None, since: datetime) -> int:
    """Attachments of the conversation; without one, the citizen's that belong to none yet and came ``since``."""
    query = select(func.count()).select_from(AttachmentRow).where(AttachmentRow.citizen == citizen)
    if conversation_id is None:
        query = query.where(AttachmentRow.conversation_id.is_(None), AttachmentRow.created_at >= since)
    else:
        query = query.where(AttachmentRow.conversation_id == conversation_id)
    return session.scalar(query) or 0


def adopt(session: Session, citizen: str, conversation_id: str, since: datetime) -> None:
    """Puts the citizen's attachments without a conversation that came ``since`` into this one."""
    session.execute(
        update(AttachmentRow)
        .where(
            AttachmentRow.citizen == citizen,
            AttachmentRow.conversation_id.is_(None),
            AttachmentRow.created_at >= since,
        )
        .values(conversation_id=conversation_id)
    )


def remove(session: Session, ids: Collection[str]) -> None:
    session.execute(delete(AttachmentRow).where(AttachmentRow.id.in_(ids)))
