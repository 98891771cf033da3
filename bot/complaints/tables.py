"""Rows of complaints: the complaint, what happened to it, wrong codes counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Double, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime

STATES = (
    "filed", "dispatched", "signed", "paused", "returned", "answered", "reviewed", "closed", "reopened", "merged",
    "withdrawn",
)  # fmt: skip

IS_OPEN = text("state IN ('filed', 'dispatched', 'signed', 'paused', 'returned', 'reopened')")
"""``model.OPEN`` word for word as the partial indexes have it: only so does a database see that an index serves."""
IN_TRIAGE = text("state IN ('filed', 'returned', 'reopened')")
"""What an operator sends to a unit."""
IN_REVIEW = text("state IN ('answered', 'reviewed')")
"""Answered, and not yet closed."""


def _part(name: str, *columns: str, where: Any = None, include: tuple[str, ...] = ()) -> Index:
    """An index over a part of the complaints; PostgreSQL keeps ``include`` in it, to count without the rows."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where, postgresql_include=list(include))


COUNTED = ("department", "held_late_by", "state", "urgent", "kind", "category", "area", "extension_asked", "extensions")
"""What the figures of supervision group and count by."""
NARROWED = ("kind", "category", "area", "urgent")
"""What a filter narrows those figures by, and what those of other tables (events, calls) are joined for."""


class ComplaintRow(Base):
    """One complaint.

    ``text`` is what the citizen wrote with personal numbers starred; ``sealed`` holds it in full, with contact and
    query code; ``code_index`` checks a code. ``request_index`` is the blind index of who asked and his Idempotency-Key,
    ``request_digest`` of what he asked. ``area`` is the street, estate or village of ``location``, for counting;
    ``held_late_by`` the unit that had it when the closing was due, where another was sent it after that. ``vector``
    (float16, of ``encoder``) finds others of the same incident.
    ``joined`` counts who joined it, those of complaints merged into it included.

    ``sign_version``, ``reply_version``, ``close_version`` grow whenever that deadline moves or another holds the
    complaint; ``counted`` is what the deadlines were counted from (null: in hours). ``handler`` is the clerk who signed
    or answered last.
    """

    __tablename__ = "complaints"
    __table_args__ = (
        CheckConstraint("state IN ('" + "', '".join(STATES) + "')", name="state"),
        Index("ix_complaints_state_due_at", "state", "due_at"),
        Index("ix_complaints_state_sign_due_at", "state", "sign_due_at"),
        Index("ix_complaints_state_reply_due_at", "state", "reply_due_at"),
        Index("ix_complaints_department_state", "department", "state"),
        _part("ix_complaints_open", "due_at", "id", where=IS_OPEN, include=COUNTED),
        _part("ix_complaints_open_department", "department", "due_at", "id", where=IS_OPEN),
        _part("ix_complaints_triage", "due_at", "id", where=IN_TRIAGE),
        _part("ix_complaints_review", "answered_at", "id", where=IN_REVIEW),
        _part("ix_complaints_held_late_by", "held_late_by", "due_at", "id", where=text("held_late_by IS NOT NULL")),
        _part("ix_complaints_filed", "filed_at", "id", include=COUNTED),
        _part("ix_complaints_answered", "answered_at", "id", include=(*COUNTED, "due_at")),
        _part("ix_complaints_department_filed", "department", "filed_at", "id", include=NARROWED),
        Index("ix_complaints_counted", "id", "department", "held_late_by", *NARROWED),
        _part(
            "ix_complaints_department_answered",
            "department",
            "answered_at",
            "id",
            include=("held_late_by", "due_at", "extensions", *NARROWED),
        ),
        Index("ix_complaints_category_filed", "category", "filed_at", "id"),
        Index("ix_complaints_area_filed", "area", "filed_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    code_index: Mapped[str] = mapped_column(String(64))
    request_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    request_digest: Mapped[str | None] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    text: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(120))
    urgent: Mapped[bool]
    location: Mapped[str | None] = mapped_column(String(200))
    area: Mapped[str | None] = mapped_column(String(40))
    anonymous: Mapped[bool]
    case_number: Mapped[str | None] = mapped_column(String(64))
    attachments: Mapped[list[str]] = mapped_column(JSON)
    channel: Mapped[str] = mapped_column(String(40))
    citizen: Mapped[str | None] = mapped_column(String(160), index=True)
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    department: Mapped[str | None] = mapped_column(String(500))
    held_late_by: Mapped[str | None] = mapped_column(String(500))
    co_departments: Mapped[list[str]] = mapped_column(JSON)
    power: Mapped[str | None] = mapped_column(String(64))
    basis: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Double)
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    filed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sign_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reply_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    return_until: Mapped[datetime] = mapped_column(UtcDateTime)
    provisional: Mapped[bool]
    counted: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    sign_version: Mapped[int] = mapped_column(default=1)
    reply_version: Mapped[int] = mapped_column(default=1)
    close_version: Mapped[int] = mapped_column(default=1)
    handler: Mapped[str | None] = mapped_column(String(80))
    replied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    returns: Mapped[int] = mapped_column(default=0)
    extension_asked: Mapped[bool] = mapped_column(default=False)
    extensions: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    encoder: Mapped[str] = mapped_column(String(120))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    happened: Mapped[str | None] = mapped_column(String(100))
    wish: Mapped[str | None] = mapped_column(String(200))
    joined: Mapped[int] = mapped_column(default=0)


class ComplaintEventRow(Base):
    """What happened to a complaint, numbered from 1 without gaps."""

    __tablename__ = "complaint_events"
    __table_args__ = (
        Index("ix_complaint_events_at", "at"),
        _part("ix_complaint_events_returned", "at", where=text("act = 'return'")),
    )

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    act: Mapped[str] = mapped_column(String(20))
    before: Mapped[str | None] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(80))
    note: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class ComplaintJoinerRow(Base):
    """Somebody who joined a complaint of others. ``sealed``: his contact, words and code, checked by ``code_index``."""

    __tablename__ = "complaint_joiners"

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id", ondelete="CASCADE"), index=True)
    request_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_index: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    attachments: Mapped[list[str]] = mapped_column(JSON)
    channel: Mapped[str] = mapped_column(String(40))
    citizen: Mapped[str | None] = mapped_column(String(160))
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ComplaintLinkRow(Base):
    """Who may see a complaint without its code: whoever filed, joined or once opened it.

    ``who`` is a citizen's name (``wechat:…``) or ``conversation:ID``; ``joiner_id`` where he is one who joined.
    """

    __tablename__ = "complaint_links"

    who: Mapped[str] = mapped_column(String(180), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(
        ForeignKey("complaints.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    joiner_id: Mapped[int | None] = mapped_column(ForeignKey("complaint_joiners.id", ondelete="CASCADE"))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ComplaintAttemptRow(Base):
    """Wrong codes in a row, by a blind index over number and origin."""

    __tablename__ = "complaint_attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RelearningRow(Base):
    """One time that the decision learned from what people decided up to ``until``; the latest not undone is in force.

    ``weight`` and ``reach``: how much that counts (index/memory.py). ``right_before``, ``right_after``: of
    ``decisions``, how many had the right unit first without it, and held out with it.
    """

    __tablename__ = "relearnings"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    weight: Mapped[float] = mapped_column(Double)
    reach: Mapped[float] = mapped_column(Double)
    decisions: Mapped[int]
    right_before: Mapped[int]
    right_after: Mapped[int]
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
