"""Answers handed over within the process: from the action that makes one to the turn that waits for it.

An action runs in the gateway, so its answer need not travel through Rasa and back; what Rasa still does (checking,
writing its tracker) delays nobody. Where another process runs the action, nothing is handed over here and the answer
comes back with Rasa's reply.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from bot.conversations.model import Answer


class Deliveries:
    """Turns that wait for their answer, by id. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    @contextlib.contextmanager
    def awaiting(self, turn_id: str) -> Iterator[asyncio.Future[Answer]]:
        """What is handed over for the turn while the block lasts; cancelled where nothing was."""
        made = self._waiting[turn_id] = asyncio.get_running_loop().create_future()
        try:
            yield made
        finally:
            if self._waiting.get(turn_id) is made:  # not where the turn was taken over meanwhile
                del self._waiting[turn_id]
            made.cancel()

    def hand_over(self, turn_id: str, made: Answer) -> bool:
        """Gives the turn its answer; the first one counts. False where nobody here waits for it."""
        waiting = self._waiting.get(turn_id)
        if waiting is None:
            return False
        if not waiting.done():
            waiting.set_result(made)
        return True
