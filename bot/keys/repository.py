"""Every query on API keys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.keys.tables import KeyRow


def by_digest(session: Session, digest: str) -> KeyRow | None:
    return session.scalars(select(KeyRow).where(KeyRow.digest == digest)).one_or_none()


def by_name(session: Session, name: str) -> KeyRow | None:
    return session.scalars(select(KeyRow).where(KeyRow.name == name)).one_or_none()


def all_keys(session: Session) -> Sequence[KeyRow]:
    return session.scalars(select(KeyRow).order_by(KeyRow.name)).all()
