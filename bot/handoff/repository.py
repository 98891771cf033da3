"""Every query on hand-offs, notes among colleagues and presence. Holds no rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from bot.conversations.tables import ConversationRow, EventRow, MarksRow
from bot.handoff.tables import HandoffRow, NoteRow, PresenceRow
from bot.people.tables import AccountRow

OPEN = ("waiting", "person")


def by_id(session: Session, handoff_id: int, *, lock: bool = False) -> HandoffRow | None:
    query = select(HandoffRow).where(HandoffRow.id == handoff_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def open_of(session: Session, conversation_id: str, kind: str) -> HandoffRow | None:
    """The call of a conversation that is not done; its row must be locked to rely on the answer."""
    query = select(HandoffRow).where(
        HandoffRow.conversation_id == conversation_id, HandoffRow.kind == kind, HandoffRow.state.in_(OPEN)
    )
    return session.scalars(query.order_by(HandoffRow.id.desc()).limit(1)).one_or_none()


def change(session: Session, row: HandoffRow, version: int, values: dict[str, Any]) -> bool:
    """Compare and set: writes ``values`` and the next version where the call still has ``version``."""
    statement = (
        update(HandoffRow)
        .where(HandoffRow.id == row.id, HandoffRow.version == version)
        .values(**values, version=HandoffRow.version + 1)
        .returning(HandoffRow.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).first() is None:
        return False
    session.refresh(row)
    return True


def waiting(session: Session, queue: str | None = None, kind: str = "live") -> list[HandoffRow]:
    query = select(HandoffRow).where(HandoffRow.state == "waiting", HandoffRow.kind == kind)
    if queue is not None:
        query = query.where(HandoffRow.queue == queue)
    return list(session.scalars(query.order_by(HandoffRow.asked_at, HandoffRow.id)))


def held(session: Session) -> list[HandoffRow]:
    """Every call that a person has."""
    return list(session.scalars(select(HandoffRow).where(HandoffRow.state == "person").order_by(HandoffRow.id)))


_WITH = (
    select(HandoffRow, ConversationRow.channel, ConversationRow.last_event, AccountRow.display_name)
    .join(ConversationRow, ConversationRow.id == HandoffRow.conversation_id)
    .outerjoin(AccountRow, AccountRow.id == HandoffRow.operator_id)
)
Full = tuple[HandoffRow, str, int, str | None]


def full(session: Session, handoff_id: int) -> Full | None:
    """A call with its conversation's channel and last event, and its operator's name."""
    row = session.execute(_WITH.where(HandoffRow.id == handoff_id)).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3])


def first_waiting(session: Session, most: int) -> list[Full]:
    """The calls that wait, of each queue and kind the ``most`` that come first."""
    first = (HandoffRow.urgent.desc(), HandoffRow.asked_at, HandoffRow.id)
    place = func.row_number().over(partition_by=(HandoffRow.queue, HandoffRow.kind), order_by=first)
    ranked = select(HandoffRow.id, place.label("place")).where(HandoffRow.state == "waiting").subquery()
    return _full(session, _WITH.where(HandoffRow.id.in_(select(ranked.c.id).where(ranked.c.place <= most))))


def waiting_counts(session: Session) -> dict[tuple[str, str], int]:
    """Queue and kind → calls that wait, without the urgent, which are everybody's; those as queue ``""``."""
    urgent = case((HandoffRow.urgent, ""), else_=HandoffRow.queue)
    query = (
        select(urgent, HandoffRow.kind, func.count())
        .where(HandoffRow.state == "waiting")
        .group_by(urgent, HandoffRow.kind)
    )
    return {(queue, kind): count for queue, kind, count in session.execute(query)}


def wanted_of(session: Session, account_id: int) -> list[Full]:
    """The waiting calls that the account is asked to take, or that were handed on to it."""
    return _full(session, _WITH.where(HandoffRow.state == "waiting", HandoffRow.wanted_id == account_id))


