"""Regression cases: what editors accepted once must hold from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.errors import NotFound
from bot.learning import repository
from bot.learning.model import Act, Change, Expected, expectations
from bot.learning.tables import CaseRow
from bot.matters.additions import AdditionKind
from bot.people.model import Account
from bot.store import Store
from bot.store.inserting import insert_new
from index.normal import bare


@dataclass(frozen=True, slots=True)
class Regression:
    """One regression case in force. ``since``: the version of the catalogue that brought it."""

    id: int
    text: str
    expected: Expected
    since: str
    added_by: str
    added_at: datetime


class Regressions:
    """Reads regression cases, and retires them. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def all(self, most: int | None = None) -> list[Regression]:
        """Those in force, the latest first."""
        with self._store.read() as session:
            return [
                Regression(row.id, row.text, _expected(row), row.since, row.added_by, row.added_at)
                for row in repository.cases(session, most)
            ]

    def count(self) -> int:
        with self._store.read() as session:
            return repository.count_cases(session)

    def retire(self, case_id: int, editor: Account) -> None:
        """Lets a case hold no longer. Raises NotFound."""
        with self._store.write() as work:
            row = repository.locked_case(work.session, case_id)
            if row is None:
                raise NotFound("没有这条回归题了。", code="case_not_found", remedy="请刷新再看。")
            _retire(row, editor.username, self._clock.now())
            work.audit(editor.username, "learn.retire", f"case:{case_id}", {"text": row.text})


def keep_regressions(session: Session, changes: Sequence[Change], since: str, by: str, now: datetime) -> None:
    """The cases of published changes: new ones come, those that say the opposite or were withdrawn go."""
    for change in changes:
        if change.act is Act.WITHDRAW:
            negative = change.kind is AdditionKind.NOT
            for row in repository.cases_of(session, _key(change.text), change.code):
                if (row.never == change.code) is negative:
                    _retire(row, by, now)
        for text, expected in expectations(change):
            values = {"matter": next(iter(expected.matters), ""), "never": expected.never or ""}
            for row in repository.cases_of(session, _key(text), change.code):
                if (row.matter, row.never) != (values["matter"], values["never"]):
                    _retire(row, by, now)
            session.flush()
            made = {"key": _key(text), "text": text, "since": since, "added_by": by, "added_at": now, **values}
            insert_new(session, CaseRow, made)


def _expected(row: CaseRow) -> Expected:
    return Expected(frozenset({row.matter} if row.matter else ()), row.never or None)


def _key(text: str) -> str:
    return hashlib.sha256(bare(text).encode()).hexdigest()


def _retire(row: CaseRow, by: str, now: datetime) -> None:
    row.retired_at, row.retired_by = now, by
