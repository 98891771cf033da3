"""Questions of the review list go when conversations do; regression cases, which an editor accepted, stay."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import Clock
from bot.learning import repository
from bot.store import Store

BATCH = 500


class LearningRetention:
    """Removes what was kept as long as conversations are. Run by the worker."""

    def __init__(self, store: Store, clock: Clock, days: int) -> None:
        """``days`` 0: kept for ever."""
        self._store = store
        self._clock = clock
        self._kept = timedelta(days=days)

    def tidy(self) -> int:
        """How many questions were removed."""
        cleared = 0
        while self._kept:
            with self._store.write() as work:
                number = repository.clear_before(work.session, self._clock.now() - self._kept, BATCH)
                if not number:
                    break
                work.audit("system", "learn.retention", "learning", {"cleared": number})
            cleared += number
        return cleared
