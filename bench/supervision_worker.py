"""A worker process that watches deadlines by a clock of its own: ``python -m bench.supervision_worker``.

Arguments: database URL, home, seconds that its clock is ahead, seconds to run at least, seconds to run at most: between
the two it ends when there was nothing to raise. Writes one line of JSON: how many alarms it raised.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import ZONE
from bot.store import Store, make_engine
from bot.supervision.rules import RulesFile
from bot.supervision.watching import Watch
from bot.workdays import load_calendar
from channels.supervising import WATCH_EVERY


class ShiftedClock:
    """The machine's clock, so many seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self._ahead = timedelta(seconds=ahead)

    def now(self) -> datetime:
        return datetime.now(ZONE) + self._ahead


def main() -> None:
    url, home = sys.argv[1], Path(sys.argv[2])
    ahead, least, most = map(float, sys.argv[3:6])
    clock = ShiftedClock(ahead)
    watch = Watch(Store(make_engine(url), clock), RulesFile(home), load_calendar(home / "calendar"))
    started, raised = time.monotonic(), 0
    while (begun := time.monotonic()) < started + most:
        fresh = watch.run(clock.now())
        raised += fresh
        if not fresh and begun > started + least:
            break
        time.sleep(max(0.0, WATCH_EVERY.total_seconds() - (time.monotonic() - begun)))
    print(json.dumps({"raised": raised}), flush=True)


if __name__ == "__main__":
    main()
