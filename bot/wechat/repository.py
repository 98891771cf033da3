"""Every query over the Official Account's rows. Holds no rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Table, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from bot.store.inserting import insert_new
from bot.wechat.tables import CitizenRow, ConsentRow, InboxRow, TokenRow

# Put together once: a post asks for each of them.
_OF_IDENTITY = select(InboxRow).where(InboxRow.identity == bindparam("identity"))
_EARLIER_OPEN = (
    select(InboxRow.id)
    .where(InboxRow.openid == bindparam("openid"), InboxRow.id < bindparam("before"), InboxRow.state == "open")
    .limit(1)
)
_EARLIER = aliased(InboxRow)
_SETTLE = (
    update(cast(Table, InboxRow.__table__))
    .where(
        InboxRow.id == bindparam("row_id"),
        InboxRow.state == "open",
        InboxRow.owner == bindparam("wanted_owner"),
        InboxRow.delivery.is_(None),
        ~exists().where(
            _EARLIER.openid == bindparam("citizen"),
            _EARLIER.id < bindparam("row_id"),
            _EARLIER.state == "ready",
            _EARLIER.delivery.in_(("service", "held")),
        ),
    )
    .values({name: bindparam(f"new_{name}") for name in ("answer", "delivery", "parts_sent", "state")})
)
_UNDELIVERED = (
    select(InboxRow)
    .where(
        InboxRow.openid == bindparam("openid"),
        InboxRow.id < bindparam("before"),
        InboxRow.state == "ready",
        InboxRow.delivery.in_(("service", "held")),
    )
    .order_by(InboxRow.id)
    .with_for_update(skip_locked=True)
)

# -- the inbox ------------------------------------------------------------------------------------------------------


def message(session: Session, row_id: int, *, locked: bool = False) -> InboxRow:
    """The row as it is now; ``locked`` until the transaction ends."""
    lock = True if locked else None
    return session.get_one(InboxRow, row_id, with_for_update=lock, populate_existing=True)


def insert(session: Session, values: Mapping[str, Any]) -> int | None:
    """The number of a new open message; None, with nothing changed, where one of its identity is there."""
    row = {"state": "open", "parts_sent": 0, "attempts": 0, **values}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    number: int | None = session.scalar(insert(InboxRow).on_conflict_do_nothing().returning(InboxRow.id), row)
    return number


def message_of(session: Session, identity: str) -> InboxRow:
    """The message of that identity, which must be there."""
    return session.scalars(_OF_IDENTITY, {"identity": identity}).one()


def change(session: Session, row_id: int, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Changes the row where the ``conditions`` still hold; whether they did."""
    statement = (
        update(InboxRow)
        .where(InboxRow.id == row_id, *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], session.execute(statement)).rowcount == 1


def settle(session: Session, row_id: int, openid: str, owner: str, values: Mapping[str, Any]) -> bool:
    """Writes ``values`` on an open message of ``owner`` of which nothing is decided, while nothing is undelivered."""
    given = {"row_id": row_id, "wanted_owner": owner, "citizen": openid, **{f"new_{k}": v for k, v in values.items()}}
    return cast(CursorResult[Any], session.execute(_SETTLE, given)).rowcount == 1


def undelivered(session: Session, openid: str, before: int) -> list[InboxRow]:
    """Answers of earlier messages that the citizen has not got, oldest first, locked."""
    return list(session.scalars(_UNDELIVERED, {"openid": openid, "before": before}))


def earlier_open(session: Session, openid: str, row_id: int) -> bool:
    """Whether a message of the citizen before ``row_id`` is still to be answered."""
    return session.scalars(_EARLIER_OPEN, {"openid": openid, "before": row_id}).first() is not None


def abandoned(session: Session, now: datetime, youngest: datetime, limit: int) -> list[InboxRow]:
    """Rows nobody works on any more that still need work, those first whose citizen wrote first; locked.

    Of one citizen only the first that is open, so that the order is kept.
    """
    earlier = aliased(InboxRow)
    query = (
        select(InboxRow)
        .where(
            InboxRow.state.in_(("open", "ready", "sending")),
            or_(InboxRow.state != "ready", InboxRow.delivery != "held"),
            InboxRow.lease_until <= now,
            InboxRow.arrived_at > youngest,
            ~exists().where(earlier.openid == InboxRow.openid, earlier.id < InboxRow.id, earlier.state == "open"),
        )
        .order_by(InboxRow.id)
        .limit(limit)
    )
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def lease(session: Session, owner: str, until: datetime, ids: Sequence[int] | None = None) -> None:
    """Sets until when ``owner`` has what it works on: all of it, or those of ``ids``."""
    statement = update(InboxRow).where(InboxRow.owner == owner, InboxRow.state != "done")
    if ids is not None:
        statement = statement.where(InboxRow.id.in_(ids))
    session.execute(statement.values(lease_until=until).execution_options(synchronize_session=False))


def expire(session: Session, oldest: datetime) -> int:
    """Closes what is too old to be answered; how many."""
    statement = update(InboxRow).where(InboxRow.state.in_(("open", "ready")), InboxRow.arrived_at <= oldest)
    closed = session.execute(
        statement.values(state="done", fault="too_old").execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], closed).rowcount


def purge(session: Session, before: datetime) -> int:
    """Removes closed messages that arrived ``before``; how many."""
    statement = delete(InboxRow).where(InboxRow.state == "done", InboxRow.arrived_at < before)
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def inbox_counts(session: Session) -> list[tuple[str, str | None, str | None, int]]:
    """How many messages there are by state, delivery and fault."""
    columns = (InboxRow.state, InboxRow.delivery, InboxRow.fault)
    rows = session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


# -- citizens -------------------------------------------------------------------------------------------------------


def citizen(session: Session, openid: str) -> CitizenRow | None:
    return session.get(CitizenRow, openid)


def citizen_to_change(session: Session, openid: str, now: datetime) -> CitizenRow:
    """The citizen's row, made where it is missing, locked."""
    row = session.get(CitizenRow, openid, with_for_update=True)
    if row is not None:
        return row
    fresh = {"openid": openid, "followed": True, "seen_at": now}
    insert_new(session, CitizenRow, {**fresh, "message_left": 0, "action_left": 0, "sent": 0, "refused": 0})
    return session.get_one(CitizenRow, openid, with_for_update=True)


def citizens(session: Session, limit: int) -> Sequence[CitizenRow]:
    """Those who wrote last."""
    return session.scalars(select(CitizenRow).order_by(CitizenRow.seen_at.desc()).limit(limit)).all()


def counts(session: Session) -> tuple[int, int]:
    """Citizens, and how many of them follow."""
    return (
        session.scalar(select(func.count()).select_from(CitizenRow)) or 0,
        session.scalar(select(func.count()).select_from(CitizenRow).where(CitizenRow.followed)) or 0,
    )


def consent(session: Session, openid: str, template_id: str) -> ConsentRow | None:
    return session.get(ConsentRow, (openid, template_id))


# -- tokens ---------------------------------------------------------------------------------------------------------


def token(session: Session, app_id: str, *, locked: bool = False) -> TokenRow | None:
    return session.get(TokenRow, app_id, with_for_update=True if locked else None)


def token_to_change(session: Session, app_id: str) -> TokenRow:
    """The account's row, made where it is missing, locked."""
    insert_new(session, TokenRow, {"app_id": app_id, "fetches": 0})
    return session.get_one(TokenRow, app_id, with_for_update=True)
