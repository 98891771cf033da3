"""Ends process groups whose supervisor is gone, however it went.

Started by the supervisor as a separate process (standard library only, a few MB) with a pipe as standard input. Lines
say ``+PGID`` (a group began) and ``-PGID`` (it ended). The pipe's end, which the kernel closes even when the supervisor
is killed, means: end every group still standing. The guard leads its own session and ignores the terminal's signals.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 5.0
"""Seconds between asking a group to end and killing it."""


def main() -> None:
    """Reads groups until the pipe closes, then ends them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    end_groups(groups)


def end_groups(groups: Iterable[int], grace: float = GRACE) -> None:
    """Asks ``groups`` to end, and kills those that have not after ``grace`` seconds."""
    left = {group for group in groups if _signal(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if _signal(group, 0)}
    for group in left:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Sends ``number`` to ``group``; false when no such group is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
