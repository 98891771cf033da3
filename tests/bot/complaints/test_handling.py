"""What handlers do, on each kind of database: once, by whoever came first, with its trace."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.handling import DECIDED_TOPIC, Classing, Step
from bot.complaints.model import Act, Actor, Kind, Party, State
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.store.outbox import OutboxMessage
from tests.bot.complaints.conftest import Office

WATER = "云山供水有限公司"
ANYBODY = Asker("api", "10.0.0.1")
CLERK = Actor(Party.UNIT, "li", WATER)
DESK = Actor(Party.OPERATOR, "wang")
BOARD = Actor(Party.SUPERVISOR, "zhao")


@pytest.fixture
def filed(office: Office) -> Shown:
    return office.service.file(Filing("自来水水质发黄有异味，供水公司不处理"), ANYBODY)


def do(office: Office, number: str, act: Act, actor: Actor, **more: str) -> State:
    with office.store.read() as session:
        version = session.scalars(select(ComplaintRow.version).where(ComplaintRow.number == number)).one()
    return office.handling.act(Step(number, act, version, **more), actor).state


def test_a_complaint_goes_its_way_to_the_end(office: Office, filed: Shown) -> None:
    assert filed.department == WATER
    assert do(office, filed.number, Act.SIGN, CLERK) is State.SIGNED
    assert do(office, filed.number, Act.ANSWER, CLERK, note="已冲洗管网，水质复检合格") is State.ANSWERED
    assert do(office, filed.number, Act.REVIEW, DESK) is State.REVIEWED
    assert do(office, filed.number, Act.CLOSE, DESK) is State.CLOSED
    seen = office.service.look_up(filed.number, filed.query_code, ANYBODY)
    assert seen.answer == "已冲洗管网，水质复检合格"
    assert [event["act"] for event in seen.events] == ["file", "dispatch", "sign", "answer", "review", "close"]
    assert [event["number"] for event in seen.events] == [1, 2, 3, 4, 5, 6]


def test_two_people_cannot_both_act(office: Office, filed: Shown) -> None:
    ended: list[str] = []
    barrier = threading.Barrier(4)

    def sign() -> None:
        barrier.wait()
        try:
            office.handling.act(Step(filed.number, Act.SIGN, filed.version), CLERK)
            ended.append("signed")
        except Conflict as refused:
            ended.append(refused.code)

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["complaint_changed"] * 3 + ["signed"]
    with office.store.read() as session:
        acts = session.scalars(select(ComplaintEventRow.act)).all()
    assert acts.count("sign") == 1


def test_a_return_goes_back_to_the_desk_and_is_kept_for_learning(office: Office, filed: Shown) -> None:
    assert do(office, filed.number, Act.RETURN, CLERK, note="属于物业管理的二次供水") is State.RETURNED
    with pytest.raises(InvalidInput):
        do(office, filed.number, Act.DISPATCH, DESK)
    assert do(office, filed.number, Act.DISPATCH, DESK, department=WATER) is State.DISPATCHED
    with pytest.raises(Conflict):  # once
        do(office, filed.number, Act.RETURN, CLERK, note="还是不归我们")
    with office.store.read() as session:
        lessons = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == DECIDED_TOPIC)).all()
    assert [lesson.payload["act"] for lesson in lessons] == ["return", "dispatch"]


def test_what_was_heard_wrong_is_put_right_and_the_deadlines_follow(office: Office, filed: Shown) -> None:
    def reclassify(classing: Classing | None, actor: Actor = DESK) -> None:
        with office.store.read() as session:
            version = session.scalars(select(ComplaintRow.version)).one()
        office.handling.act(Step(filed.number, Act.RECLASSIFY, version, "听错了", classing=classing), actor)

    for wrong in (None, Classing(Kind(filed.kind), filed.category, filed.urgent)):
        with pytest.raises(InvalidInput):
            reclassify(wrong)
    asking = Classing(Kind.ENQUIRY, "公用事业/水质", urgent=False)
    with pytest.raises(Forbidden):
        reclassify(asking, CLERK)
    reclassify(asking)
    seen = office.service.look_up(filed.number, filed.query_code, ANYBODY)
    assert (seen.kind, seen.category, seen.state) == ("咨询", "公用事业/水质", State.DISPATCHED)
    assert seen.due_at < filed.due_at
    do(office, filed.number, Act.SIGN, CLERK)
    office.clock.advance(timedelta(days=1))
    reclassify(Classing(Kind.COMPLAINT, "公用事业/水质", urgent=True), BOARD)
    seen = office.service.look_up(filed.number, filed.query_code, ANYBODY)
    assert (seen.urgent, seen.due_at - office.clock.now()) == (True, timedelta(hours=24))
    with office.store.read() as session:
        events = session.scalars(select(ComplaintEventRow).where(ComplaintEventRow.act == "reclassify")).all()
        versions = session.execute(select(ComplaintRow.sign_version, ComplaintRow.close_version)).one()
    assert [event.details["now"]["urgent"] for event in events] == [False, True]
    assert events[0].details["was"] == {"kind": filed.kind, "category": filed.category, "urgent": False}
    assert versions.close_version == 3, "each new deadline may be warned of anew"
    do(office, filed.number, Act.ANSWER, CLERK, note="已处理")
    with pytest.raises(Conflict):
        reclassify(asking)


def test_pauses_and_extensions_move_the_deadline(office: Office, filed: Shown) -> None:
    do(office, filed.number, Act.SIGN, CLERK)
    assert do(office, filed.number, Act.PAUSE, CLERK, note="等第三方检测报告") is State.PAUSED
    office.clock.advance(timedelta(days=7))
    assert do(office, filed.number, Act.RESUME, CLERK) is State.SIGNED
    paused = office.service.look_up(filed.number, filed.query_code, ANYBODY).due_at
    assert paused - filed.due_at >= timedelta(days=7)
    do(office, filed.number, Act.ASK_EXTENSION, CLERK, note="要更换主管道")
    assert office.service.look_up(filed.number, filed.query_code, ANYBODY).due_at == paused
    do(office, filed.number, Act.GRANT_EXTENSION, BOARD)
    assert office.service.look_up(filed.number, filed.query_code, ANYBODY).due_at > paused
    with pytest.raises(Conflict) as spent:
        do(office, filed.number, Act.ASK_EXTENSION, CLERK, note="再延")
    assert spent.value.code == "complaint_extensions_spent"


def test_merged_and_split_again(office: Office, filed: Shown) -> None:
    other = office.service.file(Filing("自来水又黄又臭，和平小区都这样"), ANYBODY)
    with pytest.raises(InvalidInput):
        do(office, other.number, Act.MERGE, DESK, note="同一件事", into=other.number)
    assert do(office, other.number, Act.MERGE, DESK, note="同一件事", into=filed.number) is State.MERGED
    assert do(office, other.number, Act.SPLIT, DESK) is State.FILED


def test_reopened_it_gets_a_new_deadline(office: Office, filed: Shown) -> None:
    for act in (Act.SIGN, Act.ANSWER):
        do(office, filed.number, act, CLERK, note="已答复")
    office.clock.advance(timedelta(days=20))
    assert do(office, filed.number, Act.REOPEN, DESK, note="市民说水还是黄的") is State.REOPENED
    do(office, filed.number, Act.DISPATCH, DESK, department=WATER)
    assert office.service.look_up(filed.number, filed.query_code, ANYBODY).due_at > filed.due_at + timedelta(days=10)


def test_an_unknown_number_is_said_to_be_unknown(office: Office) -> None:
    with pytest.raises(NotFound):
        office.handling.act(Step("TS0", Act.SIGN, 1), CLERK)


def test_taken_back_by_a_supervisor_it_goes_to_the_desk_and_who_was_late_is_remembered(
    office: Office, filed: Shown
) -> None:
    do(office, filed.number, Act.SIGN, CLERK)
    with pytest.raises(InvalidInput):
        do(office, filed.number, Act.TAKE_BACK, BOARD)
    office.clock.advance(timedelta(days=60))
    assert do(office, filed.number, Act.TAKE_BACK, BOARD, note="承办不力，改派") is State.FILED
    do(office, filed.number, Act.DISPATCH, DESK, department="云山市林业局")
    with office.store.read() as session:
        row = session.scalars(select(ComplaintRow).where(ComplaintRow.number == filed.number)).one()
    assert (row.department, row.held_late_by) == ("云山市林业局", WATER)
