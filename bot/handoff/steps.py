"""Steps of the desk inside somebody's transaction, and what is said where one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.conversations.holding import Holder, HoldingAct
from bot.conversations.moving import move
from bot.conversations.tables import ConversationRow
from bot.errors import Conflict, InvalidInput, NotFound
from bot.handoff import repository
from bot.handoff.model import Kind
from bot.handoff.tables import HandoffRow, NoteRow
from bot.text import is_blank


def requeue(
    session: Session,
    row: HandoffRow,
    conversation: ConversationRow,
    values: Mapping[str, Any],
    now: datetime,
    text: str,
) -> None:
    """Puts a call that a person has back into a queue; raises Conflict where it is not his any more."""
    state: dict[str, Any] = {"state": "waiting", "operator_id": None, "position": None, "noticed": False}
    state |= {"unanswered_since": None, "reminded_at": None, "wanted_id": None, "offered_until": None, "passed": []}
    if not repository.change(session, row, row.version, {**state, **values}):
        raise gone(session, row)
    if row.kind == Kind.LIVE and conversation.holder == Holder.PERSON:
        move(session, conversation, HoldingAct.REQUEUE, now, {"text": text})


def add_note(session: Session, row: HandoffRow, author: str, kind: str, text: str, now: datetime) -> None:
    """A word among colleagues; ``kind``: whisper, transfer or system."""
    session.add(NoteRow(handoff_id=row.id, at=now, author=author, kind=kind, text=text))


def gone(session: Session, row: HandoffRow) -> Conflict:
    """Says who has it now."""
    full = repository.full(session, row.id)
    name = full[3] if full else None
    if row.state == "person" and name:
        return Conflict(f"这个对话已由{name}接走。", code="taken_by_another", remedy="请看一下队列里的其他对话。")
    if row.state == "waiting":
        return Conflict("这个对话已经回到队列，不在您手上。", code="not_yours", remedy="要继续的话，请在队列里重新接。")
    return Conflict("这个对话已经结束或由市民取消。", code="handoff_done", remedy="请看一下队列里的其他对话。")


def checked(text: str, longest: int, what: str) -> str:
    """``text`` trimmed; raises InvalidInput, naming ``what``, where it is blank or too long."""
    text = text.strip()
    if is_blank(text):
        raise InvalidInput(f"{what}是空的。", code="blank_text", remedy="请写点内容再发。")
    if len(text) > longest:
        raise InvalidInput(
            f"{what}太长（{len(text)} 个字，最多 {longest} 个）。", code="text_too_long", remedy="请分成几条发。"
        )
    return text


def unknown() -> NotFound:
    """There is no such call."""
    return NotFound("没有这个对话。", code="handoff_not_found", remedy="请刷新坐席台再看。")


def no_aim() -> InvalidInput:
    """A transfer to nobody, or to nobody who can be given it."""
    return InvalidInput("请选择转给谁。", code="no_aim", remedy="选一个队列，或者选一位同事（不能是自己）。")
