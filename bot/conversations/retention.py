"""Conversations whose time of keeping is over lose what was said, and who said it; that they were stays."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.conversations import repository
from bot.store import Store

BATCH = 200


class ConversationRetention:
    """Clears conversations nobody has spoken in for longer than they are kept. Run by the worker."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        days: int,
        also: Callable[[Session, Collection[str]], None] = lambda *_: None,
    ) -> None:
        """``days`` 0: kept for ever. ``also`` clears, in the same transaction, what is kept beside conversations."""
        self._also = also
        self._store = store
        self._clock = clock
        self._kept = timedelta(days=days)

    def tidy(self) -> int:
        """How many conversations were cleared. One that a person holds or is waited for in stays whole."""
        cleared = 0
        while self._kept:
            with self._store.write() as work:
                ids = repository.silent_since(work.session, self._clock.now() - self._kept, BATCH)
                if not ids:
                    break
                repository.clear(work.session, ids)
                self._also(work.session, ids)
                work.audit("system", "conversations.retention", "conversations", {"cleared": len(ids)})
            cleared += len(ids)
        return cleared
