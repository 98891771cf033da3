"""Rows of hand-offs: who waits for a person or has one, notes among colleagues, who of the operators is there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class HandoffRow(Base):
    """One call for a person: ``live`` in the conversation, or a ``message`` left to be answered by ``due_at``.

    ``version`` grows with every change of ``state``. ``wanted_id``: the colleague it was handed on to. ``position``:
    the place in the queue that the citizen was last told. ``unanswered_since``: when the citizen last spoke to a person
    who has not answered yet. ``seen_event``: how far the operator has read. ``offered_until``: until when ``wanted_id``
    is asked first, because he has the fewest; ``passed`` were asked and let it pass; ``had`` are all who took it.
    ``salutation``: how the citizen is addressed. ``caller`` is the sealed number of somebody on the telephone,
    ``caller_index`` finds his other calls.
    """

    __tablename__ = "handoffs"
    __table_args__ = (
        CheckConstraint("kind IN ('live', 'message')", name="kind"),
        CheckConstraint("state IN ('waiting', 'person', 'done')", name="state"),
        Index("ix_handoffs_state_queue", "state", "queue"),
        Index("ix_handoffs_operator_id_state", "operator_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(20))
    queue: Mapped[str] = mapped_column(String(40))
    urgent: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    wanted_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    provisional: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int | None]
    noticed: Mapped[bool] = mapped_column(default=False)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_reply_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unanswered_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_event: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    outcome: Mapped[str | None] = mapped_column(String(20))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    passed: Mapped[list[int]] = mapped_column(JSON, default=list)
    had: Mapped[list[int]] = mapped_column(JSON, default=list)
    salutation: Mapped[str] = mapped_column(String(20), default="")
    offered_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    caller: Mapped[bytes | None] = mapped_column(LargeBinary)
    caller_index: Mapped[str | None] = mapped_column(String(64), index=True)


class NoteRow(Base):
    """A word among colleagues, which the citizen never sees. ``kind``: whisper, transfer, system."""

    __tablename__ = "handoff_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    handoff_id: Mapped[int] = mapped_column(ForeignKey("handoffs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    author: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)


class PresenceRow(Base):
    """Whether an operator is there. ``until``: a lease that the open desk renews; after it he counts as offline."""

    __tablename__ = "presences"
    __table_args__ = (CheckConstraint("state IN ('online', 'away', 'offline')", name="state"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(80))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
