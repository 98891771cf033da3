"""A process that files complaints is killed again and again: all or nothing, and the retry finds it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine, func, select

from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.store import Store
from bot.store.audit import AuditRow, first_break
from bot.store.outbox import OutboxMessage
from tests.bot.complaints.filer import filing, service_over

KILLS = 5
ROOT = Path(__file__).parents[3]


def _file_until_killed(url: str, folder: Path, first: int, after: int) -> dict[int, str]:
    """The acknowledged numbers by key of a process that is killed a moment after its ``after``-th answer."""
    command = [sys.executable, "-m", "tests.bot.complaints.filer", url, str(folder), str(first), "100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ})
    acknowledged: dict[int, str] = {}
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # killed while it wrote: no answer reached anybody
            key, number = line.split()
            acknowledged[int(key)] = number
            if len(acknowledged) == after:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return acknowledged


def test_what_was_acknowledged_is_there_once_and_nothing_half(any_engine: Engine, tmp_path: Path) -> None:
    url = any_engine.url.render_as_string(hide_password=False)
    store = Store(any_engine)
    draw = random.Random(7)
    acknowledged: dict[int, str] = {}
    for _ in range(KILLS):
        first = max(acknowledged, default=-1) + 1  # the one in flight when the process died is sent again
        acknowledged |= _file_until_killed(url, tmp_path, first, draw.randint(3, 25))
    retry = max(acknowledged) + 1
    acknowledged[retry] = service_over(store, tmp_path).file(*filing(retry)).number
    again = service_over(store, tmp_path).file(*filing(0))
    assert (again.number, again.repeated) == (acknowledged[0], True)
    with store.read() as session:
        stored = session.scalars(select(ComplaintRow.number)).all()
        first_events = session.scalar(
            select(func.count()).select_from(ComplaintEventRow).where(ComplaintEventRow.number == 1)
        )
        filed = session.scalar(select(func.count()).select_from(AuditRow).where(AuditRow.action == "complaint.file"))
        told = session.scalars(select(OutboxMessage.key).where(OutboxMessage.topic == "complaint.filed")).all()
        assert first_break(session) is None
    assert sorted(stored) == sorted(acknowledged.values())
    assert first_events == filed == len(stored)
    assert sorted(told) == sorted(stored)
