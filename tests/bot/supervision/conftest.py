"""Complaints under supervision, without the models that read texts: the test says what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from bot.clock import ZONE, FixedClock
from bot.complaints import numbers, repository
from bot.complaints.clocks import load_limits
from bot.complaints.deciding import Decision
from bot.complaints.filing import Asker, Filing
from bot.complaints.handling import ComplaintHandling, Moved, Step
from bot.complaints.model import Act, Actor, Kind, Party, State
from bot.complaints.tables import ComplaintRow
from bot.complaints.writing import ComplaintWriter, add_event
from bot.judgements.service import JudgementService
from bot.store import Store
from bot.store.sealed import Sealer
from bot.supervision.aftercare import AfterCare
from bot.supervision.calling import Calling
from bot.supervision.rectifying import Rectifying
from bot.supervision.rules import RulesFile
from bot.supervision.service import Supervising
from bot.supervision.tables import AlarmRow
from bot.supervision.watching import Watch
from bot.workdays import WorkCalendar

UNIT = "水务局"
CLERK = Actor(Party.UNIT, "li", UNIT)
DESK = Actor(Party.OPERATOR, "wang")
BOARD = Actor(Party.SUPERVISOR, "zhao")
MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=ZONE)


@dataclass
class Bureau:
    """Everything of one store, at one clock."""

    store: Store
    clock: FixedClock
    writer: ComplaintWriter
    handling: ComplaintHandling
    judgements: JudgementService
    rules: RulesFile
    calendar: WorkCalendar
    watch: Watch
    care: AfterCare
    calls: Calling
    rectifying: Rectifying
    alarms: Supervising

    def file(
        self,
        *,
        department: str | None = UNIT,
        urgent: bool = False,
        kind: Kind = Kind.COMPLAINT,
        anonymous: bool = False,
    ) -> str:
        """Files a complaint that was decided so; its number."""
        now = self.clock.now()
        decision = Decision(kind, "供水/停水", urgent, None, department, (), 0.9, (), np.zeros(4, np.float32))
        values = self.writer.values(
            Filing("水管爆了没人修", anonymous=anonymous), Asker("api", "1"), None, decision, now
        )
        number = numbers.new_number(now)
        with self.store.write() as work:
            own = {"number": number, "code_index": "0" * 64, "sealed": b"", "duplicate_of_id": None}
            assert repository.insert(work.session, values | own)
            row = repository.by_number(work.session, number)
            assert row is not None
            add_event(work, row, "file", None, State(row.state), "citizen", now)
        return number

    def do(self, number: str, act: Act, actor: Actor, **more: str) -> Moved:
        return self.handling.act(Step(number, act, self.row(number).version, **more), actor)

    def row(self, number: str) -> ComplaintRow:
        with self.store.read() as session:
            row = repository.by_number(session, number)
            assert row is not None
            return row

    def answered(self, number: str) -> str:
        """Signs and answers; the token to judge it."""
        self.do(number, Act.SIGN, CLERK)
        self.do(number, Act.ANSWER, CLERK, note="已修好")
        return self.token(number)

    def token(self, number: str) -> str:
        """Asks for the judgement of the present answer, as whoever tells the citizen does."""
        row = self.row(number)
        with self.store.write() as work:
            return self.judgements.ask(
                work,
                subject=f"complaint:{number}",
                occasion=f"answer:{row.version}",
                title="诉求",
                unit=row.department or "",
                person=row.handler,
                citizen=None,
            )

    def judged_poorly(self, number: str, level: int = 1) -> None:
        """The citizen judges, and the worker hears of it."""
        judged = self.judgements.answer(self.token(number), level, channel="link")
        self.care.judged_poorly(judged.id)

    def at(self, *moment: int) -> None:
        """Sets the clock."""
        wanted = datetime(*moment, tzinfo=ZONE)  # type: ignore[misc]
        self.clock.advance(wanted - self.clock.now())

    def raised(self, number: str | None = None) -> list[tuple[str, int, int]]:
        """Clock, level and deadline version of everything that was raised, in order."""
        with self.store.read() as session:
            query = select(AlarmRow).order_by(AlarmRow.id)
            if number is not None:
                query = query.where(AlarmRow.complaint_id == self.row(number).id)
            return [(row.clock, row.level, row.version) for row in session.scalars(query)]

    def watched(self) -> list[tuple[str, int]]:
        """Lets the worker look; clock and level of what is new."""
        before = len(self.raised())
        self.watch.run(self.clock.now())
        return [(clock, level) for clock, level, _ in self.raised()[before:]]


def bureau_over(
    store: Store,
    clock: FixedClock,
    home: Path,
    calendar: WorkCalendar | None = None,
    sealer: Sealer | None = None,
) -> Bureau:
    calendar = calendar or WorkCalendar()
    sealer = sealer or Sealer(bytes(32))
    judgements = JudgementService(store, clock, sealer)
    writer = ComplaintWriter(sealer, calendar, load_limits, "")
    handling = ComplaintHandling(store, clock, writer)
    rules = RulesFile(home)
    return Bureau(
        store=store,
        clock=clock,
        writer=writer,
        handling=handling,
        judgements=judgements,
        rules=rules,
        calendar=calendar,
        watch=Watch(store, rules, calendar),
        care=AfterCare(store, clock, rules, calendar, handling),
        calls=Calling(store, clock, sealer, rules, calendar, handling),
        rectifying=Rectifying(store, clock, rules, calendar),
        alarms=Supervising(store, clock, rules, calendar),
    )


@pytest.fixture
def clock() -> FixedClock:
    """Monday, 2 November 2026, nine in the morning."""
    return FixedClock(MONDAY)


@pytest.fixture
def bureau(any_store: Store, clock: FixedClock, tmp_path: Path) -> Bureau:
    return bureau_over(any_store, clock, tmp_path)


@pytest.fixture
def lite(store: Store, clock: FixedClock, tmp_path: Path) -> Bureau:
    """On SQLite alone, for what does not depend on the database."""
    return bureau_over(store, clock, tmp_path)
