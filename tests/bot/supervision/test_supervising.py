"""What people do about alarms: urge by hand, answer, take back, read; and who may."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.complaints.model import Act, Actor, Party
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.store.audit import AuditRow
from bot.supervision.model import Level
from tests.bot.supervision.conftest import BOARD, CLERK, DESK, UNIT, Bureau


def test_a_supervisor_urges_and_the_unit_answers(lite: Bureau) -> None:
    number = lite.file()
    lite.do(number, Act.SIGN, CLERK)
    urged = lite.alarms.urge(number, "市民再次来电，已停水三天", BOARD)
    assert (urged.level, urged.by_hand, urged.department, urged.raised_by) == (Level.URGE, True, UNIT, "zhao")
    assert urged.is_open
    assert urged.answer_due_at is not None
    lite.alarms.urge(number, "再催一次", BOARD)
    assert [notice.count for notice in lite.alarms.notices(CLERK)] == [2, 2]  # to handler and head
    answered = lite.alarms.answer(urged.id, "今晚恢复供水", CLERK)
    assert (answered.answer, answered.is_open) == ("今晚恢复供水", False)
    with pytest.raises(Conflict):
        lite.alarms.answer(urged.id, "再答一次", CLERK)
    with lite.store.read() as session:
        acts = session.scalars(select(AuditRow.action).order_by(AuditRow.number)).all()
    assert acts.count("supervision.urge") == 2
    assert "supervision.answer" in acts


def test_urging_by_hand_does_not_take_the_place_of_the_workers_document(lite: Bureau) -> None:
    number = lite.file()
    lite.do(number, Act.SIGN, CLERK)
    lite.do(number, Act.REPLY, CLERK, note="在修")
    lite.alarms.urge(number, "请加快", BOARD)
    lite.at(2026, 11, 20, 10, 0)
    assert lite.watched() == [("close", Level.URGE)]


def test_who_may_not(lite: Bureau) -> None:
    number = lite.file()
    for actor in (CLERK, DESK):
        with pytest.raises(Forbidden):
            lite.alarms.urge(number, "请加快", actor)
    with pytest.raises(InvalidInput):
        lite.alarms.urge(number, "  ", BOARD)
    with pytest.raises(NotFound):
        lite.alarms.urge("TS0", "请加快", BOARD)
    urged = lite.alarms.urge(number, "请加快", BOARD)
    for stranger in (DESK, BOARD, Actor(Party.UNIT, "sun", "城管局"), Actor(Party.UNIT, "qian", None)):
        with pytest.raises(Forbidden):
            lite.alarms.answer(urged.id, "在修", stranger)
    [notice, *_] = lite.alarms.notices(CLERK)
    for stranger in (DESK, BOARD, Actor(Party.UNIT, "sun", "城管局"), Actor(Party.CITIZEN, "citizen")):
        assert notice.id not in [each.id for each in lite.alarms.notices(stranger)]
        with pytest.raises(NotFound):
            lite.alarms.alarms_of_notice(notice.id, stranger)
        with pytest.raises(NotFound):
            lite.alarms.see(notice.id, stranger)
    assert [alarm.id for alarm in lite.alarms.alarms_of_notice(notice.id, CLERK)] == [urged.id]


def test_there_is_nobody_to_urge_while_nobody_has_it(lite: Bureau) -> None:
    waiting, answered = lite.file(department=None), lite.file()
    lite.answered(answered)
    for number in (waiting, answered):
        with pytest.raises(Conflict) as refused:
            lite.alarms.urge(number, "请加快", BOARD)
        assert refused.value.code == "urge_nobody"


def test_a_document_taken_back_is_not_answered_and_not_raised_again(lite: Bureau) -> None:
    number = lite.file()
    lite.do(number, Act.SIGN, CLERK)
    lite.do(number, Act.REPLY, CLERK, note="在修")
    lite.at(2026, 11, 24, 10, 0)
    assert lite.watched() == [("close", Level.YELLOW_CARD)]
    [card] = lite.alarms.alarms_of(number)
    with pytest.raises(Forbidden):
        lite.alarms.revoke(card.id, "系统故障", CLERK)
    taken = lite.alarms.revoke(card.id, "系统故障期间无法提交", BOARD)
    assert not taken.is_open
    assert taken.revoke_reason == "系统故障期间无法提交"
    with pytest.raises(Conflict):
        lite.alarms.answer(card.id, "好", CLERK)
    assert lite.watched() == []
    lite.at(2026, 11, 27, 10, 0)
    assert lite.watched() == [("close", Level.RED_CARD)]


def test_reminders_are_no_documents(lite: Bureau) -> None:
    number = lite.file()
    lite.at(2026, 11, 3, 10, 0)
    lite.watched()
    [alarm] = lite.alarms.alarms_of(number)
    assert alarm.level is Level.WARNING
    with pytest.raises(NotFound):
        lite.alarms.answer(alarm.id, "好", CLERK)
