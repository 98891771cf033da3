"""What the board counts is what its lists show, and what the worker keeps is what counting gives; on each database."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bot.board import counting, keeping
from bot.board.figures import Figures
from bot.board.hot_spots import HotSpotKeeper
from bot.board.keeping import DayKeeper
from bot.board.model import Filter, Measure
from bot.board.service import BoardService
from bot.clock import FixedClock
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.errors import InvalidInput, NotFound
from bot.store import Store
from bot.store.audit import AuditRow
from bot.supervision.model import Light
from bot.supervision.rules import Rules, parse_text, shipped_text
from bot.workdays import WorkCalendar
from tests.bot.board.city import UNITS, fill

COUNTED = {
    Measure.FILED: "filed",
    Measure.ON_TIME: "on_time",
    Measure.EXTENDED: "extended",
    Measure.LATE: "late",
    Measure.DONE: "done",
    Measure.OVERDUE: "overdue",
    Measure.OPEN: "open",
}


def rules() -> Rules:
    return parse_text(shipped_text())


@pytest.fixture
def board(any_store: Store, clock: FixedClock) -> BoardService:
    fill(any_store, clock.now(), 250)
    return BoardService(any_store, clock, WorkCalendar(), rules)


def listed(board: BoardService, wanted: Filter) -> list[str]:
    """Every number of the list, read in small pages."""
    numbers: list[str] = []
    cursor = ""
    while True:
        page = board.items(wanted, cursor, 7)
        numbers += [item.number for item in page.items]
        cursor = page.next
        if not cursor:
            assert len(numbers) == len(set(numbers))
            return numbers


def happened_to(figures: Figures) -> dict[Measure, int]:
    """What the board shows of returns, judgements and calls, by the list it leads to."""
    return {
        Measure.RETURNED: figures.returned,
        Measure.DISSATISFIED: figures.judged - figures.satisfied,
        Measure.UNRESOLVED: figures.asked - figures.resolved,
    }


def test_every_number_leads_to_as_many_complaints(board: BoardService) -> None:
    for wanted in (Filter(), Filter(kind="投诉"), Filter(category="噪声"), Filter(area="人民路", urgent=True)):
        found = board.overview(wanted)
        for ranked in found.units:
            for measure, name in COUNTED.items():
                narrowed = found.wanted.but(show=measure, department=ranked.unit)
                assert len(listed(board, narrowed)) == getattr(ranked.figures, name), (ranked.unit, measure)
            for measure, count in happened_to(ranked.figures).items():
                narrowed = found.wanted.but(show=measure, department=ranked.unit)
                assert len(listed(board, narrowed)) == count, (ranked.unit, measure)
        for light in Light:
            assert len(listed(board, found.wanted.but(light=light.value))) == getattr(found.lights, light.value)
        assert len(listed(board, found.wanted.but(show=Measure.TRIAGE))) == found.lights.triage
        assert sum(f.filed for f in found.days.values()) == found.whole.filed
        assert sum(f.done for f in found.categories.values()) == found.whole.done
        for measure, count in happened_to(found.whole).items():
            assert len(listed(board, found.wanted.but(show=measure))) == count


def test_what_is_kept_is_what_counting_gives(board: BoardService, any_store: Store, clock: FixedClock) -> None:
    keeper = DayKeeper(any_store)
    assert keeper.refresh(clock.now()) > 30
    for days in (1, 7, 30, 75, 300):
        today = clock.now().date()
        wanted = Filter(since=today - timedelta(days=days), until=today)
        with any_store.read() as session:
            for by in ("all", "unit", "category", "area", "day"):
                counted = counting.happened(session, wanted, [by])[by]
                assert keeping.kept(session, wanted, by) == counted
            for unit, by in itertools.product(UNITS, ("unit", "day")):
                own = wanted.but(department=unit)
                assert keeping.kept(session, own, by) == counting.happened(session, own, [by])[by]
    assert board.overview(Filter()).as_of == clock.now()
    # A day is counted anew when something happens to what it counts.
    with any_store.write() as work:
        row = work.session.scalars(select(ComplaintRow).where(ComplaintRow.state == "answered").limit(1)).one()
        row.answered_at, row.state = None, "reopened"
        work.session.add(
            ComplaintEventRow(
                complaint_id=row.id,
                number=9,
                at=clock.now(),
                act="reopen",
                state="reopened",
                actor="a",
                details={},
            )
        )
    clock.advance(timedelta(minutes=10))
    assert 1 <= keeper.refresh(clock.now()) <= 4
    wanted = board.filled(Filter())
    with any_store.read() as session:
        assert keeping.kept(session, wanted, "unit") == counting.happened(session, wanted, ["unit"])["unit"]


@pytest.mark.parametrize(
    ("since", "until", "first", "after"),
    [
        ("2026-01-01", "2026-01-31", "2026-01-01", "2026-02-01"),
        ("2026-01-02", "2026-03-31", "2026-02-01", "2026-04-01"),
        ("2025-12-31", "2026-03-30", "2026-01-01", "2026-03-01"),
        ("2026-01-02", "2026-02-27", "2026-01-02", "2026-01-02"),
        ("2026-01-01", "2026-01-30", "2026-01-01", "2026-01-01"),
        ("2026-02-10", "2026-02-10", "2026-02-10", "2026-02-10"),
    ],
)
def test_months_that_a_period_holds_whole(since: str, until: str, first: str, after: str) -> None:
    found = keeping.whole_months(date.fromisoformat(since), date.fromisoformat(until))
    assert found == (date.fromisoformat(first), date.fromisoformat(after))


def test_one_unit_sees_its_own(board: BoardService) -> None:
    for unit in UNITS:
        for number in listed(board, Filter(department=unit))[:5]:
            assert board.complaint(number, unit).item.department == unit
            with pytest.raises(NotFound):
                board.complaint(number, "别的局")


def test_hot_spots_are_made_hourly_and_lead_to_their_complaints(
    board: BoardService, any_store: Store, clock: FixedClock
) -> None:
    keeper = HotSpotKeeper(any_store)
    assert keeper.refresh(clock.now()) == 5
    assert keeper.refresh(clock.now() + timedelta(minutes=30)) == 0
    spots, at = board.hot_spots()
    assert at == clock.now()
    for spot in spots:
        assert spot.size == spot.recent + spot.before == sum(count for _, count in spot.days)
        assert len(listed(board, Filter(show=Measure.FILED, hot=spot.id))) == spot.size
    assert keeper.refresh(clock.now() + timedelta(hours=1)) == 5


def test_the_whole_list_comes_in_batches_and_taking_it_away_is_recorded(board: BoardService, any_store: Store) -> None:
    wanted = Filter(show=Measure.FILED)
    every = [item.number for batch in board.every(wanted, 10_000) for item in batch]
    assert every == listed(board, wanted)
    assert len([item for batch in board.every(wanted, 20) for item in batch]) == 20
    board.exported("zhao", wanted, "csv")
    with any_store.read() as session:
        row = session.scalars(select(AuditRow)).one()
    assert (row.actor, row.action, row.details["form"]) == ("zhao", "board.export", "csv")


@pytest.mark.parametrize("cursor", ["!!", "eA", "MjAyNi0wMS0wMSAx", "x" * 100])
def test_a_cursor_that_no_page_gave_is_refused(board: BoardService, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        board.items(Filter(), cursor)


def test_the_snapshot_changes_with_every_event(board: BoardService, any_store: Store, clock: FixedClock) -> None:
    before = board.snapshot()
    assert board.snapshot() == before
    with any_store.write() as work:
        row = work.session.scalars(select(ComplaintRow).limit(1)).one()
        work.session.add(
            ComplaintEventRow(
                complaint_id=row.id, number=99, at=clock.now(), act="sign", state="signed", actor="a", details={}
            )
        )
    assert board.snapshot() != before
