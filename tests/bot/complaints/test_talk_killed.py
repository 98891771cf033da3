"""A process in which citizens file by talking is killed: all or nothing, and the same message again gets the number."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.store import Store
from bot.store.audit import AuditRow, first_break
from bot.store.outbox import OutboxMessage
from tests.bot.complaints.talker import file_by_talking, turns_over

KILLS = 4
ROOT = Path(__file__).parents[3]


def _talk_until_killed(url: str, folder: Path, first: int, after: int, milliseconds: int) -> dict[int, str]:
    """The acknowledged numbers of a process that is killed ``milliseconds`` after its ``after``-th answer."""
    command = [sys.executable, "-m", "tests.bot.complaints.talker", url, str(folder), str(first), "100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ})
    acknowledged: dict[int, str] = {}
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # killed while it wrote: no answer reached anybody
            if not line.startswith("FILED "):
                continue  # a line of the log
            _, key, number = line.split()
            acknowledged[int(key)] = number
            if len(acknowledged) == after:
                threading.Timer(milliseconds / 1000, process.send_signal, [signal.SIGKILL]).start()
    assert process.returncode == -signal.SIGKILL
    return acknowledged


async def test_what_was_acknowledged_is_there_once_and_the_same_words_again_find_it(
    any_engine: Engine, tmp_path: Path
) -> None:
    url = any_engine.url.render_as_string(hide_password=False)
    store = Store(any_engine)
    draw = random.Random(11)
    acknowledged: dict[int, str] = {}
    for _ in range(KILLS):
        first = max(acknowledged, default=-1) + 1
        acknowledged |= _talk_until_killed(url, tmp_path, first, draw.randint(2, 5), draw.randint(0, 40))
        turns = turns_over(store, tmp_path, ahead=timedelta(minutes=1))
        died = max(acknowledged) + 1  # whose citizen saw no answer, and sends the same words again
        acknowledged[died] = await file_by_talking(turns, died)
        assert await file_by_talking(turns, died) == acknowledged[died]
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
