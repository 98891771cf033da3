"""Rows of outflow: who wants events, and each event on its way to each of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class WebhookRow(Base):
    """A subscription; ``secret`` is sealed."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    url: Mapped[str] = mapped_column(String(500))
    topics: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(80))


class DeliveryRow(Base):
    """One event on its way to one target (``webhook:NUMBER`` or ``redis``), at most once on the list.

    ``body`` is what is signed and sent. ``waiting`` → ``sending`` (leased until ``due_at``) → ``done``, back to
    ``waiting`` after a failure, ``dead`` after the last one.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("target", "event_id"),
        CheckConstraint("state IN ('waiting', 'sending', 'done', 'dead')", name="state"),
        Index("ix_deliveries_target_state_due_at", "target", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(40))
    event_id: Mapped[str] = mapped_column(String(60))
    type: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(Text)
