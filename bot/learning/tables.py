"""Rows of learning: questions in groups, the draft with its changes and evaluations, regression cases, a mark."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class LearningMark(Base):
    """Up to when the conversations were listened to: one row, locked while its findings are written."""

    __tablename__ = "learning_mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    heard_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GroupRow(Base):
    """Questions that say alike: ``size`` of them were heard, ``total`` is the sum of their vectors (float32).

    Both go on counting questions whose time of keeping is over. ``version`` grows with every decision about it.
    """

    __tablename__ = "learning_groups"
    __table_args__ = (
        CheckConstraint("stage IN ('open', 'drafted', 'done', 'dismissed')", name="stage"),
        Index("ix_learning_groups_stage_size", "stage", "size", "id"),
        Index("ix_learning_groups_stage_last_at", "stage", "last_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(300))
    size: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    encoder: Mapped[str] = mapped_column(String(120))
    total: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str | None] = mapped_column(String(200))
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class QuestionRow(Base):
    """One question that was not answered well, once for each line of a conversation's log; every text is masked."""

    __tablename__ = "learning_questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "event"),
        CheckConstraint("cause IN ('unknown', 'unclear', 'corrected', 'edited')", name="cause"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    event: Mapped[int]
    group_id: Mapped[int] = mapped_column(ForeignKey("learning_groups.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    cause: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(300))
    said: Mapped[str] = mapped_column(Text)
    matter: Mapped[str | None] = mapped_column(String(64))
    confidence: Mapped[float] = mapped_column(Double)
    candidates: Mapped[list[list[str]]] = mapped_column(JSON)
    then: Mapped[str | None] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[str] = mapped_column(String(80))
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class DraftRow(Base):
    """A draft of changes: at most one is open. ``version`` grows with every change of it."""

    __tablename__ = "learning_drafts"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'published', 'discarded')", name="state"),
        Index(
            "uq_learning_drafts_open",
            "state",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(String(80))
    published: Mapped[str | None] = mapped_column(String(24))
    """The catalogue's version that it became."""


class ChangeRow(Base):
    """One change of a draft; see :class:`bot.learning.model.Change`."""

    __tablename__ = "learning_changes"
    __table_args__ = (
        CheckConstraint("act IN ('alias', 'question', 'faq', 'not', 'withdraw')", name="act"),
        CheckConstraint("kind IN ('alias', 'question', 'faq', 'not')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("learning_drafts.id", ondelete="CASCADE"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("learning_groups.id", ondelete="SET NULL"), index=True)
    act: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(String(500))
    answer: Mapped[str | None] = mapped_column(Text)
    examples: Mapped[list[str]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvaluationRow(Base):
    """One evaluation of a draft as it then was. ``digest``: exactly which changes on which version.

    While it runs a worker renews ``until``; one whose lease ran out is begun anew. ``result``: every question that got
    better or worse.
    """

    __tablename__ = "learning_evaluations"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        Index("ix_learning_evaluations_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("learning_drafts.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    base: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    better: Mapped[int] = mapped_column(default=0)
    worse: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str | None] = mapped_column(String(500))
    result: Mapped[dict[str, Any]] = mapped_column(JSON)


class CaseRow(Base):
    """A question that must be answered so from a version on; ``never``: the matter that must not answer it."""

    __tablename__ = "learning_cases"
    __table_args__ = (
        Index(
            "uq_learning_cases_kept",
            "key",
            "matter",
            "never",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the bare text."""
    text: Mapped[str] = mapped_column(String(300))
    matter: Mapped[str] = mapped_column(String(64), default="")
    never: Mapped[str] = mapped_column(String(64), default="")
    since: Mapped[str] = mapped_column(String(24))
    added_by: Mapped[str] = mapped_column(String(80))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_by: Mapped[str | None] = mapped_column(String(80))
