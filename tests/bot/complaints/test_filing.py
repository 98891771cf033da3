"""Filing: once, whole, sent to the right unit or to triage, found again only with its code."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.complaints.filing import Asker, Filing
from bot.complaints.model import Kind
from bot.complaints.numbers import is_number
from bot.complaints.service import ComplaintLocked
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.errors import Conflict, InvalidInput, NotFound
from bot.store.audit import AuditRow, first_break
from bot.store.outbox import OutboxMessage
from tests.bot.complaints.conftest import Office

BURST = Filing("人民路药材公司门口自来水管爆了，水喷了两层楼高，一个小时没人来抢修")
WAGES = Filing("工资拖了四个月没发，老板说没钱", contact="13812345678")
ANYBODY = Asker("api", "10.0.0.1")


def _rows(office: Office) -> tuple[int, int, int, int]:
    tables = (ComplaintRow, ComplaintEventRow, AuditRow, OutboxMessage)
    with office.store.read() as session:
        complaints, events, acts, messages = (
            session.scalar(select(func.count()).select_from(table)) or 0 for table in tables
        )
        assert first_break(session) is None
    return complaints, events, acts, messages


def test_a_complaint_goes_to_the_responsible_unit_with_its_basis(office: Office) -> None:
    shown = office.service.file(BURST, ANYBODY)
    assert is_number(shown.number)
    assert shown.department == "云山供水有限公司"
    assert shown.state == "dispatched"
    assert shown.candidates[0]["basis"]
    assert [event["act"] for event in shown.events] == ["file", "dispatch"]
    assert shown.due_at > shown.filed_at
    # complaint, two events, one act, one message (two where it is urgent): all of one transaction
    assert _rows(office)[:3] == (1, 2, 1)


def test_below_the_threshold_an_operator_decides(office: Office) -> None:
    shown = office.service.file(Filing("你们这里什么都不好，希望改一改"), ANYBODY)
    assert shown.department is None
    assert shown.state == "filed"
    assert 1 <= len(shown.candidates) <= 3


def test_the_same_request_files_once(office: Office) -> None:
    first = office.service.file(WAGES, ANYBODY, "abc")
    again = office.service.file(WAGES, ANYBODY, "abc")
    assert (again.number, again.query_code, again.repeated) == (first.number, first.query_code, True)
    other = office.service.file(WAGES, Asker("api", "10.0.0.2"), "abc")
    assert other.number != first.number  # another caller's key is another key
    assert _rows(office)[0] == 2


def test_a_key_used_for_something_else_is_refused(office: Office) -> None:
    office.service.file(WAGES, ANYBODY, "abc")
    with pytest.raises(Conflict) as refused:
        office.service.file(BURST, ANYBODY, "abc")
    assert refused.value.code == "idempotency_key_reused"
    assert _rows(office)[0] == 1


def test_the_same_request_at_the_same_time_files_once(office: Office) -> None:
    numbers: list[str] = []
    barrier = threading.Barrier(6)

    def send() -> None:
        barrier.wait()
        numbers.append(office.service.file(WAGES, ANYBODY, "at once").number)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 6
    assert len(set(numbers)) == 1
    assert _rows(office)[0] == 1


def test_a_complaint_is_found_with_its_code_however_it_is_written(office: Office) -> None:
    filed = office.service.file(WAGES, ANYBODY)
    digits = filed.number.removeprefix("TS")
    spoken = digits.translate(str.maketrans("0123456789", "零幺二三四五六七八九"))
    for number in (filed.number, filed.number.lower(), f"TS {digits[:6]}-{digits[6:]}", digits, spoken):
        assert office.service.look_up(number, f" {filed.query_code.lower()} ", ANYBODY).text == WAGES.text


def test_an_unknown_number_looks_like_a_wrong_code_and_many_lock(office: Office) -> None:
    filed = office.service.file(WAGES, ANYBODY)
    with pytest.raises(NotFound) as wrong:
        office.service.look_up(filed.number, "2AAAAA", ANYBODY)
    with pytest.raises(NotFound) as unknown:
        office.service.look_up("TS0000000000000", "2AAAAA", ANYBODY)
    assert wrong.value.as_dict() == unknown.value.as_dict()
    for _ in range(4):
        with pytest.raises(NotFound):
            office.service.look_up(filed.number, "2AAAAA", ANYBODY)
    with pytest.raises(ComplaintLocked) as locked:
        office.service.look_up(filed.number, filed.query_code, ANYBODY)
    assert 0 < locked.value.retry_after <= 900
    assert office.service.look_up(filed.number, filed.query_code, Asker("api", "10.0.0.9")).number == filed.number
    office.clock.advance(timedelta(minutes=16))
    assert office.service.look_up(filed.number, filed.query_code, ANYBODY).number == filed.number


def test_personal_data_lie_sealed(lite: Office) -> None:
    filed = lite.service.file(Filing("我叫张三，电话13812345678，工资拖了四个月没发", contact="13812345678"), ANYBODY)
    with lite.store.read() as session:
        row = session.scalars(select(ComplaintRow)).one()
        outbox = " ".join(str(message.payload) for message in session.scalars(select(OutboxMessage)))
    assert "13812345678" not in row.text
    assert b"13812345678" not in row.sealed
    assert filed.query_code.encode() not in row.sealed
    assert "13812345678" not in outbox
    assert "13812345678" in filed.text


def test_it_is_corrected_and_taken_back_within_ten_minutes_only(office: Office) -> None:
    filed = office.service.file(WAGES, ANYBODY)
    corrected = office.service.correct(filed.number, filed.query_code, BURST, ANYBODY)
    assert (corrected.text, corrected.department) == (BURST.text, "云山供水有限公司")
    assert corrected.version == filed.version + 1
    assert corrected.query_code == filed.query_code
    office.clock.advance(timedelta(minutes=11))
    with pytest.raises(Conflict) as late:
        office.service.withdraw(filed.number, filed.query_code, ANYBODY)
    assert late.value.code == "complaint_too_late"
    fresh = office.service.file(WAGES, ANYBODY)
    assert office.service.withdraw(fresh.number, fresh.query_code, ANYBODY).state == "withdrawn"
    with pytest.raises(Conflict):
        office.service.withdraw(fresh.number, fresh.query_code, ANYBODY)


def test_danger_is_urgent_with_hours_instead_of_days(lite: Office) -> None:
    shown = lite.service.file(Filing("楼道着火了好大的烟，八楼有人喊救命下不来"), ANYBODY)
    assert shown.urgent
    assert shown.danger == "fire"
    assert shown.due_at - shown.filed_at == timedelta(hours=24)
    with lite.store.read() as session:
        topics = session.scalars(select(OutboxMessage.topic)).all()
    assert "complaint.urgent" in topics


def test_another_report_of_the_incident_points_to_the_first(lite: Office) -> None:
    first = lite.service.file(BURST, ANYBODY)
    second = lite.service.file(Filing("人民路药材公司门口水管爆了，喷得两层楼高，快来抢修"), Asker("api", "10.0.0.7"))
    other = lite.service.file(Filing("工资拖了四个月，劳动监察不管吗"), ANYBODY)
    assert second.duplicate_of == first.number
    assert other.duplicate_of is None


@pytest.mark.parametrize(
    ("filing", "code"),
    [
        (Filing("  "), "complaint_empty"),
        (Filing("吵"), "complaint_empty"),
        (Filing("吵" * 2001), "complaint_too_long"),
        (Filing("楼下太吵了", contact="13812345678", anonymous=True), "complaint_anonymous_contact"),
        (Filing("楼下太吵了", location="路" * 201), "complaint_field_too_long"),
        (Filing("楼下太吵了", attachments=("a",) * 10), "complaint_attachments"),
    ],
)
def test_what_cannot_be_filed_is_refused_with_a_remedy(lite: Office, filing: Filing, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        lite.service.file(filing, ANYBODY)
    assert refused.value.code == code
    assert refused.value.remedy
    assert _rows(lite)[0] == 0


def test_the_citizen_names_the_kind(lite: Office) -> None:
    assert lite.service.file(Filing("自来水公司收费太高", kind=Kind.SUGGESTION), ANYBODY).kind == "建议"
