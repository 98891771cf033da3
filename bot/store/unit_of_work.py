"""A unit of work: one transaction that writes the change, its audit rows and its outbox messages together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.clock import Clock, SystemClock
from bot.store import audit, outbox
from bot.store.engine import WRITES
from bot.store.faults import explaining


class UnitOfWork:
    """What a use case writes with. Leaving it normally commits everything; an exception takes everything back."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self._clock = clock
        self._acts: list[audit.Act] = []

    def emit(self, topic: str, key: str, payload: Mapping[str, Any]) -> outbox.OutboxMessage:
        """Leaves a message for the worker; ``payload`` must be JSON."""
        return outbox.emit(self.session, topic, key, payload, self._clock.now())

    def audit(self, actor: str, action: str, subject: str, details: Mapping[str, Any] | None = None) -> None:
        """Records that ``actor`` (a username, ``system`` or ``citizen``) did ``action`` to ``subject``."""
        self._acts.append(audit.Act(actor, action, subject, details or {}))

    def _close(self) -> None:
        if self._acts:
            audit.append(self.session, self._acts, self._clock.now())


class Store:
    """The database as services see it: ``with store.write() as work`` and ``with store.read() as session``."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.clock = clock or SystemClock()
        self._writing = engine.execution_options(**{WRITES: True})
        # SQLite has one writer. Queueing here is fair and cheap; only other processes meet the busy timeout.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """One transaction that writes. Raises StorageFull or Unavailable, with nothing changed, when it cannot.

        Not reentrant: a use case opens one and hands it down.
        """
        with explaining(), self._turn or nullcontext(), Session(self._writing, expire_on_commit=False) as session:
            work = UnitOfWork(session, self.clock)
            with session.begin():
                session.connection()  # begins now, so that SQLite's write lock is held from the first read on
                yield work
                work._close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads and sees one state of the database."""
        with explaining(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session
            if session.new or session.dirty or session.deleted:
                raise AssertionError("a reading session was written to")
