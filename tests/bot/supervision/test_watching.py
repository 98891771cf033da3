"""What the worker raises: once, in office hours, to the right people, and never in a storm."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import ZONE
from bot.complaints.model import Act, Actor, Party
from bot.errors import NotFound
from bot.people.model import Role
from bot.people.service import PeopleService
from bot.store import outbox
from bot.store.outbox import OutboxMessage
from bot.supervision.model import Clock, Level, Recipient
from bot.supervision.raising import ALARM_TOPIC, NOTICE_TOPIC
from bot.supervision.rules import RulesFile, shipped_text
from bot.supervision.tables import AlarmNoticeRow, AlarmRecipientRow, AlarmRow
from bot.supervision.watching import Watch
from tests.bot.supervision.conftest import BOARD, CLERK, DESK, UNIT, Bureau


def test_a_complaint_nobody_signs_goes_up_the_ladder_each_level_once(bureau: Bureau) -> None:
    bureau.file()  # signed by the 3rd, replied by the 5th, closed by the 19th
    assert bureau.watched() == []
    bureau.at(2026, 11, 3, 9, 0)
    assert bureau.watched() == [("sign", Level.WARNING)]
    assert bureau.watched() == []
    bureau.at(2026, 11, 3, 17, 30)
    assert bureau.watched() == []  # the limit has not passed, and offices have closed
    bureau.at(2026, 11, 4, 9, 0)
    assert bureau.watched() == [("sign", Level.URGE), ("reply", Level.REMINDER)]
    bureau.at(2026, 11, 19, 10, 0)
    assert bureau.watched() == [("reply", Level.OVERDUE), ("close", Level.WARNING)]
    for day, level in ((20, Level.URGE), (24, Level.YELLOW_CARD), (27, Level.RED_CARD)):
        bureau.at(2026, 11, day, 10, 0)
        assert bureau.watched() == [("close", level)]
    bureau.at(2026, 12, 3, 10, 0)
    assert bureau.watched() == [("close", Level.OVERSIGHT)]
    bureau.at(2026, 12, 31, 10, 0)
    assert bureau.watched() == []


def test_nothing_is_raised_outside_of_office_hours_but_what_is_urgent(bureau: Bureau) -> None:
    bureau.file()
    bureau.at(2026, 11, 7, 3, 0)  # Saturday night
    urgent = bureau.file(urgent=True)
    assert bureau.watched() == []
    bureau.at(2026, 11, 7, 3, 20)
    assert bureau.watched() == [("sign", Level.WARNING)]
    bureau.at(2026, 11, 7, 3, 31)
    assert bureau.watched() == [("sign", Level.OVERDUE)]
    assert {clock for clock, _, _ in bureau.raised(urgent)} == {"sign"}
    bureau.at(2026, 11, 9, 12, 30)  # Monday, at lunch
    assert [clock for clock, _ in bureau.watched()] == ["sign", "reply", "close"]  # all of the urgent one
    bureau.at(2026, 11, 9, 13, 30)
    assert len(bureau.watched()) == 2


def test_the_recipients_are_named_by_role_and_unit(bureau: Bureau) -> None:
    bureau.file()
    bureau.file(department=None)
    bureau.at(2026, 11, 4, 10, 0)
    assert sorted(bureau.watched()) == [
        ("dispatch", Level.OVERDUE),
        ("reply", Level.REMINDER),
        ("sign", Level.URGE),
    ]
    to_unit = bureau.alarms.notices(CLERK)
    assert {(notice.role, notice.department) for notice in to_unit} == {
        (Recipient.HANDLER, UNIT),
        (Recipient.HEAD, UNIT),
    }
    [to_desk] = bureau.alarms.notices(DESK)
    assert to_desk.levels == {Level.OVERDUE: 1}
    assert to_desk.alarm is not None
    assert to_desk.alarm.clock is Clock.DISPATCH
    [to_board] = bureau.alarms.notices(BOARD)
    assert to_board.levels == {Level.OVERDUE: 1}


def test_the_head_is_told_apart_from_the_clerks_who_see_it_where_there_is_none(bureau: Bureau) -> None:
    head = Actor(Party.UNIT, "chen", UNIT, head=True)
    bureau.file()
    bureau.at(2026, 11, 4, 10, 0)
    bureau.watched()
    roles = {Recipient.HANDLER, Recipient.HEAD}
    assert {notice.role for notice in bureau.alarms.notices(CLERK)} == roles
    people = PeopleService(bureau.store, bureau.clock)
    people.create("chen", "correct-horse-battery", Role.HEAD, department=UNIT)
    [own] = bureau.alarms.notices(CLERK)
    assert own.role is Recipient.HANDLER
    [to_head] = bureau.alarms.notices(head)
    assert to_head.role is Recipient.HEAD
    with pytest.raises(NotFound):
        bureau.alarms.see(to_head.id, CLERK)
    assert bureau.alarms.alarms_of_notice(to_head.id, head)
    bureau.alarms.see(to_head.id, head)
    assert bureau.alarms.notices(head, unseen=True) == []
    assert bureau.alarms.notices(Actor(Party.UNIT, "wu", "城管局", head=True)) == []
    # Who leaves takes no alarm along: those who are left are told again.
    people.set_active("chen", False, actor="boss")
    assert {notice.role for notice in bureau.alarms.notices(CLERK)} == roles


def test_what_was_missed_in_an_outage_is_one_summary_for_each(bureau: Bureau) -> None:
    for _ in range(30):
        bureau.file()
    for _ in range(10):
        bureau.file(department="城管局")
    bureau.at(2026, 11, 30, 9, 0)
    assert len(bureau.watched()) == 40 * 3  # sign, reply, close: the gravest level of each, not every one
    assert {level for clock, level, _ in bureau.raised() if clock == "close"} == {Level.RED_CARD}
    with bureau.store.read() as session:
        told = session.execute(
            select(AlarmNoticeRow.role, AlarmNoticeRow.department, func.count(AlarmRecipientRow.alarm_id))
            .join(AlarmRecipientRow, AlarmRecipientRow.notice_id == AlarmNoticeRow.id)
            .group_by(AlarmNoticeRow.id)
        ).all()
        notices = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == NOTICE_TOPIC)).all()
    assert sorted(map(tuple, told)) == [
        ("handler", "城管局", 30),
        ("handler", UNIT, 90),
        ("head", "城管局", 30),
        ("head", UNIT, 90),
        ("supervisor", "", 80),
    ]
    assert len(notices) == 5
    assert {message.due_at for message in notices} == {datetime(2026, 11, 30, 9, 5, tzinfo=ZONE)}


def test_an_urgent_alarm_has_a_notice_of_its_own_at_once(bureau: Bureau) -> None:
    for _ in range(2):
        bureau.file(urgent=True)
    bureau.clock.advance(timedelta(minutes=31))
    assert bureau.watched() == [("sign", Level.OVERDUE)] * 2
    assert [notice.count for notice in bureau.alarms.notices(BOARD)] == [1, 1]
    with bureau.store.write() as work:
        topics = []
        while (message := outbox.claim(work.session, bureau.clock.now(), (NOTICE_TOPIC, ALARM_TOPIC))) is not None:
            topics.append(message.topic)
    assert sorted(topics) == [ALARM_TOPIC] * 2 + [NOTICE_TOPIC] * 6


def test_a_read_notice_is_unread_again_when_more_comes_to_it(bureau: Bureau) -> None:
    bureau.file()
    bureau.at(2026, 11, 3, 9, 0)
    bureau.watched()
    [first] = [notice for notice in bureau.alarms.notices(CLERK) if notice.role is Recipient.HANDLER]
    bureau.alarms.see(first.id, CLERK)
    assert first.id not in [notice.id for notice in bureau.alarms.notices(CLERK, unseen=True)]
    bureau.at(2026, 11, 2, 9, 30)
    bureau.file()
    bureau.at(2026, 11, 3, 9, 4)
    assert bureau.watched() == [("sign", Level.WARNING)]
    again = {notice.id: notice for notice in bureau.alarms.notices(CLERK, unseen=True)}
    assert again[first.id].count == 2


def test_pauses_and_answers_stop_the_clocks(bureau: Bureau) -> None:
    paused, answered = bureau.file(), bureau.file()
    bureau.do(paused, Act.SIGN, CLERK)
    bureau.do(paused, Act.PAUSE, CLERK, note="等检测报告")
    bureau.answered(answered)
    bureau.at(2026, 11, 30, 10, 0)
    assert bureau.watched() == []
    bureau.do(paused, Act.RESUME, CLERK)  # twenty working days later, so is the deadline
    assert bureau.watched() == []
    bureau.at(2026, 12, 17, 10, 0)
    assert ("close", Level.WARNING) in bureau.watched()


def test_a_first_reply_stops_its_clock_alone(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.do(number, Act.SIGN, CLERK)
    bureau.do(number, Act.REPLY, CLERK, note="已安排人员上门")
    bureau.at(2026, 11, 20, 10, 0)
    assert bureau.watched() == [("close", Level.URGE)]


def test_an_extension_is_another_deadline_and_leaves_the_others(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.do(number, Act.SIGN, CLERK)
    bureau.at(2026, 11, 18, 10, 0)
    assert bureau.watched() == [("reply", Level.OVERDUE), ("close", Level.WARNING)]
    bureau.do(number, Act.ASK_EXTENSION, CLERK, note="要换主管道")
    bureau.do(number, Act.GRANT_EXTENSION, BOARD)
    assert bureau.watched() == []
    bureau.at(2026, 11, 25, 10, 0)
    assert bureau.watched() == [("close", Level.WARNING)]
    assert [version for clock, _, version in bureau.raised(number) if clock == "close"] == [1, 2]


def test_who_gets_it_after_a_return_is_warned_anew(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.at(2026, 11, 3, 9, 0)
    assert bureau.watched() == [("sign", Level.WARNING)]
    bureau.do(number, Act.RETURN, CLERK, note="属于物业")
    assert bureau.watched() == []
    bureau.do(number, Act.DISPATCH, DESK, department="住建局")
    bureau.at(2026, 11, 4, 9, 0)
    assert bureau.watched() == [("sign", Level.WARNING), ("reply", Level.REMINDER)]
    with bureau.store.read() as session:
        units = session.scalars(select(AlarmRow.department).order_by(AlarmRow.id)).all()
    assert units == [UNIT, "住建局", "住建局"]


def test_two_workers_raise_nothing_twice(bureau: Bureau, tmp_path: Path) -> None:
    for _ in range(60):
        bureau.file()
    bureau.at(2026, 11, 20, 10, 0)
    now = bureau.clock.now()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            Watch(bureau.store, RulesFile(tmp_path), bureau.calendar, batch=7).run(now)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bureau.watch.run(now)
    assert not faults
    raised = bureau.raised()
    assert len(raised) == 60 * 3
    with bureau.store.read() as session:
        sent = session.scalar(select(func.count()).where(OutboxMessage.topic == ALARM_TOPIC))
        notices = session.scalar(select(func.count()).select_from(AlarmNoticeRow))
    assert (sent, notices) == (60 * 3, 3)


def test_other_rules_count_from_the_next_turn_on(bureau: Bureau) -> None:
    bureau.file()
    bureau.at(2026, 11, 16, 10, 0)
    assert ("close", Level.REMINDER) in bureau.watched()
    text = shipped_text().replace("days_left = 1\nhours_left = 2", "days_left = 2\nhours_left = 2")
    bureau.alarms.set_rules(text, actor="root")
    bureau.at(2026, 11, 17, 10, 0)
    assert bureau.watched() == [("close", Level.WARNING)]
