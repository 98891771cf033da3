"""Every query over conversations. Holds no rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.tables import ConversationRow, EventRow, TurnRow


def conversation(session: Session, conversation_id: str) -> ConversationRow | None:
    return session.get(ConversationRow, conversation_id)


def locked_conversation(session: Session, conversation_id: str) -> ConversationRow | None:
    """The row, locked until the transaction ends (on SQLite the whole writing transaction is the lock)."""
    return session.scalars(
        select(ConversationRow).where(ConversationRow.id == conversation_id).with_for_update()
    ).one_or_none()


def turn_of_message(session: Session, conversation_id: str, client_message_id: str) -> TurnRow | None:
    return session.scalars(
        select(TurnRow).where(
            TurnRow.conversation_id == conversation_id, TurnRow.client_message_id == client_message_id
        )
    ).one_or_none()


def turn_of_opening(session: Session, opening_key: str) -> TurnRow | None:
    return session.scalars(select(TurnRow).where(TurnRow.opening_key == opening_key)).one_or_none()


def turn(session: Session, turn_id: str) -> TurnRow | None:
    return session.get(TurnRow, turn_id)


def add_event(
    session: Session, conversation: ConversationRow, kind: str, payload: dict[str, Any], at: datetime
) -> EventRow:
    """The next line of the log; the conversation's row must be locked."""
    conversation.last_event += 1
    row = EventRow(conversation_id=conversation.id, number=conversation.last_event, kind=kind, at=at, payload=payload)
    session.add(row)
    return row


def events_after(session: Session, conversation_id: str, after: int, limit: int) -> list[EventRow]:
    return list(
        session.scalars(
            select(EventRow)
            .where(EventRow.conversation_id == conversation_id, EventRow.number > after)
            .order_by(EventRow.number)
            .limit(limit)
        )
    )
