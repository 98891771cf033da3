"""A process that files complaints one after another until it is killed: ``python -m tests.bot.complaints.filer``.

Writes ``KEY NUMBER`` for each one it got an answer for. Arguments: database URL, folder of the powers' vectors, first
key, how many.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bot.clock import SystemClock
from bot.complaints.clocks import load_limits
from bot.complaints.filing import Asker, Filing
from bot.complaints.service import ComplaintService
from bot.complaints.writing import ComplaintWriter
from bot.matters.model import Power
from bot.store import Store, make_engine
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar
from tests.bot.complaints.deciders import decider_over
from tests.bot.hashing_encoder import HashingEncoder

POWERS = [
    Power(code="P1", name="供水故障抢修", kind="公共服务", department="供水公司", topics=("爆管", "停水")),
    Power(code="P2", name="对拖欠工资的查处", kind="行政处罚", department="人社局", topics=("欠薪", "拖欠工资")),
]


def service_over(store: Store, folder: Path) -> ComplaintService:
    """The service with an encoder that starts at once."""
    encoder = HashingEncoder(384)
    decider = decider_over(encoder, POWERS, folder)
    writer = ComplaintWriter(Sealer(bytes(32)), WorkCalendar(), load_limits, encoder.identity)
    return ComplaintService(store, SystemClock(), writer, decider)


def filing(key: int) -> tuple[Filing, Asker, str]:
    """The request of number ``key``, the same at every attempt."""
    return Filing(f"第 {key} 号楼自来水爆管停水，没有人来抢修"), Asker("test", "somewhere"), f"key-{key}"


def main() -> None:
    url, folder, first, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    service = service_over(Store(make_engine(url)), folder)
    for key in range(first, first + count):
        print(key, service.file(*filing(key)).number, flush=True)


if __name__ == "__main__":
    main()
