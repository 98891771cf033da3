"""Asking that a late case be looked into: filed as a complaint once, whoever dies in between, and told."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.answers.phrases import Phrases
from bot.cases.delays import Delays, Receipt
from bot.cases.ports import COMPLAINT_TOPIC, DelayComplaint, Filed
from bot.cases.service import Asker
from bot.complaints.filing import Asker as ComplaintAsker
from bot.complaints.service import ComplaintService
from bot.complaints.tables import ComplaintRow
from bot.errors import Unavailable
from bot.store.outbox import OutboxMessage, OutboxState
from channels.delays import files_delays
from tests.bot.cases.conftest import Office
from tests.bot.cases.examples import case
from tests.bot.complaints.filer import service_over

NUMBER = "YS2611130042"
WANG = Asker("wechat", citizen="wechat:wang")
LI = Asker("wechat", citizen="wechat:li")


@dataclass
class Desk:
    """A late case that two citizens know, and the real complaints behind it."""

    office: Office
    complaints: ComplaintService

    def __post_init__(self) -> None:
        self.files = files_delays(lambda: self.complaints, Phrases("云山市", "12345"))
        self.dead = False
        self.delays = Delays(
            self.office.store, self.office.clock, self.office.cases, self.office.notifications, self.file, "http://h"
        )

    def file(self, delay: DelayComplaint, contact: str | None) -> Filed:
        """As the complaints do, but while they are out of order."""
        if self.dead:
            raise Unavailable("out of order", code="down", remedy="wait")
        return self.files(delay, contact)

    def report(self, asker: Asker = WANG) -> Receipt:
        receipt = self.delays.report(NUMBER, asker)
        assert receipt is not None
        return receipt

    def kept(self) -> OutboxMessage:
        with self.office.store.read() as session:
            return session.scalars(select(OutboxMessage).where(OutboxMessage.topic == COMPLAINT_TOPIC)).one()

    def filed(self) -> list[ComplaintRow]:
        with self.office.store.read() as session:
            return list(session.scalars(select(ComplaintRow)))

    def told(self) -> list[str]:
        """What the worker sends."""
        with self.office.store.read() as session:
            topic = OutboxMessage.topic == "notification.deliver"
            keys = [str(row.payload["key"]) for row in session.scalars(select(OutboxMessage).where(topic))]
        for key in keys:
            asyncio.run(self.office.notifications.deliver(key, self.office.clock.now()))
        return [sent.text for _, sent in self.office.wechat.sent if sent.template == "case.delay"]


@pytest.fixture
def desk(any_office: Office, tmp_path: Path) -> Desk:
    any_office.keeper.put(case(), "file", actor="test")
    for asker in (WANG, LI):
        any_office.cases.look_up(NUMBER, "830271", asker)
    any_office.clock.advance(timedelta(days=12))
    return Desk(any_office, service_over(any_office.store, tmp_path))


def test_it_is_filed_at_once_with_the_case_attached(desk: Desk) -> None:
    receipt = desk.report()
    assert receipt.filed is not None
    assert receipt.filed.query_code is not None
    asker = ComplaintAsker("test", "anybody")
    shown = desk.complaints.look_up(receipt.filed.number, receipt.filed.query_code, asker)
    assert (shown.kind, shown.case_number) == ("投诉", NUMBER)
    for named in ("居民身份证丢失补领", NUMBER, "云山市公安局出入境科", "李敏", "11 月 30 日", "2 个工作日"):
        assert named in shown.text
    [row] = desk.filed()
    assert row.citizen == "wechat:wang"
    assert desk.kept().state == OutboxState.DONE
    assert desk.told() == []


def test_late_cases_of_others_are_not_taken_for_the_same(desk: Desk) -> None:
    other = "YS2611130050"
    desk.office.keeper.put(case(number=other), "file", actor="test")
    desk.office.cases.look_up(other, "830271", WANG)
    desk.report()
    receipt = desk.delays.report(other, WANG)
    assert receipt is not None
    assert [row.duplicate_of_id for row in desk.filed()] == [None, None]


def test_asked_again_it_is_the_same_and_its_code_is_for_who_asked_first(desk: Desk) -> None:
    first, again, other = desk.report(), desk.report(), desk.report(LI)
    assert first.filed is not None
    assert (first.repeated, again.repeated, other.repeated) == (False, True, True)
    assert again.filed == first.filed
    assert other.filed == Filed(first.filed.number, None, first.filed.department)
    assert len(desk.filed()) == 1


def test_who_may_not_or_asks_too_early_files_nothing(desk: Desk) -> None:
    assert desk.delays.report(NUMBER, Asker("wechat", citizen="wechat:stranger")) is None
    assert desk.delays.report(NUMBER, Asker("web", origin="o1")) is None
    desk.office.keeper.put(case(promised_limit={"value": 90, "unit": "工作日"}), "file", actor="test")
    assert desk.delays.report(NUMBER, WANG) is None
    assert desk.filed() == []


def test_many_presses_at_once_file_one(desk: Desk) -> None:
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda _: desk.report(), range(12)))
    assert len(desk.filed()) == 1
    assert {receipt.filed for receipt in receipts} == {receipts[0].filed}
    assert sum(not receipt.repeated for receipt in receipts) == 1


def test_what_could_not_be_filed_is_filed_by_the_worker_and_told_once(desk: Desk) -> None:
    desk.dead = True
    assert desk.report().filed is None
    kept = desk.kept()
    assert kept.state == OutboxState.NEW
    assert kept.due_at > desk.office.clock.now(), "the process that keeps it tries first"
    desk.dead = False
    for _ in range(2):
        desk.delays.file_kept(kept.payload)
    [row] = desk.filed()
    [told] = desk.told()
    assert row.number in told
    again = desk.report()
    assert again.filed is not None
    assert again.filed.number == row.number
    assert again.filed.query_code in told


def test_a_process_that_dies_between_filing_and_noting_doubles_nothing(desk: Desk) -> None:
    desk.dead = True
    desk.report()
    desk.dead = False
    kept = desk.kept()
    before = desk.files(DelayComplaint.from_dict(kept.payload), "13900001234")  # filed, and then it died
    desk.delays.file_kept(kept.payload)
    assert [row.number for row in desk.filed()] == [before.number]
    assert len(desk.told()) == 1


def test_a_case_removed_meanwhile_is_not_filed(desk: Desk) -> None:
    desk.dead = True
    desk.report()
    with desk.office.store.write() as work:
        work.session.connection().exec_driver_sql("DELETE FROM cases")
    desk.dead = False
    desk.delays.file_kept(desk.kept().payload)
    assert desk.filed() == []