def first_held(session: Session, most: int) -> list[Full]:
    """Conversations that persons have, those unanswered longest first."""
    longest = (HandoffRow.unanswered_since.is_(None), HandoffRow.unanswered_since, HandoffRow.id)
    query = _WITH.where(HandoffRow.state == "person").order_by(*longest).limit(most)
    return [(r[0], r[1], r[2], r[3]) for r in session.execute(query)]


def all_of(session: Session, account_id: int) -> list[Full]:
    return _full(session, _WITH.where(HandoffRow.state == "person", HandoffRow.operator_id == account_id))


def latest_of(session: Session, conversation_id: str) -> Full | None:
    """The conversation's newest call, an open one before a closed one."""
    found = _full(session, _WITH.where(HandoffRow.conversation_id == conversation_id))
    return max(found, key=lambda each: (each[0].state != "done", each[0].id), default=None)


def _full(session: Session, query: Select[HandoffRow, str, int, str]) -> list[Full]:
    return [(r[0], r[1], r[2], r[3]) for r in session.execute(query.order_by(HandoffRow.asked_at, HandoffRow.id))]


def talking_to_bot(session: Session, since: datetime, limit: int) -> list[ConversationRow]:
    """Conversations that the assistant has and in which something was said since then, latest first."""
    query = select(ConversationRow).where(ConversationRow.holder == "bot", ConversationRow.updated_at >= since)
    return list(session.scalars(query.order_by(ConversationRow.updated_at.desc()).limit(limit)))


def recent_lengths(session: Session, limit: int) -> list[tuple[datetime, datetime]]:
    """Beginning and end of the latest conversations that a person had."""
    query = (
        select(HandoffRow.taken_at, HandoffRow.ended_at)
        .where(HandoffRow.kind == "live", HandoffRow.taken_at.is_not(None), HandoffRow.ended_at.is_not(None))
        .order_by(HandoffRow.ended_at.desc())
        .limit(limit)
    )
    return [(taken, ended) for taken, ended in session.execute(query) if taken and ended]


def notes(session: Session, conversation_id: str) -> list[NoteRow]:
    """What colleagues wrote about a conversation, oldest first."""
    query = select(NoteRow).join(HandoffRow).where(HandoffRow.conversation_id == conversation_id)
    return list(session.scalars(query.order_by(NoteRow.id)))


def operators(session: Session) -> Sequence[tuple[AccountRow, PresenceRow | None]]:
    """Every open operator's account with its presence."""
    query = (
        select(AccountRow, PresenceRow)
        .outerjoin(PresenceRow, PresenceRow.account_id == AccountRow.id)
        .where(AccountRow.role == "operator", AccountRow.active)
        .order_by(AccountRow.username)
    )
    return [(account, presence) for account, presence in session.execute(query)]


def presences(session: Session) -> dict[int, PresenceRow]:
    """Account → whether it is there."""
    return {row.account_id: row for row in session.scalars(select(PresenceRow))}


def holding(session: Session) -> dict[int, int]:
    """Operator → live conversations held now."""
    query = (
        select(HandoffRow.operator_id, func.count())
        .where(HandoffRow.state == "person", HandoffRow.kind == "live", HandoffRow.operator_id.is_not(None))
        .group_by(HandoffRow.operator_id)
    )
    return {account: count for account, count in session.execute(query) if account is not None}


def loads(session: Session, but: int) -> dict[int, int]:
    """Account → live conversations it has or is asked first to take, the call ``but`` left out."""
    whose = func.coalesce(HandoffRow.operator_id, HandoffRow.wanted_id)
    query = (
        select(whose, func.count())
        .where(HandoffRow.state.in_(OPEN), HandoffRow.kind == "live", whose.is_not(None), HandoffRow.id != but)
        .group_by(whose)
    )
    return {account: count for account, count in session.execute(query) if account is not None}


