"""Inserting a row unless it is there, in one statement, on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.base import Base


def insert_new(session: Session, row: type[Base], values: Mapping[str, Any]) -> bool:
    """Inserts ``values``; False, with nothing changed, where a row of the same key is there or being written."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    keys = list(row.__mapper__.primary_key)
    statement = insert(row).values(**values).on_conflict_do_nothing().returning(*keys)
    return session.execute(statement).first() is not None
