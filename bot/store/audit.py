"""The audit trail: who did what to which thing, in a chain of hashes that shows when a row was changed or removed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, String, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.store.base import Base
from bot.store.types import UtcDateTime

GENESIS = "0" * 64
_HEAD = 1


class AuditRow(Base):
    """One act. ``number`` counts without gaps; ``digest`` covers the row and the digest before it."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(80), index=True)
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain: one row, locked while the chain grows."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


_LOCK_HEAD = select(AuditHead.number, AuditHead.digest).where(AuditHead.id == _HEAD).with_for_update()
_MOVE_HEAD = (
    update(AuditHead).where(AuditHead.id == _HEAD).values(number=bindparam("last"), digest=bindparam("last_digest"))
)


@dataclass(frozen=True)
class Act:
    """What is to be recorded. ``actor`` is an account's username, ``system`` or ``citizen``."""

    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)


def append(session: Session, acts: list[Act], now: datetime) -> None:
    """Adds ``acts`` to the chain. Call it last in a transaction: the head stays locked until the transaction ends."""
    session.flush()  # what the transaction writes goes out before the head is locked
    connection = session.connection()
    number, digest = connection.execute(_LOCK_HEAD).one()
    rows = []
    for act in acts:
        number += 1
        details = orjson.loads(orjson.dumps(dict(act.details)))
        digest = _digest(digest, number, now, act.actor, act.action, act.subject, details)
        rows.append(
            {
                "number": number,
                "at": now,
                "actor": act.actor,
                "action": act.action,
                "subject": act.subject,
                "details": details,
                "digest": digest,
            }
        )
    connection.execute(insert(AuditRow), rows)
    connection.execute(_MOVE_HEAD, {"last": number, "last_digest": digest})


def first_break(session: Session) -> int | None:
    """The number of the first row at which the chain does not hold; None where it is whole."""
    digest, number = GENESIS, 0
    rows = select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=1000)
    with closing(session.scalars(rows)) as chain:
        for row in chain:
            number += 1
            expected = _digest(digest, number, row.at, row.actor, row.action, row.subject, row.details)
            if row.number != number or row.digest != expected:
                return number
            digest = row.digest
    head = session.get_one(AuditHead, _HEAD)
    return None if (head.number, head.digest) == (number, digest) else number + 1


@dataclass(frozen=True)
class Wanted:
    """Which acts are looked for; every field that is given narrows. ``subject`` may be the beginning of one."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Only acts with a smaller number: where the page before ended."""


def entries(session: Session, wanted: Wanted, most: int) -> Sequence[AuditRow]:
    """At most ``most`` acts, the latest first."""
    query = select(AuditRow).order_by(AuditRow.number.desc()).limit(most)
    if wanted.actor:
        query = query.where(AuditRow.actor == wanted.actor)
    if wanted.action:
        query = query.where(AuditRow.action.startswith(wanted.action, autoescape=True))
    if wanted.subject:
        query = query.where(AuditRow.subject.startswith(wanted.subject, autoescape=True))
    if wanted.since is not None:
        query = query.where(AuditRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditRow.at < wanted.until)
    if wanted.before is not None:
        query = query.where(AuditRow.number < wanted.before)
    return session.scalars(query).all()


def _digest(before: str, number: int, at: datetime, *rest: Any) -> str:
    content = orjson.dumps(
        [before, number, at.astimezone(UTC).isoformat(timespec="microseconds"), *rest], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(content).hexdigest()
