"""How late this process is at present: the time that must be kept in reserve so that an answer still goes out in time.

On a busy machine a timer rings late and a commit takes long; what they took lately is taken off the time to wait.
"""

from __future__ import annotations

import asyncio

TICK = 0.1
MOST = 2.5
"""Seconds kept in reserve at most: half of what the platform waits."""
FADES = 0.97
"""What is left after a tick of what was seen: a burst is remembered for some seconds."""
SAFETY = 2.0
"""A post passes through the loop about twice: when it comes in and when its answer goes out."""


class Slack:
    """Seconds that things take longer than they should. Belongs to one event loop."""

    def __init__(self) -> None:
        self._lag = 0.0
        self._commit = 0.0

    @property
    def seconds(self) -> float:
        """What to keep in reserve now."""
        return min(MOST, SAFETY * self._lag + self._commit)

    def committed(self, seconds: float) -> None:
        """A step of the store took so long, waiting for its turn included."""
        self._commit = max(self._commit, seconds)

    async def watch(self) -> None:
        """Measures until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            wanted = loop.time() + TICK
            await asyncio.sleep(TICK)
            self._lag = max(self._lag * FADES, loop.time() - wanted)
            self._commit *= FADES
