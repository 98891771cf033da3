"""Rows of cases: the case itself, who may ask without a code, wrong codes counted, where a feed has come to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class CaseRow(Base):
    """One case. ``folded`` is its number in one spelling, ``plain`` that without Han.

    ``body`` holds what is not personal; ``sealed`` query code and applicant, and how to check a code is
    ``code_index``, ``id_index`` and ``phone_index``: blind indexes over number and code. ``digest`` tells whether
    anything changed. ``finished_at``: when the office was done, for the retention of closed cases.
    """

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(String(64), unique=True)
    plain: Mapped[str] = mapped_column(String(64), index=True)
    source: Mapped[str] = mapped_column(String(60), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    code_index: Mapped[str | None] = mapped_column(String(64))
    id_index: Mapped[str | None] = mapped_column(String(64))
    phone_index: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    source_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class CaseLinkRow(Base):
    """A citizen of a channel who proved once that the case is his."""

    __tablename__ = "case_links"

    citizen: Mapped[str] = mapped_column(String(160), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseFollowerRow(Base):
    """A conversation in which the case was shown: while it is fresh, news of the case appear there too."""

    __tablename__ = "case_followers"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseAttemptRow(Base):
    """Wrong codes in a row. ``key`` is a blind index over what is counted: number and origin, a number, an origin."""

    __tablename__ = "case_attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class CaseRequestRow(Base):
    """A citizen's request that an overdue case be looked into. ``complaint`` once it was filed as one."""

    __tablename__ = "case_requests"
    __table_args__ = (
        UniqueConstraint("case_id", "occasion"),
        CheckConstraint("kind IN ('delay')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    occasion: Mapped[str] = mapped_column(String(40))
    receipt: Mapped[str] = mapped_column(String(40), unique=True)
    complaint: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseFeedRow(Base):
    """How far a feed of cases was read. ``trouble``: rows of the last reading that were not taken, with reasons."""

    __tablename__ = "case_feeds"

    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    cursor: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken: Mapped[int]
    trouble: Mapped[list[Any]] = mapped_column(JSON)