def last_taken(session: Session) -> dict[int, datetime]:
    """Account → when it took a conversation last."""
    query = (
        select(HandoffRow.operator_id, func.max(HandoffRow.taken_at))
        .where(HandoffRow.operator_id.is_not(None), HandoffRow.taken_at.is_not(None))
        .group_by(HandoffRow.operator_id)
    )
    return {account: taken for account, taken in session.execute(query) if account is not None and taken is not None}


def calls_from(session: Session, indexes: Sequence[str], but: int, limit: int) -> list[str]:
    """Conversations of other calls from the same number, latest first."""
    query = select(HandoffRow.conversation_id).where(HandoffRow.caller_index.in_(indexes), HandoffRow.id != but)
    return list(session.scalars(query.order_by(HandoffRow.id.desc()).limit(limit)))


def unread(session: Session, calls: Collection[int]) -> dict[int, int]:
    """Call → words of the citizen that nobody at the desk has read."""
    query = (
        select(HandoffRow.id, func.count())
        .join(EventRow, EventRow.conversation_id == HandoffRow.conversation_id)
        .where(HandoffRow.id.in_(calls), EventRow.number > HandoffRow.seen_event, EventRow.kind == "citizen")
        .group_by(HandoffRow.id)
    )
    return dict(session.execute(query).all())


def served(
    session: Session, since: datetime, until: datetime, account_id: int | None
) -> list[tuple[HandoffRow, AccountRow]]:
    """Calls of the period that somebody took, with who had them last."""
    query = (
        select(HandoffRow, AccountRow)
        .join(AccountRow, AccountRow.id == HandoffRow.operator_id)
        .where(HandoffRow.asked_at >= since, HandoffRow.asked_at < until, HandoffRow.taken_at.is_not(None))
    )
    if account_id is not None:
        query = query.where(HandoffRow.operator_id == account_id)
    return [(row, account) for row, account in session.execute(query.order_by(HandoffRow.id))]


def search(
    session: Session,
    since: datetime,
    until: datetime,
    words: str,
    account_id: int | None,
    before: int | None,
    limit: int | None,
) -> list[Full]:
    """Calls of the period, latest first, in whose conversation ``words`` were said."""
    query = _WITH.where(HandoffRow.asked_at >= since, HandoffRow.asked_at < until)
    if account_id is not None:
        query = query.where(HandoffRow.operator_id == account_id)
    if before is not None:
        query = query.where(HandoffRow.id < before)
    if words:
        query = query.where(
            exists().where(EventRow.conversation_id == HandoffRow.conversation_id, _said(words)).correlate(HandoffRow)
        )
    found = session.execute(query.order_by(HandoffRow.id.desc()).limit(limit))
    return [(row[0], row[1], row[2], row[3]) for row in found]


def said_with(session: Session, conversation_id: str, words: str) -> EventRow | None:
    """The first line of a conversation that holds ``words``."""
    query = select(EventRow).where(EventRow.conversation_id == conversation_id, _said(words))
    return session.scalars(query.order_by(EventRow.number).limit(1)).one_or_none()


def _said(words: str) -> ColumnElement[bool]:
    """A citizen or a person said ``words``."""
    citizen = EventRow.payload["text"].as_string().contains(words, autoescape=True)
    person = EventRow.payload[("messages", 0, "text")].as_string().contains(words, autoescape=True)
    return or_(and_(EventRow.kind == "citizen", citizen), and_(EventRow.kind == "person", person))


def calls_of(session: Session, conversation_id: str) -> list[HandoffRow]:
    """Every call of one conversation, oldest first."""
    query = select(HandoffRow).where(HandoffRow.conversation_id == conversation_id)
    return list(session.scalars(query.order_by(HandoffRow.id)))


