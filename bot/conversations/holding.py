"""Who holds a conversation: the assistant, the queue, a person. The state machine of the one conversation record. Pure.

::

    bot ──ask──► waiting ──take──► person ──give_back──► bot
     │             │  ▲              │ ├────close──────► closed ──reopen──► bot
     │             │  └───requeue────┘ └────take───────► person (a colleague's)
     │             └──withdraw──► bot
     └──────step_in──────────────► person
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bot.errors import Conflict


class Holder(StrEnum):
    """Who answers the citizen now."""

    BOT = "bot"
    WAITING = "waiting"  # a person is called; nobody has taken it yet
    PERSON = "person"
    CLOSED = "closed"  # a person has ended it; the citizen's next word opens it again


class HoldingAct(StrEnum):
    """What moves a conversation from one to another."""

    ASK = "ask"
    TAKE = "take"
    STEP_IN = "step_in"
    REQUEUE = "requeue"  # back to the queue: handed on, or the operator is gone
    WITHDRAW = "withdraw"  # the citizen waits no longer, or nobody will come
    GIVE_BACK = "give_back"
    CLOSE = "close"
    REOPEN = "reopen"


_TRANSITIONS: Mapping[tuple[Holder, HoldingAct], Holder] = {
    (Holder.BOT, HoldingAct.ASK): Holder.WAITING,
    (Holder.BOT, HoldingAct.STEP_IN): Holder.PERSON,
    (Holder.WAITING, HoldingAct.TAKE): Holder.PERSON,
    (Holder.WAITING, HoldingAct.WITHDRAW): Holder.BOT,
    (Holder.PERSON, HoldingAct.TAKE): Holder.PERSON,
    (Holder.PERSON, HoldingAct.REQUEUE): Holder.WAITING,
    (Holder.PERSON, HoldingAct.GIVE_BACK): Holder.BOT,
    (Holder.PERSON, HoldingAct.CLOSE): Holder.CLOSED,
    (Holder.CLOSED, HoldingAct.REOPEN): Holder.BOT,
    (Holder.CLOSED, HoldingAct.STEP_IN): Holder.PERSON,
}

SILENT = frozenset({Holder.WAITING, Holder.PERSON})
"""While one of these holds the conversation the assistant says nothing of its own."""


def after(holder: Holder, act: HoldingAct) -> Holder:
    """Who holds the conversation after ``act``. Raises Conflict where the act does not fit what is."""
    following = _TRANSITIONS.get((holder, act))
    if following is None:
        raise Conflict(
            "这个对话的状态已经变了，没有执行。", code="conversation_moved_on", remedy="请看一下最新的状态再操作。"
        )
    return following
