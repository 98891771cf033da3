"""The worker's own parts over a real home: a change of a case becomes a text message and a line in a conversation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from bot.cases.service import Asker
from bot.clock import FixedClock
from bot.conversations.service import ConversationService
from bot.errors import ConfigurationError
from bot.settings import Settings, load_settings
from bot.store import Store, make_engine
from bot.store.migrate import upgrade
from bot.store.outbox import OutboxMessage
from bot.workdays import WorkCalendar
from channels.casework import Casework, build_casework, no_limits
from channels.sms import FILE
from channels.work import jobs_of
from channels.worker import Job
from tests.bot.cases.examples import ACCEPTED, APPLIED, at, case, row, stage

Start = Callable[[Settings], list[Job]]

DONE = [
    APPLIED,
    ACCEPTED,
    stage("审查", "11-16 10:00", "11-19 09:00"),
    stage("决定", "11-19 09:00", "11-20 10:00", result="准予"),
]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(at("11-20 12:00"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def casework(settings: Settings, clock: FixedClock) -> Iterator[Casework]:
    upgrade(settings)
    engine = make_engine(settings)
    store = Store(engine, clock)
    yield build_casework(settings, store, clock, WorkCalendar(), no_limits)
    engine.dispose()


@pytest.fixture
def start(clock: FixedClock) -> Iterator[Callable[[Settings], list[Job]]]:
    """Makes the worker's jobs, and closes them as the worker does."""
    made: list[Job] = []

    def make(settings: Settings) -> list[Job]:
        jobs = jobs_of(settings, clock)
        made.extend(jobs)
        return jobs

    yield make
    for job in made:
        job.close()


def run(jobs: list[Job], name: str, clock: FixedClock) -> None:
    [job] = [job for job in jobs if job.name == name]
    job.run(clock.now())


def sent(settings: Settings) -> list[dict[str, Any]]:
    file = settings.home / FILE
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def test_a_change_becomes_one_text_message(
    settings: Settings, casework: Casework, clock: FixedClock, start: Start
) -> None:
    jobs = start(settings)
    casework.keeper.put(case(stages=DONE, outcome="准予"), "api:hall", actor="key:hall")
    casework.keeper.put(case(stages=DONE, outcome="准予"), "api:hall", actor="key:hall")
    for _ in range(2):
        run(jobs, "relay", clock)
    [message] = sent(settings)
    assert message["phone"] == "13900001234"
    assert "已于 11 月 20 日（周五）办结，结果：准予" in message["text"]
    assert f"{settings.host}:{settings.port}/judge/" in message["text"]


def test_at_night_it_waits_for_the_morning(
    settings: Settings, casework: Casework, clock: FixedClock, start: Start
) -> None:
    clock.advance(timedelta(hours=11))
    jobs = start(settings)
    casework.keeper.put(case(stages=DONE, outcome="准予"), "api:hall", actor="key:hall")
    run(jobs, "relay", clock)
    assert sent(settings) == []
    clock.advance(timedelta(hours=8, minutes=59))
    run(jobs, "relay", clock)
    assert sent(settings) == []
    clock.advance(timedelta(minutes=1))
    run(jobs, "relay", clock)
    assert len(sent(settings)) == 1


def test_the_page_where_it_was_asked_for_hears_of_it_too(
    settings: Settings, casework: Casework, clock: FixedClock, start: Start
) -> None:
    jobs = start(settings)
    engine = make_engine(settings)
    conversations = ConversationService(Store(engine, clock), clock, settings)
    talk = conversations.begin(None, None, "你好", "web").conversation_id
    casework.keeper.put(case(), "api:hall", actor="key:hall")
    casework.cases.look_up("YS2611130042", "830271", Asker("web", conversation_id=talk))
    casework.keeper.put(case(stages=DONE, outcome="准予"), "api:hall", actor="key:hall")
    run(jobs, "relay", clock)
    told = [event for event in conversations.events(talk) if event.kind == "bot"]
    assert len(told) == 1
    assert "办结" in told[0].payload["messages"][0]["text"]
    assert len(sent(settings)) == 1
    engine.dispose()


def test_what_went_out_long_ago_is_forgotten(
    settings: Settings, casework: Casework, clock: FixedClock, start: Start
) -> None:
    jobs = start(settings)
    casework.keeper.put(case(stages=DONE, outcome="准予"), "api:hall", actor="key:hall")
    run(jobs, "relay", clock)
    engine = make_engine(settings)

    def finished() -> int:
        with Store(engine, clock).read() as session:
            return len(session.scalars(select(OutboxMessage).where(OutboxMessage.state == "done")).all())

    assert finished() > 0
    clock.advance(timedelta(days=29))
    run(jobs, "tidy-outbox", clock)
    assert finished() > 0
    clock.advance(timedelta(days=2))
    run(jobs, "tidy-outbox", clock)
    assert finished() == 0
    engine.dispose()


