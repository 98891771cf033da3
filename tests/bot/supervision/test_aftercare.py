"""After the answer: calls, rectifications with their clock, reopening, closing by rule."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bot.clock import ZONE, FixedClock
from bot.complaints.model import Act
from bot.complaints.recounting import Recounting
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.store import Store
from bot.supervision.calling import Outcome
from bot.supervision.model import Level
from bot.workdays import load_calendar
from tests.bot.supervision.conftest import BOARD, CLERK, DESK, UNIT, Bureau, bureau_over


def turn(bureau: Bureau) -> None:
    bureau.care.run(bureau.clock.now())


def test_every_answer_is_called_about_the_day_after_it(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.answered(number)
    bureau.answered(bureau.file(anonymous=True))
    turn(bureau)
    turn(bureau)
    [call] = bureau.calls.callbacks()
    assert (call.number, call.reason, call.department) == (number, "answer", UNIT)
    assert call.due_at == datetime(2026, 11, 3, 17, 30, tzinfo=ZONE)
    done = bureau.calls.finish(call.id, call.version, Outcome.SATISFIED, "", DESK)
    assert (done.state, done.outcome) == ("done", "satisfied")
    assert bureau.row(number).state == "reviewed"
    with pytest.raises(Conflict):
        bureau.calls.finish(call.id, call.version, Outcome.SATISFIED, "", DESK)


def test_a_call_that_is_not_made_is_watched(bureau: Bureau) -> None:
    bureau.answered(bureau.file())
    turn(bureau)
    bureau.at(2026, 11, 3, 10, 0)
    assert bureau.watched() == [("callback", Level.WARNING)]
    assert bureau.alarms.notices(CLERK) == []
    assert len(bureau.alarms.notices(DESK)) == 1
    bureau.at(2026, 11, 4, 10, 0)
    assert bureau.watched() == [("callback", Level.OVERDUE)]


def test_nobody_reached_is_called_again_and_reviewed_after_the_last_try(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.answered(number)
    turn(bureau)
    for day, attempt in ((3, 1), (4, 2)):
        bureau.at(2026, 11, day, 10, 0)
        [call] = bureau.calls.callbacks()
        call = bureau.calls.finish(call.id, call.version, Outcome.UNREACHABLE, "", DESK)
        assert (call.state, call.attempts, call.due_at.day) == ("open", attempt, day + 1)
    bureau.at(2026, 11, 5, 10, 0)
    call = bureau.calls.finish(call.id, call.version, Outcome.UNREACHABLE, "", DESK)
    assert (call.state, call.outcome) == ("done", "unreachable")
    assert bureau.row(number).state == "reviewed"


def test_a_bad_judgement_opens_a_call_and_a_rectification_once(bureau: Bureau) -> None:
    number = bureau.file()
    token = bureau.answered(number)
    bureau.judged_poorly(number)
    judged = bureau.judgements.answer(token, 2, comment="还是没水", channel="link")  # changed: still bad
    bureau.care.judged_poorly(judged.id)
    [call] = bureau.calls.callbacks()
    assert call.reason == "poor"
    [mend] = bureau.rectifying.rectifications(unit=UNIT)
    assert (mend.unit, mend.person, mend.number) == (UNIT, "li", number)
    assert mend.due_at == datetime(2026, 11, 23, 17, 30, tzinfo=ZONE)  # fifteen working days
    assert bureau.rectifying.rectifications(unit="城管局") == []


def test_good_judgements_and_those_of_cases_open_nothing(bureau: Bureau) -> None:
    number = bureau.file()
    judged = bureau.judgements.answer(bureau.answered(number), 3, channel="link")
    bureau.care.judged_poorly(judged.id)
    bureau.care.judged_poorly(99)
    assert bureau.calls.callbacks() == []
    assert bureau.rectifying.rectifications() == []


def test_a_rectification_is_watched_until_it_is_handed_in(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.answered(number)
    bureau.judged_poorly(number)
    [call] = bureau.calls.callbacks()
    bureau.calls.finish(call.id, call.version, Outcome.DISSATISFIED, "水压还低，电话 13812345678", DESK)
    bureau.at(2026, 11, 18, 10, 0)
    assert bureau.watched() == [("rectify", Level.REMINDER)]
    [mend] = bureau.rectifying.rectifications()
    with pytest.raises(Forbidden):
        bureau.rectifying.submit(mend.id, mend.version, "已更换水泵", DESK)
    with pytest.raises(InvalidInput):
        bureau.rectifying.submit(mend.id, mend.version, " ", CLERK)
    mend = bureau.rectifying.submit(mend.id, mend.version, "已更换水泵", CLERK)
    bureau.at(2026, 11, 24, 10, 0)
    assert bureau.watched() == []  # handed in: the clock stands still
    with pytest.raises(Forbidden):
        bureau.rectifying.accept(mend.id, mend.version, CLERK)
    mend = bureau.rectifying.send_back(mend.id, mend.version, "没有水压记录", BOARD)
    assert mend.due_at == datetime(2026, 11, 27, 17, 30, tzinfo=ZONE)  # the four days with the supervisor do not count
    assert bureau.watched() == [("rectify", Level.REMINDER)]
    with pytest.raises(Conflict):
        bureau.rectifying.accept(mend.id, mend.version, BOARD)
    mend = bureau.rectifying.submit(mend.id, mend.version, "附水压记录", CLERK)
    assert bureau.rectifying.accept(mend.id, mend.version, BOARD).state == "accepted"
    assert bureau.rectifying.rectifications() == []


def test_what_was_said_at_a_call_is_sealed_and_read_with_a_trace(bureau: Bureau) -> None:
    bureau.answered(bureau.file())
    turn(bureau)
    [call] = bureau.calls.callbacks()
    with pytest.raises(InvalidInput):
        bureau.calls.finish(call.id, call.version, Outcome.DISSATISFIED, "", DESK)
    with pytest.raises(Forbidden):
        bureau.calls.finish(call.id, call.version, Outcome.SATISFIED, "", CLERK)
    bureau.calls.finish(call.id, call.version, Outcome.DISSATISFIED, "电话 13812345678", DESK)
    assert bureau.calls.note(call.id, DESK) == "电话 13812345678"
    with pytest.raises(Forbidden):
        bureau.calls.note(call.id, CLERK)
    with pytest.raises(NotFound):
        bureau.calls.note(call.id + 1, DESK)


def test_a_citizen_who_disagrees_has_it_reopened_and_its_calls_are_void(bureau: Bureau) -> None:
    number = bureau.file()
    bureau.answered(number)
    turn(bureau)
    bureau.judged_poorly(number)
    first, second = bureau.calls.callbacks()
    bureau.calls.finish(first.id, first.version, Outcome.DISSATISFIED, "还是没水", DESK, reopen=True)
    row = bureau.row(number)
    assert (row.state, row.replied_at) == ("reopened", None)
    assert row.due_at == datetime(2026, 11, 19, 17, 30, tzinfo=ZONE)
    turn(bureau)
    assert bureau.calls.callbacks() == []
    [_, void] = sorted(bureau.calls.callbacks(state="done"), key=lambda call: call.id)
    assert (void.id, void.outcome) == (second.id, "void")
    bureau.at(2026, 11, 4, 10, 0)
    assert ("dispatch", Level.OVERDUE) in bureau.watched()
    bureau.do(number, Act.DISPATCH, DESK, department=UNIT)
    bureau.answered(number)
    turn(bureau)
    assert [call.reason for call in bureau.calls.callbacks()] == ["answer"]  # about the new answer


def test_what_was_reviewed_closes_by_rule_unless_something_is_open(bureau: Bureau) -> None:
    content, anonymous, poor = bureau.file(), bureau.file(anonymous=True), bureau.file()
    for number in (content, anonymous, poor):
        bureau.answered(number)
    bureau.judged_poorly(poor)
    turn(bureau)
    for call in bureau.calls.callbacks():
        bureau.calls.finish(call.id, call.version, Outcome.SATISFIED, "", DESK)
    turn(bureau)
    assert [bureau.row(number).state for number in (content, anonymous, poor)] == ["reviewed", "answered", "reviewed"]
    bureau.at(2026, 11, 3, 10, 0)
    turn(bureau)
    assert [bureau.row(number).state for number in (content, anonymous, poor)] == ["closed", "answered", "reviewed"]
    bureau.at(2026, 11, 9, 10, 0)
    turn(bureau)
    bureau.at(2026, 11, 10, 10, 0)
    turn(bureau)
    assert [bureau.row(number).state for number in (content, anonymous, poor)] == ["closed", "closed", "reviewed"]


def test_deadlines_are_counted_anew_when_the_year_is_published(any_store: Store, tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 12, 28, 9, 0, tzinfo=ZONE))
    any_store.clock = clock
    folder = tmp_path / "calendar"
    folder.mkdir()
    bureau = bureau_over(any_store, clock, tmp_path, load_calendar(folder))
    number, near = bureau.file(), bureau.file()
    bureau.do(number, Act.SIGN, CLERK)
    bureau.do(near, Act.SIGN, CLERK)
    bureau.do(near, Act.ANSWER, CLERK, note="已修好")
    before = bureau.row(number)
    assert before.provisional
    assert before.due_at == datetime(2027, 1, 15, 17, 30, tzinfo=ZONE)
    recounting = Recounting(any_store, clock, bureau.writer)
    assert recounting.run() == 0
    # 4 January off, 9 January (Saturday) worked, 8 January off: one working day fewer up to the middle of the month
    (folder / "2027.toml").write_text(
        "year = 2027\ndays_off = [2027-01-01, 2027-01-04, 2027-01-08]\nmake_up_days = [2027-01-09]\n", "utf-8"
    )
    assert recounting.run() == 1
    assert recounting.run() == 0
    row = bureau.row(number)
    assert not row.provisional
    assert row.due_at == datetime(2027, 1, 18, 17, 30, tzinfo=ZONE)
    assert (row.sign_version, row.close_version) == (1, 2)
    assert row.version == before.version + 1
    assert bureau.row(near).due_at == before.due_at  # answered: its clock has ended


def test_a_rectification_over_the_new_year_is_counted_anew_too(any_store: Store, tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 12, 28, 9, 0, tzinfo=ZONE))
    any_store.clock = clock
    folder = tmp_path / "calendar"
    folder.mkdir()
    bureau = bureau_over(any_store, clock, tmp_path, load_calendar(folder))
    number = bureau.file()
    bureau.answered(number)
    bureau.judged_poorly(number)
    [before] = bureau.rectifying.rectifications()
    assert before.provisional
    (folder / "2027.toml").write_text("year = 2027\ndays_off = [2027-01-01, 2027-01-04]\nmake_up_days = []\n", "utf-8")
    assert bureau.care.recount() == 1
    assert bureau.care.recount() == 0
    [after] = bureau.rectifying.rectifications()
    assert (after.provisional, after.version) == (False, before.version + 1)
    assert after.due_at > before.due_at
