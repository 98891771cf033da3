"""Rows of attachments. Pictures lie as files under the home; the row says what they are and where they belong."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class AttachmentRow(Base):
    """One picture or place. ``source`` names the message that brought it, so that it is kept once.

    ``conversation_id`` is empty until the citizen's conversation begins.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("kind IN ('picture', 'place')", name="kind"),
        Index("ix_attachments_conversation_id", "conversation_id"),
        Index("ix_attachments_citizen", "citizen"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str] = mapped_column(String(128), unique=True)
    citizen: Mapped[str] = mapped_column(String(160))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    media_type: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    label: Mapped[str | None] = mapped_column(String(300))
