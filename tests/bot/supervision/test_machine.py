"""Complaints, clocks and alarms together, in any order that the rules allow (hypothesis)."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from bot.clock import ZONE, FixedClock
from bot.complaints.clocks import ends
from bot.complaints.model import Act, State
from bot.complaints.tables import ComplaintRow
from bot.complaints.writing import dues
from bot.errors import WenbanError
from bot.handoff.hours import is_open
from bot.store import Store, make_engine
from bot.store.migrate import upgrade
from bot.supervision.calling import Outcome
from bot.supervision.model import Clock, clocks_of, cutoffs, level_at
from bot.supervision.rules import parse_text, shipped_text
from bot.supervision.tables import AlarmRow, CallbackRow, RectificationRow
from bot.workdays import WorkCalendar, YearTable
from tests.bot.supervision.conftest import BOARD, CLERK, DESK, MONDAY, UNIT, bureau_over

UNITS = (UNIT, "住建局")
PEOPLE = {
    Act.DISPATCH: DESK,
    Act.RETURN: CLERK,
    Act.TAKE_BACK: BOARD,
    Act.SIGN: CLERK,
    Act.REPLY: CLERK,
    Act.ASK_EXTENSION: CLERK,
    Act.GRANT_EXTENSION: BOARD,
    Act.REFUSE_EXTENSION: BOARD,
    Act.PAUSE: CLERK,
    Act.RESUME: CLERK,
    Act.ANSWER: CLERK,
    Act.REVIEW: DESK,
    Act.CLOSE: DESK,
    Act.REOPEN: DESK,
}


class Complaints(RuleBasedStateMachine):
    """What was raised is checked against what the time, the deadlines and the rules say, after every step."""

    filed: Bundle[str] = Bundle("filed")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        home = Path(self.folder.name)
        self.engine = make_engine(f"sqlite:///{home / 'wenban.db'}")
        upgrade(self.engine)
        self.clock = FixedClock(MONDAY)
        self.bureau = bureau_over(Store(self.engine, self.clock), self.clock, home)
        self.raised: dict[int, tuple[Any, ...]] = {}
        self.numbers: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.folder.cleanup()

    @rule(target=filed, urgent=st.booleans(), department=st.sampled_from([None, *UNITS]))
    def file(self, urgent: bool, department: str | None) -> str:
        number = self.bureau.file(urgent=urgent, department=department)
        self.numbers.append(number)
        return number

    @rule(number=filed, act=st.sampled_from(sorted(PEOPLE)), unit=st.sampled_from(UNITS))
    def act(self, number: str, act: Act, unit: str) -> None:
        with suppress(WenbanError):
            self.bureau.do(number, act, PEOPLE[act], note="理由", department=unit)

    @rule(number=filed, level=st.integers(1, 5))
    def judge(self, number: str, level: int) -> None:
        if self.bureau.row(number).state in (State.ANSWERED, State.REVIEWED, State.CLOSED):
            with suppress(WenbanError):
                self.bureau.judged_poorly(number, level)

    @rule()
    def care(self) -> None:
        self.bureau.care.run(self.clock.now())

    @rule(outcome=st.sampled_from(Outcome), reopen=st.booleans())
    def call(self, outcome: Outcome, reopen: bool) -> None:
        for call in self.bureau.calls.callbacks()[:1]:
            with suppress(WenbanError):
                self.bureau.calls.finish(call.id, call.version, outcome, "说明", DESK, reopen=reopen)

    @rule(back=st.booleans())
    def mend(self, back: bool) -> None:
        for mend in self.bureau.rectifying.rectifications()[:1]:
            with suppress(WenbanError):
                if mend.state == "open":
                    self.bureau.rectifying.submit(mend.id, mend.version, "已整改", CLERK)
                elif back:
                    self.bureau.rectifying.send_back(mend.id, mend.version, "不够", BOARD)
                else:
                    self.bureau.rectifying.accept(mend.id, mend.version, BOARD)

    @rule(number=filed)
    def urge(self, number: str) -> None:
        with suppress(WenbanError):
            self.bureau.alarms.urge(number, "请加快", BOARD)

    @rule(minutes=st.sampled_from([5, 20, 60, 300, 1440, 4320, 20160]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule()
    def watch(self) -> None:
        """The worker looks: what is new is exactly what was due, and nothing is due any more."""
        due = self._due()
        before = self._alarms()
        self.bureau.watch.run(self.clock.now())
        fresh = {key: row for key, row in self._alarms().items() if key not in before}
        assert {row[:6] for row in fresh.values()} == due
        assert not self._due()

    @invariant()
    def nothing_is_raised_twice(self) -> None:
        if not hasattr(self, "bureau"):
            return
        keys = [row[:5] for row in self._alarms().values() if row[6] == 0]
        assert len(keys) == len(set(keys))
        by_hand = [row[:5] + row[6:7] for row in self._alarms().values()]
        assert len(by_hand) == len(set(by_hand))

    @invariant()
    def deadlines_are_what_was_counted(self) -> None:
        """Whatever happened, the deadlines kept are those that counting again gives."""
        if not hasattr(self, "bureau"):
            return
        for number in self.numbers:
            row = self.bureau.row(number)
            kept = dues(row, self.bureau.calendar)
            if kept.counted is not None:
                assert ends(kept.counted, self.bureau.writer.limits, self.bureau.calendar) == kept

    def _alarms(self) -> dict[int, tuple[Any, ...]]:
        with self.bureau.store.read() as session:
            return {
                row.id: (row.complaint_id, row.clock, row.item, row.version, row.level, row.urgent, row.serial)
                for row in session.scalars(select(AlarmRow))
            }

    def _due(self) -> set[tuple[Any, ...]]:
        """What ought to be raised now, by looking at everything one by one."""
        now, rules, calendar = self.clock.now(), self.bureau.rules.current(), self.bureau.calendar
        opened = is_open(now, rules.hours, calendar)
        highest: dict[tuple[Any, ...], int] = {}
        for row in self._alarms().values():
            if row[6] == 0:
                highest[row[:4]] = max(highest.get(row[:4], 0), row[4])
        found = set()
        for complaint, clock, item, version, due, urgent in self._running():
            level = level_at(due, cutoffs(rules.ladder[clock], now, urgent, calendar))
            key = (complaint, clock.value, item, version)
            if level is not None and level > highest.get(key, 0) and (urgent or opened):
                found.add((*key, int(level), urgent))
        return found

    def _running(self) -> list[tuple[int, Clock, int, int, datetime, bool]]:
        found: list[tuple[int, Clock, int, int, datetime, bool]] = []
        with self.bureau.store.read() as session:
            for row in session.scalars(select(ComplaintRow)):
                columns = {
                    Clock.DISPATCH: (row.sign_version, row.sign_due_at),
                    Clock.SIGN: (row.sign_version, row.sign_due_at),
                    Clock.REPLY: (row.reply_version, row.reply_due_at),
                    Clock.CLOSE: (row.close_version, row.due_at),
                }
                for clock in clocks_of(State(row.state), replied=row.replied_at is not None):
                    version, due = columns[clock]
                    found.append((row.id, clock, 0, version, due, row.urgent))
            for mend in session.scalars(select(RectificationRow).where(RectificationRow.state == "open")):
                found.append((mend.complaint_id, Clock.RECTIFY, mend.id, mend.version, mend.due_at, False))
            for call in session.scalars(select(CallbackRow).where(CallbackRow.state == "open")):
                found.append((call.complaint_id, Clock.CALLBACK, call.id, call.version, call.due_at, False))
        return found


Complaints.TestCase.settings = settings(
    max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestComplaints = Complaints.TestCase


# -- the calendar that everything rests on -----------------------------------------------------------------------------

DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))
PUBLISHED = YearTable(
    2027, frozenset({date(2027, 1, 1), date(2027, 2, 8), date(2027, 2, 9)}), frozenset({date(2027, 2, 14)})
)
CALENDARS = st.sampled_from([WorkCalendar(), WorkCalendar({2027: PUBLISHED})])


@given(CALENDARS, DAYS, st.integers(1, 60))
def test_after_and_between_are_inverse(calendar: WorkCalendar, start: date, days: int) -> None:
    end = calendar.after(start, days).date
    assert calendar.working_days_between(start, end) == days
    assert calendar.is_working_day(end)
    assert calendar.working_days_between(end, start) == -days


@given(CALENDARS, DAYS, DAYS, st.integers(0, 40), st.integers(0, 40))
def test_deadlines_are_monotone(calendar: WorkCalendar, one: date, other: date, days: int, more: int) -> None:
    first, last = sorted((one, other))
    assert calendar.after(first, days).date <= calendar.after(last, days).date
    assert calendar.after(first, days).date <= calendar.after(first, days + more).date


@given(CALENDARS, DAYS, st.integers(0, 30), st.integers(0, 30))
def test_limits_add_up(calendar: WorkCalendar, start: date, days: int, more: int) -> None:
    if days:
        assert calendar.after(calendar.after(start, days).date, more).date == calendar.after(start, days + more).date


def test_make_up_days_are_worked_and_holidays_are_not() -> None:
    calendar = WorkCalendar({2027: PUBLISHED})
    assert calendar.is_working_day(date(2027, 2, 14))  # a Sunday
    assert not calendar.is_working_day(date(2027, 2, 8))  # a Monday
    assert calendar.after(date(2027, 2, 5), 1).date == date(2027, 2, 10)


@given(DAYS, st.integers(0, 60))
def test_a_deadline_is_provisional_where_its_way_leads_through_an_unpublished_year(start: date, days: int) -> None:
    found = WorkCalendar().after(start, days)
    assert found.provisional == WorkCalendar().is_provisional(found.date)
    published = WorkCalendar({2027: PUBLISHED}).after(start, days)
    assert published.provisional == (published.date.year > 2027)


@given(st.integers(0, 20))
def test_an_opening_is_never_in_a_holiday(day: int) -> None:
    moment = datetime(2026, 10, 1, 10, 0, tzinfo=ZONE) + timedelta(days=day)
    hours = parse_text(shipped_text()).hours
    assert is_open(moment, hours, WorkCalendar()) == WorkCalendar().is_working_day(moment.date())
