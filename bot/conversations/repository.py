"""Every query over conversations. Holds no rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from bot.conversations.holding import Holder
from bot.conversations.tables import ConversationRow, EventRow, TurnRow
from bot.errors import Conflict

# Composed once: to compose a statement costs several times what it takes to run it.
_LOCKED_TURN = (
    select(ConversationRow, TurnRow)
    .join(TurnRow, TurnRow.conversation_id == ConversationRow.id)
    .where(TurnRow.id == bindparam("turn"))
    .with_for_update()  # both rows: where this waits, the turn is read again as the other left it
)
_LOCKED_CONVERSATION = select(ConversationRow).where(ConversationRow.id == bindparam("conversation")).with_for_update()
_TURN_OF_OPENING = select(TurnRow).where(TurnRow.opening_key == bindparam("opening"))


def conversation(session: Session, conversation_id: str) -> ConversationRow | None:
    return session.get(ConversationRow, conversation_id)


def locked_conversation(session: Session, conversation_id: str) -> ConversationRow | None:
    """The row, locked until the transaction ends (on SQLite the whole writing transaction is the lock)."""
    return session.scalars(_LOCKED_CONVERSATION, {"conversation": conversation_id}).one_or_none()


def turn_of_message(session: Session, conversation_id: str, client_message_id: str) -> TurnRow | None:
    return session.scalars(
        select(TurnRow).where(
            TurnRow.conversation_id == conversation_id, TurnRow.client_message_id == client_message_id
        )
    ).one_or_none()


def turn_of_opening(session: Session, opening_key: str) -> TurnRow | None:
    return session.scalars(_TURN_OF_OPENING, {"opening": opening_key}).one_or_none()


def turn(session: Session, turn_id: str) -> TurnRow | None:
    return session.get(TurnRow, turn_id)


def locked_turn(session: Session, turn_id: str) -> tuple[ConversationRow, TurnRow] | None:
    """The turn with its conversation, both locked until the transaction ends."""
    row = session.execute(_LOCKED_TURN, {"turn": turn_id}).one_or_none()
    return None if row is None else (row[0], row[1])


def add_event(
    session: Session, conversation: ConversationRow, kind: str, payload: dict[str, Any], at: datetime
) -> EventRow:
    """The next line of the log; the conversation's row must be locked."""
    row = next_event(conversation, kind, payload, at)
    session.add(row)
    return row


def next_event(conversation: ConversationRow, kind: str, payload: dict[str, Any], at: datetime) -> EventRow:
    """The next line of the log, not written yet."""
    conversation.last_event += 1
    return EventRow(conversation_id=conversation.id, number=conversation.last_event, kind=kind, at=at, payload=payload)


def events_after(session: Session, conversation_id: str, after: int, limit: int) -> list[EventRow]:
    return list(
        session.scalars(
            select(EventRow)
            .where(EventRow.conversation_id == conversation_id, EventRow.number > after)
            .order_by(EventRow.number)
            .limit(limit)
        )
    )


def set_holder(session: Session, row: ConversationRow, holder: Holder) -> None:
    """Sets who holds the conversation, if it is still in the version of ``row``. Raises Conflict where it is not."""
    changed = session.scalars(
        update(ConversationRow)
        .where(ConversationRow.id == row.id, ConversationRow.holder_version == row.holder_version)
        .values(holder=holder.value, holder_version=ConversationRow.holder_version + 1)
        .returning(ConversationRow.holder_version)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if changed is None:
        raise Conflict("这个对话刚刚被别人处理了。", code="conversation_moved_on", remedy="请看一下最新的状态再操作。")
    session.refresh(row, ["holder", "holder_version"])


def last_events(session: Session, conversation_id: str, kind: str, limit: int) -> list[EventRow]:
    """The latest lines of one kind, latest first."""
    return list(
        session.scalars(
            select(EventRow)
            .where(EventRow.conversation_id == conversation_id, EventRow.kind == kind)
            .order_by(EventRow.number.desc())
            .limit(limit)
        )
    )


def silent_since(session: Session, moment: datetime, most: int) -> list[str]:
    """Conversations nobody has spoken in since ``moment``, with nobody waiting, that still hold what was said."""
    query = (
        select(ConversationRow.id)
        .where(
            ConversationRow.updated_at < moment,
            ConversationRow.holder.in_([Holder.BOT, Holder.CLOSED]),
            ConversationRow.turns > 0,
        )
        .order_by(ConversationRow.updated_at)
        .limit(most)
    )
    return list(session.scalars(query))


def clear(session: Session, conversation_ids: Collection[str]) -> None:
    """Takes away what was said in these conversations, what they were about and who spoke."""
    session.execute(delete(EventRow).where(EventRow.conversation_id.in_(conversation_ids)))
    session.execute(delete(TurnRow).where(TurnRow.conversation_id.in_(conversation_ids)))
    emptied = {"turns": 0, "focus": {}, "citizen": None, "origin": None, "open_turn": None, "open_until": None}
    session.execute(update(ConversationRow).where(ConversationRow.id.in_(conversation_ids)).values(**emptied))


def others_of(session: Session, but: str, citizen: str | None, ids: Sequence[str], limit: int) -> list[ConversationRow]:
    """Conversations of ``citizen``, and those named by ``ids``, without one, latest first."""
    whose: ColumnElement[bool] = ConversationRow.id.in_(ids)
    if citizen is not None:
        whose = or_(whose, ConversationRow.citizen == citizen)
    query = select(ConversationRow).where(whose, ConversationRow.id != but)
    return list(session.scalars(query.order_by(ConversationRow.created_at.desc()).limit(limit)))
