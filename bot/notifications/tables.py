"""Rows of notifications: one for each thing a citizen is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class NotificationRow(Base):
    """One notification. ``key`` makes it unique; ``sealed`` holds addresses, values and text.

    ``tries``: what each channel said, oldest first, without addresses.
    """

    __tablename__ = "notifications"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'sending', 'sent', 'refused', 'unsure')", name="state"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    subject: Mapped[str] = mapped_column(String(120), index=True)
    template: Mapped[str] = mapped_column(String(40))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10))
    channel: Mapped[str | None] = mapped_column(String(20))
    reference: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
