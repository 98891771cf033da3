"""Changing who holds a conversation, and a person's words in it: steps inside somebody's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.conversations import repository
from bot.conversations.holding import Holder, HoldingAct, after
from bot.conversations.model import Focus
from bot.conversations.tables import ConversationRow, EventRow
from bot.masking import without_codes


def move(
    session: Session,
    conversation: ConversationRow,
    act: HoldingAct,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> Holder:
    """Lets ``act`` happen and writes it down in the log, where the citizen may read ``details``.

    Compare-and-set: the change is made only where the conversation is still in the version that was read. Raises
    Conflict where it moved on or the act does not fit.
    """
    following = after(Holder(conversation.holder), act)
    session.flush()
    repository.set_holder(session, conversation, following)
    payload = {"holder": following.value, "act": act.value, **(details or {})}
    repository.add_event(session, conversation, "holder", payload, now)
    conversation.updated_at = now
    return following


def new_conversation(channel: str, citizen: str | None, now: datetime) -> ConversationRow:
    """A conversation that the assistant has, in which nothing was said yet; to be added to a session."""
    return ConversationRow(
        id=secrets.token_urlsafe(24),
        channel=channel,
        citizen=citizen,
        created_at=now,
        updated_at=now,
        focus=Focus().to_dict(),
        turns=0,
        last_event=0,
        holder=Holder.BOT.value,
        holder_version=0,
        person_event=0,
    )


def hear(session: Session, conversation: ConversationRow, text: str, now: datetime, noted_by: str) -> EventRow:
    """The citizen's word as somebody wrote it down, who is on the telephone with him. The row must be locked."""
    payload = {"turn_id": None, "client_message_id": None, "text": without_codes(text), "noted_by": noted_by}
    event = repository.add_event(session, conversation, "citizen", payload, now)
    conversation.turns += 1
    conversation.updated_at = now
    return event


def say(
    session: Session,
    conversation: ConversationRow,
    text: str,
    operator: str,
    now: datetime,
    *,
    silences: bool = True,
    more: Mapping[str, Any] | None = None,
    card: Mapping[str, Any] | None = None,
) -> EventRow:
    """A person's word to the citizen; ``operator`` is the name the citizen sees. The row must be locked.

    ``silences``: an answer that the assistant is just making is dropped; not where the assistant has the conversation.
    ``card``: the same as a slip, for channels that draw one.
    """
    message = {"kind": "text", "text": text, **({"card": dict(card)} if card else {})}
    payload = {"messages": [message], "operator": operator, **(more or {})}
    event = repository.add_event(session, conversation, "person", payload, now)
    if silences:
        conversation.person_event = event.number
    conversation.updated_at = now
    return event
