"""The complaints that are made for the benchmark are complaints: they are looked up, and their deadlines hold."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import pytest
from sqlalchemy import func, select

from bench import complaints_data
from bench.complaints_data import City
from bench.supervision import _database
from bot.clock import ZONE, FixedClock
from bot.complaints.clocks import ends
from bot.complaints.deciding import Decider
from bot.complaints.filing import Asker
from bot.complaints.model import State
from bot.complaints.service import ComplaintService
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.complaints.writing import dues
from bot.store import Store, make_engine, migrate
from bot.workdays import WorkCalendar
from index.incident import Incidents
from index.pairing import PairModel

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=ZONE)
COUNT = 2_000


def test_made_complaints_are_like_any_other() -> None:
    city = City(COUNT, NOW, WorkCalendar())
    writer = city.writer
    with _database() as url:
        if url is None:
            pytest.skip("no PostgreSQL; set WENBAN_TEST_POSTGRES_URL")
        engine = make_engine(url)
        migrate.upgrade(engine)
        complaints_data.fill(url, city)
        store = Store(engine, FixedClock(NOW))
        service = ComplaintService(
            store, FixedClock(NOW), writer, cast(Decider, None), Incidents(PairModel.load(), None)
        )
        for index in (0, 77, COUNT - 1):
            number = complaints_data.number_of(index, COUNT, NOW.date())
            shown = service.look_up(number, complaints_data.code_of(index), Asker("test", "1"))
            assert (shown.number, shown.events[0]["act"]) == (number, "file")
        with store.read() as session:
            rows = session.scalars(select(ComplaintRow)).all()
            events = session.scalar(select(func.count()).select_from(ComplaintEventRow))
        engine.dispose()
    assert len(rows) == COUNT
    assert events == sum(row.version for row in rows)
    states = {State(row.state) for row in rows}
    assert {State.CLOSED, State.SIGNED} <= states
    for row in rows:
        kept = dues(row, writer.calendar)
        assert kept.counted is None or ends(kept.counted, writer.limits, writer.calendar) == kept
        assert row.filed_at <= NOW
