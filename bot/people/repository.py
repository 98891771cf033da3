"""Every query on accounts and sign-ins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.people.tables import AccountRow, SignInRow


def by_username(session: Session, username: str, *, lock: bool = False) -> AccountRow | None:
    query = select(AccountRow).where(AccountRow.username == username)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def all_accounts(session: Session) -> Sequence[AccountRow]:
    return session.scalars(select(AccountRow).order_by(AccountRow.username)).all()


def has_active(session: Session, role: str, department: str) -> bool:
    """Whether somebody of that role in that unit may sign in."""
    wanted = (AccountRow.role == role, AccountRow.department == department, AccountRow.active)
    return session.scalars(select(AccountRow.id).where(*wanted).limit(1)).first() is not None


def demo_accounts(session: Session) -> Sequence[AccountRow]:
    """The active demonstration accounts."""
    query = select(AccountRow).where(AccountRow.demo, AccountRow.active).order_by(AccountRow.id)
    return session.scalars(query).all()


def sign_in(session: Session, digest: str) -> tuple[SignInRow, AccountRow] | None:
    query = select(SignInRow, AccountRow).join(AccountRow).where(SignInRow.digest == digest)
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def remove_sign_in(session: Session, digest: str) -> None:
    session.execute(delete(SignInRow).where(SignInRow.digest == digest))


def remove_sign_ins_of(session: Session, account_id: int) -> None:
    session.execute(delete(SignInRow).where(SignInRow.account_id == account_id))


def remove_sign_ins_before(session: Session, moment: datetime) -> None:
    session.execute(delete(SignInRow).where(SignInRow.created_at < moment))
