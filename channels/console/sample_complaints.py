"""The sample city's complaints: filed and handled by the real services, as of days that are moved to the present.

``catalogue/complaints/sample.jsonl`` holds what citizens say and what became of it, as of its day. The services run it
in the order of time, under a clock that stands where each thing happened; units are those that the decision chooses.
Where it decides otherwise than when the story was written (an urgent complaint is due the same day), a step may come
too late: that complaint's story ends there, the others go on.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from bot.clock import ZONE, FixedClock
from bot.complaints import repository
from bot.complaints.filing import Asker, Filing
from bot.complaints.handling import Step
from bot.complaints.model import Act, Actor, Kind, Party
from bot.complaints.tables import ComplaintRow
from bot.errors import Conflict
from bot.judgements.service import JudgementService
from bot.settings import Settings
from bot.store import Store
from channels.complaints import Complaints
from channels.console import parts
from channels.console.output import step
from channels.console.samples import weeks

ASKER = Asker("web", "sample-city")
DESK = Actor(Party.OPERATOR, "operator")
BOARD = Actor(Party.SUPERVISOR, "supervisor")
_BY = {Act.GRANT_EXTENSION: BOARD, Act.REVIEW: DESK, Act.CLOSE: DESK, Act.REOPEN: DESK}
CLERK = "department"


def load_sample_complaints(settings: Settings, file: Path, now: datetime) -> None:
    """Loads the complaints of ``file`` as of ``now`` where there is none yet; what would be later does not happen."""
    with parts.store(settings).read() as session:
        if repository.count(session):
            return
    from channels.console.complaints import complaints_of  # starts the inference runtime

    served = complaints_of(settings)
    clock = FixedClock(now)
    store = Store(served.store.engine, clock)
    judgements = JudgementService(store, clock, served.sealer)
    told = replace(served, store=store, clock=clock, notifications=None, judgements=judgements)
    rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    moved = weeks(now.date())
    ended: set[int] = set()
    with step("载入示例诉求（虚构）") as meter:
        for done, (at, number, what) in enumerate(_in_order(rows)):
            moment = at + moved
            if moment > now or number in ended:
                continue
            clock.advance(moment - clock.now())
            try:
                _happen(told, judgements, rows[number], what)
            except Conflict:
                ended.add(number)
            meter.advance(done, sum(1 + len(row.get("steps", ())) for row in rows))


def _in_order(rows: list[dict[str, Any]]) -> list[tuple[datetime, int, dict[str, Any] | None]]:
    """Everything that happens: when, to which row, and what (None: it is filed)."""
    found: list[tuple[datetime, int, int, dict[str, Any] | None]] = []
    for number, row in enumerate(rows):
        heapq.heappush(found, (datetime.fromisoformat(row["at"]), number, 0, None))
        for place, each in enumerate(row.get("steps", ()), start=1):
            heapq.heappush(found, (datetime.fromisoformat(each["at"]), number, place, each))
    ordered = [heapq.heappop(found) for _ in range(len(found))]
    return [(at.astimezone(ZONE), number, what) for at, number, _, what in ordered]


def _happen(served: Complaints, judgements: JudgementService, row: dict[str, Any], what: dict[str, Any] | None) -> None:
    if what is None:
        filing = Filing(row["text"], Kind(row["kind"]), row.get("location"), row.get("contact"))
        row["number"] = served.service.file(filing, ASKER).number
        return
    if what["act"] == "judge":
        token = judgements.latest_token(f"complaint:{row['number']}")
        if token is not None:
            judgements.answer(token, what["level"], channel="web")
        return
    present = _present(served, row["number"])
    if present.department is None:  # nobody was sure enough: the desk takes the likeliest
        served.handling.act(_step(present, Act.DISPATCH, department=present.candidates[0]["department"]), DESK)
        present = _present(served, row["number"])
    act = Act(what["act"])
    actor = _BY.get(act, Actor(Party.UNIT, CLERK, present.department))
    served.handling.act(_step(present, act, note=what.get("note", "")), actor)


def _step(row: ComplaintRow, act: Act, *, note: str = "", department: str | None = None) -> Step:
    return Step(row.number, act, row.version, note, department)


def _present(served: Complaints, number: str) -> ComplaintRow:
    with served.store.read() as session:
        return session.scalars(select(ComplaintRow).where(ComplaintRow.number == number)).one()
