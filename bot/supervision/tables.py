"""Rows of supervision: what was raised and to whom, what the units answered, call-backs and rectifications."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime

CLOCKS = ("dispatch", "sign", "reply", "close", "rectify", "callback")
ROLES = ("handler", "head", "operator", "supervisor")


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ('" + "', '".join(values) + "')"


class AlarmRow(Base):
    """One thing raised about one clock of one complaint: 提醒 预警 超时, or a document (催办单 黄牌 红牌 督办).

    Unique by item, clock, deadline ``version`` and ``level`` (see ``model.Level``): the database itself raises nothing
    twice. ``item``: the rectification or call-back whose clock it is, 0 for the complaint's own. ``serial``: 0 for what
    the worker raised, 1, 2 … for what a supervisor urged by hand, with its ``reason``. ``department``: who held it.
    ``answer_due_at``: by when a document is to be answered. ``revoked_at``: a supervisor took it back.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        UniqueConstraint("complaint_id", "clock", "item", "version", "level", "serial"),
        CheckConstraint(_among("clock", CLOCKS), name="clock"),
        CheckConstraint("level BETWEEN 1 AND 7", name="level"),
        Index("ix_alarms_department_raised_at", "department", "raised_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id", ondelete="CASCADE"))
    clock: Mapped[str] = mapped_column(String(10))
    item: Mapped[int] = mapped_column(default=0)
    version: Mapped[int]
    level: Mapped[int]
    serial: Mapped[int] = mapped_column(default=0)
    department: Mapped[str | None] = mapped_column(String(500))
    urgent: Mapped[bool]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    raised_by: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(Text)
    answer_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[str | None] = mapped_column(String(80))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(String(80))
    revoke_reason: Mapped[str | None] = mapped_column(Text)


class AlarmNoticeRow(Base):
    """What one recipient (role and department, "" for all units) is told at once: one alarm, or a summary of many.

    ``key`` names the recipient and the few minutes that are gathered, so there is one for them however many alarms
    there are; an urgent alarm has one of its own. ``seen_at``: somebody in that role has read it.
    """

    __tablename__ = "alarm_notices"
    __table_args__ = (
        CheckConstraint(_among("role", ROLES), name="role"),
        Index("ix_alarm_notices_role_department_at", "role", "department", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    role: Mapped[str] = mapped_column(String(10))
    department: Mapped[str] = mapped_column(String(500))
    urgent: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_by: Mapped[str | None] = mapped_column(String(80))


class AlarmRecipientRow(Base):
    """Who is told of an alarm: the notice it is part of names role and department."""

    __tablename__ = "alarm_recipients"

    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"), primary_key=True)
    notice_id: Mapped[int] = mapped_column(
        ForeignKey("alarm_notices.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class CallbackRow(Base):
    """A call to a citizen after the answer. ``reason``: ``poor`` (a bad judgement) or ``answer`` (every answer).

    ``occasion`` makes it unique: the judgement, or the deadline version that was answered. ``outcome``: ``satisfied``,
    ``dissatisfied``, ``unreachable``, ``void`` (reopened meanwhile). ``unit``: whose answer it is about, whoever has
    the complaint later. ``note`` is sealed.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        UniqueConstraint("complaint_id", "reason", "occasion"),
        CheckConstraint("reason IN ('poor', 'answer')", name="reason"),
        CheckConstraint("state IN ('open', 'done')", name="state"),
        CheckConstraint("outcome IN ('satisfied', 'dissatisfied', 'unreachable', 'void')", name="outcome"),
        Index("ix_callbacks_state_due_at", "state", "due_at"),
        Index("ix_callbacks_done_at", "done_at", "outcome", "unit", "complaint_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(10))
    occasion: Mapped[int]
    unit: Mapped[str | None] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(10), default="open")
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    days: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    provisional: Mapped[bool]
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_by: Mapped[str | None] = mapped_column(String(80))


class RectificationRow(Base):
    """What a unit must put right after a judgement of 不满意 or 非常不满意 (整改), with a clock of its own.

    ``version`` is the deadline's. ``open`` → ``submitted`` (the unit wrote what it did) → ``accepted``, or back to
    ``open`` with what is missing (``returned_for``). ``unit`` and ``person``: whom the judgement was credited to.
    """

    __tablename__ = "rectifications"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'submitted', 'accepted')", name="state"),
        Index("ix_rectifications_state_due_at", "state", "due_at"),
        Index("ix_rectifications_unit_state", "unit", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id", ondelete="CASCADE"), index=True)
    judgement_id: Mapped[int] = mapped_column(ForeignKey("judgements.id"), unique=True)
    unit: Mapped[str] = mapped_column(String(500))
    person: Mapped[str | None] = mapped_column(String(500))
    level: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="open")
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    days: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    provisional: Mapped[bool]
    report: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_by: Mapped[str | None] = mapped_column(String(80))
    returned_for: Mapped[str | None] = mapped_column(Text)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_by: Mapped[str | None] = mapped_column(String(80))
