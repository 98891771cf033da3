"""The worker's part of supervision over a real home: through the outbox, and when a year's holidays are loaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.clock import ZONE, FixedClock
from bot.complaints.model import Act
from bot.settings import Settings, load_settings
from bot.store import Store, make_engine
from bot.store.migrate import upgrade
from bot.store.sealed import load_sealer
from bot.workdays import load_calendar
from channels.work import jobs_of
from channels.worker import Job
from tests.bot.supervision.conftest import CLERK, Bureau, bureau_over


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 12, 28, 9, 0, tzinfo=ZONE))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings(home=tmp_path / "home")
    upgrade(made)
    return made


@pytest.fixture
def bureau(settings: Settings, clock: FixedClock) -> Iterator[Bureau]:
    engine = make_engine(settings)
    calendar = load_calendar(settings.home / "calendar")
    yield bureau_over(Store(engine, clock), clock, settings.home, calendar, load_sealer(settings))
    engine.dispose()


@pytest.fixture
def jobs(settings: Settings, clock: FixedClock) -> Iterator[dict[str, Job]]:
    made = {job.name: job for job in jobs_of(settings, clock)}
    yield made
    for job in made.values():
        job.close()


def test_a_bad_judgement_reaches_the_unit_through_the_outbox(
    bureau: Bureau, jobs: dict[str, Job], clock: FixedClock
) -> None:
    number = bureau.file()
    bureau.judgements.answer(bureau.answered(number), 1, channel="link")
    assert bureau.rectifying.rectifications() == []
    jobs["relay"].run(clock.now())
    [mend] = bureau.rectifying.rectifications()
    assert mend.number == number
    [call] = bureau.calls.callbacks()
    assert call.reason == "poor"
    jobs["after-care"].run(clock.now())
    assert {call.reason for call in bureau.calls.callbacks()} == {"answer", "poor"}


def test_the_worker_watches_and_counts_anew_when_a_year_is_loaded(
    bureau: Bureau, jobs: dict[str, Job], clock: FixedClock, settings: Settings
) -> None:
    number = bureau.file()
    bureau.do(number, Act.SIGN, CLERK)
    before = bureau.row(number)
    assert before.provisional
    jobs["recount-deadlines"].run(clock.now())
    assert bureau.row(number).version == before.version
    folder = settings.home / "calendar"
    folder.mkdir()
    (folder / "2027.toml").write_text("year = 2027\ndays_off = [2027-01-01, 2027-01-04]\nmake_up_days = []\n", "utf-8")
    jobs["recount-deadlines"].run(clock.now())
    after = bureau.row(number)
    assert (after.provisional, after.version) == (False, before.version + 1)
    assert after.due_at > before.due_at
    bureau.at(2026, 12, 31, 10, 0)
    jobs["watch-deadlines"].run(clock.now())
    assert [clock for clock, _, _ in bureau.raised(number)] == ["reply"]


def test_the_way_out_runs_beside_the_other_jobs(bureau: Bureau, jobs: dict[str, Job], clock: FixedClock) -> None:
    before = threading.active_count()
    jobs["outflow"].run(clock.now())
    jobs["outflow"].close()
    assert threading.active_count() <= before
