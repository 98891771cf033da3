"""Which conversations an operator may open: what he has or had, his queues, who he may step in for; and who looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.conversations import repository as conversations
from bot.conversations.holding import Holder
from bot.conversations.model import Focus
from bot.conversations.tables import ConversationRow
from bot.errors import Forbidden
from bot.handoff import repository
from bot.handoff.desk import Desk
from bot.handoff.model import Call
from bot.handoff.steps import unknown
from bot.handoff.tables import HandoffRow
from bot.people.model import Account, Role
from bot.store import Store

RECENT = timedelta(minutes=15)
"""How lately something was said in a conversation with the assistant into which operators may step."""
Department = Callable[[str | None], str | None]
"""The department of a matter."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an operator stands to a conversation."""

    his: bool = False
    """He has it, or had it: then it is not asked whether he is asked or serves the citizen now."""
    asked: bool = False
    """He is asked to take it, or it was handed on to him."""
    queued: bool = False
    """It waits in one of his queues, or there is danger."""
    steppable: bool = False
    """The assistant has it, somebody just spoke in it, and it is about something of his queues."""
    same_citizen: bool = False
    """It is an earlier one of a citizen whose conversation he has now."""

    @property
    def may_see(self) -> bool:
        return self.his or self.asked or self.queued or self.steppable or self.same_citizen


def serves(desk: Desk, row: HandoffRow | Call, operator: Account) -> bool:
    """Whether a waiting call is for ``operator``: in one of his queues, or urgent."""
    return row.urgent or desk.queue(row.queue).serves(operator.username)


def may_step_in(
    desk: Desk, conversation: ConversationRow, operator: Account, department: Department, now: datetime
) -> bool:
    """Whether ``operator`` may step into a conversation that the assistant has: lately spoken in, of his queues."""
    if conversation.holder != Holder.BOT or conversation.updated_at < now - RECENT:
        return False
    if all(queue.serves(operator.username) for queue in desk.queues):
        return True
    return desk.queue_for(department(Focus.from_dict(conversation.focus).matter)).serves(operator.username)


def standing(
    session: Session,
    desk: Desk,
    conversation: ConversationRow,
    operator: Account,
    department: Department,
    now: datetime,
) -> Standing:
    """How ``operator`` stands to ``conversation``, as the store has it."""
    rows = repository.calls_of(session, conversation.id)
    if any(row.operator_id == operator.id or operator.id in row.had for row in rows):
        return Standing(his=True, steppable=may_step_in(desk, conversation, operator, department, now))
    waiting = [row for row in rows if row.state == "waiting"]
    return Standing(
        asked=any(row.wanted_id == operator.id for row in waiting),
        queued=any(serves(desk, row, operator) for row in waiting),
        steppable=may_step_in(desk, conversation, operator, department, now),
        same_citizen=repository.has_the_citizen(
            session, operator.id, conversation.citizen, [row.caller_index for row in rows if row.caller_index]
        ),
    )


class Rights:
    """Decides who may open what. Supervisors may open everything; whoever opens what is not his is written down."""

    def __init__(self, store: Store, clock: Clock, desk: Desk, department: Department) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self.department = department

    def check(self, conversation_id: str, account: Account) -> Standing:
        """How ``account`` stands to the conversation. Raises NotFound, Forbidden where he may not see it."""
        with self._store.read() as session:
            return self.checked(session, conversation_id, account)

    def checked(self, session: Session, conversation_id: str, account: Account) -> Standing:
        """As :meth:`check`, inside somebody's transaction."""
        row = conversations.conversation(session, conversation_id)
        if row is None:
            raise unknown()
        found = standing(session, self._desk, row, account, self.department, self._clock.now())
        if account.role is not Role.SUPERVISOR and not found.may_see:
            raise not_his()
        return found

    def may_step_in(self, session: Session, row: ConversationRow, account: Account) -> bool:
        """Whether the account may take the conversation from the assistant. One that somebody else has, or that waits,
        is not the assistant's: the state machine says so.
        """
        if account.role is Role.SUPERVISOR or row.holder in (Holder.WAITING, Holder.PERSON):
            return True
        found = standing(session, self._desk, row, account, self.department, self._clock.now())
        return found.his or found.steppable

    def open(self, conversation_id: str, account: Account) -> None:
        """As :meth:`check`; that somebody looked into what is not his is audited."""
        found = self.check(conversation_id, account)
        if not found.his:
            with self._store.write() as work:
                work.audit(account.username, "handoff.look", conversation_id)


def not_his() -> Forbidden:
    """The conversation is none of the operator's."""
    return Forbidden(
        "这个对话不在您能看的范围里。",
        code="not_yours",
        remedy="能看的是自己接过的、自己队列里的和可以介入的对话；需要时请督办员查看，或请同事转给您。",
    )
