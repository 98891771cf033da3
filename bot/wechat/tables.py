"""Rows of the Official Account: messages taken in, citizens with what may be sent to them, consents, tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime


class InboxRow(Base):
    """One message, stored before anything acts on it. ``identity`` is the same for every post of it.

    ``state``: open (to be answered), ready (answered, something is still to be sent), sending (one part is on its way),
    done. ``delivery`` is decided once: passive (the reply to a post), service (customer-service messages), held (kept
    for the citizen's next message), none (nothing is said). ``parts_sent`` of the answer's parts need no more care.
    ``owner`` works on it until ``lease_until``; another process takes over when the lease has run out.
    """

    __tablename__ = "wechat_inbox"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'ready', 'sending', 'done')", name="state"),
        CheckConstraint("delivery IN ('passive', 'service', 'held', 'none')", name="delivery"),
        Index("ix_wechat_inbox_state_lease_until", "state", "lease_until"),
        Index("ix_wechat_inbox_openid_state", "openid", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    openid: Mapped[str] = mapped_column(String(64))
    message: Mapped[dict[str, Any]] = mapped_column(JSON)
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    delivery: Mapped[str | None] = mapped_column(String(10))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    parts_sent: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(String(32))
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
    fault: Mapped[str | None] = mapped_column(String(200))


class CitizenRow(Base):
    """One citizen as the account knows him: his conversation, his windows, what was offered outside a turn."""

    __tablename__ = "wechat_citizens"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    followed: Mapped[bool] = mapped_column(default=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    offered: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    message_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    message_left: Mapped[int] = mapped_column(default=0)
    action_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    action_left: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    last_refusal: Mapped[str | None] = mapped_column(String(40))


class ConsentRow(Base):
    """Whether a citizen accepted notices of a template, as the platform last told."""

    __tablename__ = "wechat_consents"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    template_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    accepted: Mapped[bool]
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TokenRow(Base):
    """The account's access token, sealed; ``fetching_by`` has the right to fetch the next until ``fetching_until``."""

    __tablename__ = "wechat_tokens"

    app_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fetches: Mapped[int] = mapped_column(default=0)
    fetching_by: Mapped[str | None] = mapped_column(String(32))
    fetching_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
