"""Joining what others reported, on each kind of database: once, told with them, through merges and splits."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.handling import Step
from bot.complaints.model import Act, Actor, Party, State, priority
from bot.complaints.places import coarse
from bot.complaints.tables import ComplaintEventRow, ComplaintJoinerRow, ComplaintRow
from bot.errors import Conflict, NotFound
from bot.judgements.tables import JudgementRow
from bot.notifications.tables import NotificationRow
from tests.bot.complaints.conftest import Office

BURST = Filing(
    "我叫张三，人民路药材公司门口自来水管爆了，水喷了两层楼高，没人来抢修",
    location="人民路12号3栋2单元401室",
    contact="13812345678",
)
SAME = Filing("人民路药材公司门口水管爆了，喷得两层楼高，快来抢修", location="人民路", contact="13900001111")
OTHER = Filing("工资拖了四个月没发，老板说没钱")
FILER = Asker("web", "", None, "conversation-a")
WANG = Asker("wechat", "", "wechat:wang", "conversation-b")
WATER = "云山供水有限公司"
CLERK = Actor(Party.UNIT, "li", WATER)
DESK = Actor(Party.OPERATOR, "zhou")


def do(office: Office, number: str, act: Act, actor: Actor, **more: str) -> State:
    with office.store.read() as session:
        version = session.scalars(select(ComplaintRow.version).where(ComplaintRow.number == number)).one()
    return office.handling.act(Step(number, act, version, **more), actor).state


def joined(office: Office, number: str) -> int:
    with office.store.read() as session:
        return session.scalars(select(ComplaintRow.joined).where(ComplaintRow.number == number)).one()


@pytest.fixture
def first(office: Office) -> Shown:
    return office.service.file(BURST, FILER)


def test_the_open_one_is_shown_without_what_its_citizen_left(office: Office, first: Shown) -> None:
    same = office.service.preview(SAME).same
    assert same is not None
    assert same.number == first.number
    assert same.place == "人民路"
    assert "张三" not in str(same)
    assert office.service.preview(OTHER).same is None


def test_whoever_joins_follows_it_with_a_code_of_his_own(office: Office, first: Shown) -> None:
    seen = office.joining.join(first.number, SAME, WANG, "turn-1")
    assert seen.number == first.number
    assert seen.query_code != first.query_code
    assert (seen.as_joiner, seen.joined, seen.repeated) == (True, 1, False)
    found = office.service.look_up(first.number, seen.query_code, Asker("api", "10.0.0.8"))
    assert found.as_joiner
    assert "张三" not in str(found)
    assert "13812345678" not in str(found)
    assert "401室" not in str(found)
    assert [each.number for each in office.following.mine(WANG)] == [first.number]


def test_the_same_request_and_the_same_citizen_join_once(office: Office, first: Shown) -> None:
    seen = office.joining.join(first.number, SAME, WANG, "turn-1")
    assert office.joining.join(first.number, SAME, WANG, "turn-1").query_code == seen.query_code
    again = office.joining.join(first.number, SAME, WANG, "turn-2")
    assert (again.query_code, again.repeated) == (seen.query_code, True)
    own = office.joining.join(first.number, SAME, FILER, "turn-3")
    assert not own.as_joiner  # it is his own
    assert joined(office, first.number) == 1
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(ComplaintJoinerRow)) == 1
        acts = session.scalars(select(ComplaintEventRow.act)).all()
    assert acts.count("join") == 1


def test_many_join_at_once_and_all_are_counted(office: Office, first: Shown) -> None:
    barrier = threading.Barrier(5)

    def join(who: int) -> None:
        barrier.wait()
        office.joining.join(first.number, SAME, Asker("web", "", None, f"conversation-{who}"), "k")

    threads = [threading.Thread(target=join, args=(who,)) for who in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert joined(office, first.number) == 5
    assert priority(False, 5) > priority(False, 1) > priority(False, 0)
    assert priority(True, 0) > priority(False, 50)


def test_something_else_or_something_closed_is_not_joined(office: Office, first: Shown) -> None:
    with pytest.raises(Conflict) as refused:
        office.joining.join(first.number, OTHER, WANG)
    assert refused.value.code == "complaint_not_joinable"
    office.service.withdraw(first.number, first.query_code, FILER)
    with pytest.raises(Conflict):
        office.joining.join(first.number, SAME, WANG)
    assert joined(office, first.number) == 0


def test_what_others_joined_is_not_taken_back_by_one(office: Office, first: Shown) -> None:
    seen = office.joining.join(first.number, SAME, WANG)
    for code in (first.query_code, seen.query_code):
        with pytest.raises(Conflict) as refused:
            office.service.withdraw(first.number, code, FILER)
        assert refused.value.code == "complaint_joined"


def _told(office: Office, template: str) -> list[str]:
    with office.store.read() as session:
        query = select(NotificationRow.key).where(NotificationRow.template == template)
        return list(session.scalars(query.order_by(NotificationRow.key)))


def test_everybody_gets_the_answer_also_through_a_merge(office: Office, first: Shown) -> None:
    office.joining.join(first.number, SAME, WANG)
    second = office.service.file(SAME, Asker("web", "", None, "conversation-c"))
    assert second.duplicate_of == first.number
    assert do(office, second.number, Act.MERGE, DESK, note="同一处爆管", into=first.number) is State.MERGED
    assert joined(office, first.number) == 2
    do(office, first.number, Act.SIGN, CLERK)
    do(office, first.number, Act.ANSWER, CLERK, note="水管已修好，请联系 13700002222")
    # to each by WeChat or text message, and in the conversations that are a page
    assert len([key for key in _told(office, "complaint.answered") if ":web:" not in key]) == 3
    assert len([key for key in _told(office, "complaint.answered") if ":web:" in key]) == 2
    seen = office.service.look_up(second.number, second.query_code, Asker("api", "10.0.0.9"))
    assert (seen.state, seen.handled_state, seen.merged_into) == ("merged", "answered", first.number)
    assert "水管已修好" in (seen.answer or "")
    assert "13700002222" not in (seen.answer or "")
    with office.store.read() as session:
        asked = session.scalars(select(JudgementRow.subject)).all()
        assert {row.unit for row in session.scalars(select(JudgementRow))} == {WATER}
    assert f"complaint:{first.number}" in asked
    assert len(asked) == 3


def test_a_split_takes_its_joiners_along(office: Office, first: Shown) -> None:
    office.joining.join(first.number, SAME, WANG)  # before there is another that is told in the very same words
    second = office.service.file(SAME, Asker("web", "", None, "conversation-c"))
    do(office, first.number, Act.MERGE, DESK, note="同一处", into=second.number)
    assert joined(office, second.number) == 2
    do(office, first.number, Act.SPLIT, DESK)
    assert (joined(office, first.number), joined(office, second.number)) == (1, 0)
    do(office, second.number, Act.SIGN, CLERK)
    do(office, second.number, Act.ANSWER, CLERK, note="修好了")
    assert len([key for key in _told(office, "complaint.answered") if ":web:" not in key]) == 1


def test_a_wrong_code_is_a_wrong_code_with_joiners_too(office: Office, first: Shown) -> None:
    office.joining.join(first.number, SAME, WANG)
    with pytest.raises(NotFound):
        office.service.look_up(first.number, "2AAAAA", Asker("api", "10.0.0.8"))


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("人民路12号3栋2单元401室", "人民路"),
        ("和平小区11栋2单元", "和平小区"),
        ("东风巷23号", "东风巷"),
        ("沙田村小学门口", "沙田村小学门口"),
        ("幸福里A3-1202", "幸福里A3-1202"),
        ("三单元", None),
        (None, None),
    ],
)
def test_a_place_is_shown_to_the_street(place: str | None, kept: str | None) -> None:
    assert coarse(place) == kept
