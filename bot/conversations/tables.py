"""Rows of conversations: the conversation with its focus, its turns (for idempotency) and its numbered log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class ConversationRow(Base):
    """One conversation. ``open_turn`` is being answered until ``open_until``: a lease, should its process die.

    ``citizen`` is the name its channel vouches for (``wechat:<openid>``); ``origin`` a digest of the latest address.
    ``holder`` says who answers (see ``holding``); ``holder_version`` grows with every change of it. ``person_event`` is
    the number of the latest word of a person.
    """

    __tablename__ = "conversations"
    __table_args__ = (CheckConstraint("holder IN ('bot', 'waiting', 'person', 'closed')", name="holder"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    citizen: Mapped[str | None] = mapped_column(String(160), index=True)
    origin: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    focus: Mapped[dict[str, Any]] = mapped_column(JSON)
    turns: Mapped[int] = mapped_column(default=0)
    last_event: Mapped[int] = mapped_column(default=0)
    open_turn: Mapped[str | None] = mapped_column(String(64))
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str] = mapped_column(String(10), default="bot")
    holder_version: Mapped[int] = mapped_column(default=0)
    person_event: Mapped[int] = mapped_column(default=0)


class MarksRow(Base):
    """How far the citizen's side got the log and read it, by event number; who types, until when that is believed."""

    __tablename__ = "conversation_marks"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    delivered: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    citizen_types_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person_types_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TurnRow(Base):
    """One message taken in. ``opening_key`` finds a first message again that came without a conversation.

    ``event`` is the number of its line in the log.
    """

    __tablename__ = "conversation_turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_message_id"),
        CheckConstraint("state IN ('open', 'done')", name="state"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    client_message_id: Mapped[str | None] = mapped_column(String(128))
    opening_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    event: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="open")
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EventRow(Base):
    """One line of a conversation's log, numbered from 1 within the conversation."""

    __tablename__ = "conversation_events"
    __table_args__ = (CheckConstraint("number > 0", name="number"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