def has_the_citizen(session: Session, account_id: int, citizen: str | None, callers: Sequence[str]) -> bool:
    """Whether the account has a conversation of ``citizen`` now, or a call from one of ``callers``."""
    whose: ColumnElement[bool] = HandoffRow.caller_index.in_(callers)
    if citizen is not None:
        whose = or_(whose, ConversationRow.citizen == citizen)
    query = (
        select(HandoffRow.id)
        .join(ConversationRow, ConversationRow.id == HandoffRow.conversation_id)
        .where(HandoffRow.state == "person", HandoffRow.operator_id == account_id, whose)
    )
    return session.scalars(query.limit(1)).first() is not None


def forget(session: Session, conversation_ids: Collection[str]) -> None:
    """Takes away what calls of these conversations say of citizens; an open one ends, for nobody could answer it."""
    rows = HandoffRow.conversation_id.in_(conversation_ids)
    done = {"state": "done", "outcome": "expired", "version": HandoffRow.version + 1}
    session.execute(update(HandoffRow).where(rows, HandoffRow.state.in_(OPEN)).values(**done))
    emptied: dict[str, Any] = {"text": "", "salutation": "", "caller": None, "caller_index": None, "tags": []}
    session.execute(update(HandoffRow).where(rows).values(**emptied))
    session.execute(delete(NoteRow).where(NoteRow.handoff_id.in_(select(HandoffRow.id).where(rows))))


def presence(session: Session, account_id: int, *, lock: bool = False) -> PresenceRow | None:
    query = select(PresenceRow).where(PresenceRow.account_id == account_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def locked_account(session: Session, account_id: int) -> AccountRow | None:
    """The operator's account, locked: two of his takings at once count after each other."""
    return session.scalars(select(AccountRow).where(AccountRow.id == account_id).with_for_update()).one_or_none()


def snapshots(
    session: Session, asked_before: datetime, now: datetime
) -> tuple[tuple[Any, ...], dict[int, list[tuple[Any, ...]]]]:
    """What changes whenever a desk shows something else: what all desks share, and each operator's own conversations,
    as tuples that begin with the conversation's id.

    ``asked_before``: who asked earlier and got no word yet is late. Two passes over what is open, however many desks
    there are.
    """
    late = and_(HandoffRow.first_reply_at.is_(None), HandoffRow.asked_at < asked_before)
    waiting = session.execute(
        select(
            HandoffRow.wanted_id,
            HandoffRow.conversation_id,
            HandoffRow.id,
            HandoffRow.version,
            late,
            ConversationRow.last_event,
        )
        .join(ConversationRow, ConversationRow.id == HandoffRow.conversation_id)
        .where(HandoffRow.state == "waiting")
        .order_by(HandoffRow.id)
    ).all()
    held = session.execute(
        select(
            HandoffRow.operator_id,
            HandoffRow.conversation_id,
            HandoffRow.id,
            HandoffRow.version,
            late,
            ConversationRow.last_event,
            MarksRow.delivered,
            MarksRow.seen,
            MarksRow.citizen_types_until > now,
            select(func.max(NoteRow.id)).where(NoteRow.handoff_id == HandoffRow.id).scalar_subquery(),
        )
        .join(ConversationRow, ConversationRow.id == HandoffRow.conversation_id)
        .outerjoin(MarksRow, MarksRow.conversation_id == HandoffRow.conversation_id)
        .where(HandoffRow.state == "person")
        .order_by(HandoffRow.id)
    ).all()
    own: dict[int, list[tuple[Any, ...]]] = {}
    for whose, *rest in (*held, *waiting):
        if whose is not None:
            own.setdefault(whose, []).append(tuple(rest))
    there = session.execute(
        select(PresenceRow.account_id, PresenceRow.state, PresenceRow.reason, PresenceRow.until > now).order_by(
            PresenceRow.account_id
        )
    ).all()
    with_persons = tuple((operator, number, version, late) for operator, _, number, version, late, *_ in held)
    return (tuple(map(tuple, waiting)), tuple(map(tuple, there)), with_persons), own