class TestView:
    """Cases read from the view of another database."""

    QUERY = "SELECT * FROM v_cases WHERE updated_at >= :since ORDER BY updated_at"

    @pytest.fixture
    def business(self, tmp_path: Path) -> Iterator[Any]:
        engine = create_engine(f"sqlite:///{tmp_path / 'business.db'}")
        with engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE TABLE v_cases (number TEXT, query_code TEXT, matter TEXT, matter_name TEXT,"
                    " department TEXT,"
                    " applicant_name TEXT, applicant_phone TEXT, promised_value INT, promised_unit TEXT, stages TEXT,"
                    " outcome TEXT, updated_at TEXT)"
                )
            )
        yield engine
        engine.dispose()

    def write(self, business: Any, number: str, updated_at: str, **more: Any) -> None:
        values = {
            "number": number, "query_code": "830271", "matter": "YS00103", "matter_name": "居住证签注",
            "department": "云城区派出所", "applicant_name": "王小明", "applicant_phone": "13900001234",
            "promised_value": 10, "promised_unit": "工作日", "stages": json.dumps(row()["stages"]), "outcome": None,
            "updated_at": updated_at, **more,
        }  # fmt: skip
        with business.begin() as connection:
            connection.execute(text("DELETE FROM v_cases WHERE number = :number"), values)
            names = list(values)
            into = f"INSERT INTO v_cases ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
            connection.execute(text(into), values)

    @pytest.fixture
    def configured(self, settings: Settings, business: Any) -> Settings:
        url = business.url.render_as_string(hide_password=False)
        return load_settings(home=settings.home, case_view_url=url, case_view_query=self.QUERY)

    def test_what_changed_is_taken_and_nothing_twice(
        self, configured: Settings, casework: Casework, clock: FixedClock, business: Any, start: Start
    ) -> None:
        jobs = start(configured)
        self.write(business, "V2026000001", "2026-11-16 10:00:00")
        self.write(business, "V2026000002", "2026-11-16 10:00:00")
        run(jobs, "case-view", clock)
        assert casework.keeper.count("view") == 2
        self.write(business, "V2026000002", "2026-11-17 10:00:00", matter_name="居住证申领")
        self.write(business, "V2026000003", "2026-11-16 10:00:00")  # as old as what was read last
        run(jobs, "case-view", clock)
        run(jobs, "case-view", clock)
        assert casework.keeper.count("view") == 3
        found = casework.cases.look_up("V2026000002", "830271", Asker("test")).case
        assert found.matter_name == "居住证申领"
        assert casework.keeper.feeds()[0]["taken"] == 1

    def test_a_faulty_row_is_left_out_with_its_reason_and_keeps_no_other(
        self, configured: Settings, casework: Casework, clock: FixedClock, business: Any, start: Start
    ) -> None:
        casework.keeper.put(case(number="V2026000002"), "file", actor="test")
        self.write(business, "V2026000001", "2026-11-16 10:00:00", stages="[")
        self.write(business, "V2026000002", "2026-11-16 10:00:00")
        self.write(business, "V2026000003", "2026-11-16 10:00:00")
        run(start(configured), "case-view", clock)
        trouble = {str(each["number"]): each["reason"] for each in casework.keeper.feeds()[0]["trouble"]}  # type: ignore[attr-defined]
        assert set(trouble) == {"V2026000001", "V2026000002"}
        assert "JSON" in trouble["V2026000001"]
        assert "file" in trouble["V2026000002"]
        assert casework.keeper.count("view") == 1

    def test_a_view_that_is_gone_is_written_down_and_read_when_it_is_back(
        self, configured: Settings, casework: Casework, clock: FixedClock, business: Any, start: Start
    ) -> None:
        jobs = start(configured)
        self.write(business, "V2026000001", "2026-11-16 10:00:00")
        with business.begin() as connection:
            connection.execute(text("ALTER TABLE v_cases RENAME TO elsewhere"))
        run(jobs, "case-view", clock)
        assert "v_cases" in str(casework.keeper.feeds()[0]["trouble"])
        with business.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO v_cases"))
        run(jobs, "case-view", clock)
        assert casework.keeper.count("view") == 1
        assert casework.keeper.feeds()[0]["trouble"] == []

    @pytest.mark.parametrize(
        "more",
        [
            {"case_view_url": "sqlite:///x.db"},
            {"case_view_query": "SELECT 1 WHERE :since"},
            {"case_view_url": "sqlite:///x.db", "case_view_query": "SELECT 1"},
            {"case_view_url": "nonsense", "case_view_query": "SELECT 1 WHERE :since"},
        ],
    )
    def test_half_a_configuration_is_refused(self, settings: Settings, clock: FixedClock, more: dict[str, str]) -> None:
        upgrade(settings)
        with pytest.raises(ConfigurationError, match="WENBAN_CASE_VIEW"):
            jobs_of(load_settings(home=settings.home, **more), clock)
