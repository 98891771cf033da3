"""Rows of judgements."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class JudgementRow(Base):
    """One question and its answer. ``subject`` is what is judged (``case:…``), ``occasion`` the event it was asked at.

    ``level`` 5 (非常满意) … 1 (非常不满意), None while there is no answer; ``first_level`` what it was before a change.
    ``comment`` is sealed.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        UniqueConstraint("subject", "occasion"),
        CheckConstraint("level BETWEEN 1 AND 5", name="level"),
        CheckConstraint("first_level BETWEEN 1 AND 5", name="first_level"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(120))
    occasion: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(500))
    unit: Mapped[str] = mapped_column(String(500), index=True)
    person: Mapped[str | None] = mapped_column(String(500))
    citizen: Mapped[str | None] = mapped_column(String(160), index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    level: Mapped[int | None]
    comment: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    channel: Mapped[str | None] = mapped_column(String(20))
    first_level: Mapped[int | None]
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
