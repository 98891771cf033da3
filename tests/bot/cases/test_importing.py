"""Files and single cases: all or nothing, one source a number, who is told and how often."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from bot.cases.form import CASES
from bot.cases.importing import CaseImportReport
from bot.cases.service import Asker
from bot.errors import Conflict, InvalidInput
from bot.matters.sheets import write_workbook
from bot.store import outbox
from tests.bot.cases.conftest import Office
from tests.bot.cases.examples import ACCEPTED, APPLIED, REVIEWING, at, case, pause, row, stage


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows), "utf-8")
    return path


def take(office: Office, path: Path, **options: Any) -> CaseImportReport:
    return office.keeper.import_file(path, actor="terminal", progress=lambda *_: None, **options)


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [row(number=f"YS26111300{n:02}", **more) for n in range(count)]


def emitted(office: Office, topic: str) -> list[str]:
    with office.store.read() as session:
        return [message.key for message in outbox.unfinished(session) if message.topic == topic]


def test_a_file_is_imported_and_the_same_file_changes_nothing(any_office: Office, tmp_path: Path) -> None:
    path = lines(tmp_path / "cases.jsonl", numbered(30))
    first = take(any_office, path)
    assert (first.added, first.changed, first.unchanged) == (30, 0, 0)
    again = take(any_office, path)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 30)
    changed = numbered(30)
    changed[3]["delivery"] = "邮寄"
    changed.append(row(number="YS26111399"))
    third = take(any_office, lines(path, changed), replace=True)
    assert (third.added, third.changed, third.unchanged, third.removed) == (1, 1, 29, 0)
    fourth = take(any_office, lines(path, changed[:10]), replace=True)
    assert (fourth.unchanged, fourth.removed) == (10, 21)
    assert any_office.keeper.count() == 10


def test_a_dry_run_says_what_would_change_and_changes_nothing(office: Office, tmp_path: Path) -> None:
    report = take(office, lines(tmp_path / "cases.jsonl", numbered(3)), dry_run=True)
    assert (report.added, report.dry_run) == (3, True)
    assert office.keeper.count() == 0
    assert emitted(office, "notification.deliver") == []


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"number": ""}, "number", "不能为空"),
        ({"number": "a/b c"}, "number", "不能含空格"),
        ({"matter_name": None}, "matter_name", "应为文字"),
        ({"stages": []}, "stages", "至少要有 1 项"),
        ({"stages": [stage("受理", "11-16 10:00", "11-13 10:00")]}, "stages[0]", "结束时间早于开始时间"),
        ({"stages": [{**APPLIED, "start": "昨天"}]}, "stages[0].start", "不是时间"),
        ({"stages": [{**APPLIED, "start": "2199-01-01"}]}, "stages[0].start", "2099"),
        ({"stages": [{**APPLIED, "stage": "公示"}]}, "stages[0].stage", "不是允许的取值"),
        ({"stages": [ACCEPTED, APPLIED]}, None, "先后"),
        ({"stages": [REVIEWING, stage("决定", "11-17 10:00")]}, None, "没有结束时间"),
        ({"pauses": [pause("休假", "11-17 10:00")]}, "pauses[0].kind", "不是允许的取值"),
        ({"outcome": "也许"}, "outcome", "不是允许的取值"),
        ({"query_code": None, "applicant": {}}, None, "至少要有一项"),
        ({"promised_limit": {"value": -1, "unit": "工作日"}}, "promised_limit.value", "不能小于 0"),
    ],
)
def test_one_faulty_row_refuses_the_file_and_is_named(
    office: Office, tmp_path: Path, changes: dict[str, Any], field: str | None, reason: str
) -> None:
    rows = [*numbered(3), row(number="YS26111377") | changes, *numbered(2, matter_name="另一件")]
    rows[-1]["number"] = "YS26111388"
    rows[-2]["number"] = "YS26111389"
    with pytest.raises(InvalidInput) as raised:
        take(office, lines(tmp_path / "cases.jsonl", rows))
    [fault] = raised.value.details
    assert (fault["line"], fault["field"]) == (4, field)
    assert reason in fault["reason"]
    assert office.keeper.count() == 0


def test_the_same_number_twice_in_any_spelling_is_a_fault(office: Office, tmp_path: Path) -> None:
    for other in ("YS2611130000", "ys-261113-0000"):
        rows = [*numbered(2), row(number=other)]
        with pytest.raises(InvalidInput, match=r"重复|写法不同"):
            take(office, lines(tmp_path / "cases.jsonl", rows))
    assert office.keeper.count() == 0


def test_a_workbook_with_chinese_headers_is_the_same_as_lines(any_office: Office, tmp_path: Path) -> None:
    cases = [row(pauses=[pause("补正", "11-18 16:00", note="补交照片")]), row(number="YS2611130043", matter=None)]
    write_workbook(tmp_path / "cases.xlsx", CASES, cases)
    assert take(any_office, tmp_path / "cases.xlsx").added == 2
    assert take(any_office, lines(tmp_path / "cases.jsonl", cases)).unchanged == 2
    found = any_office.cases.look_up("YS2611130042", "830271", Asker("web")).case
    assert found.pauses[0].note == "补交照片"
    assert found.applicant.phone == "13900001234"


def test_a_workbook_as_offices_make_them_by_hand(office: Office, tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "办件"
    sheet.append(["受理编号", "查询码", "事项名称", "受理单位", "手机", "承诺办结时限", "备注二"])
    sheet.append(["YS1", 830271, "居住证签注", "云城区派出所", 13900001234, "15工作日", ""])
    sheet.append(["YS260001", 830271, "居住证签注", "云城区派出所", 13900001234, "15工作日", ""])
    stages: Any = book.create_sheet("环节")
    stages.append(["办件编号", "环节", "开始时间", "结束时间"])
    stages.append(["YS260001", "受理", at("11-16 09:30").replace(tzinfo=None), at("11-16 10:00").replace(tzinfo=None)])
    stages.append(["YS1", "受理", "2026-11-16 09:30", "2026/11/16 10:00"])
    book.save(tmp_path / "cases.xlsx")
    with pytest.raises(InvalidInput) as raised:
        take(office, tmp_path / "cases.xlsx")
    assert [(fault["line"], fault["label"]) for fault in raised.value.details] == [(2, "办件编号")]
    sheet["A2"] = "YS260002"
    stages["A3"] = "YS260002"
    book.save(tmp_path / "cases.xlsx")
    report = take(office, tmp_path / "cases.xlsx")
    assert report.added == 2
    assert [note.label for note in report.notes] == ["备注二"]


def test_another_source_never_overwrites(any_office: Office, tmp_path: Path) -> None:
    path = lines(tmp_path / "cases.jsonl", [row()])
    take(any_office, path)
    with pytest.raises(Conflict) as raised:
        any_office.keeper.put(case(delivery="邮寄"), "api:hall", actor="key:hall")
    assert raised.value.code == "case_of_other_source"
    assert "file" in raised.value.message
    any_office.keeper.put(case(number="YS2611130050"), "api:hall", actor="key:hall")
    with pytest.raises(InvalidInput, match="api:hall"):
        take(any_office, lines(path, [row(), row(number="YS2611130050"), row(number="YS2611130051")]))
    assert any_office.keeper.count() == 2
    assert list(any_office.keeper.put_many([case(number="YS2611130050", delivery="邮寄")], "view")) == ["YS2611130050"]


def test_an_older_version_is_refused(any_office: Office) -> None:
    any_office.keeper.put(case(), "api:hall", actor="key:hall")
    assert any_office.keeper.put(case(), "api:hall", actor="key:hall") == "unchanged"
    with pytest.raises(Conflict) as raised:
        any_office.keeper.put(case(updated_at=at("11-16 09:00").isoformat()), "api:hall", actor="key:hall")
    assert raised.value.code == "case_older"
    later = case(delivery="邮寄", updated_at=at("11-17 09:00").isoformat())
    assert any_office.keeper.put(later, "api:hall", actor="key:hall") == "changed"


class TestTelling:
    """Notices of a case, from the transaction of its change."""

    FINISHED = (
        APPLIED,
        ACCEPTED,
        stage("审查", "11-16 10:00", "11-19 09:00"),
        stage("决定", "11-19 09:00", "11-20 10:00", person="王强"),
    )

    def deliver(self, office: Office) -> None:
        import asyncio

        for key in emitted(office, "notification.deliver"):
            assert asyncio.run(office.notifications.deliver(key, office.clock.now())) is None

    def test_each_event_is_told_once_however_often_it_is_written(self, any_office: Office) -> None:
        office = any_office
        office.clock.advance(at("11-16 12:00") - office.clock.now())
        for _ in range(3):
            office.keeper.put(case(), "api:hall", actor="key:hall")
        correction = case(pauses=[pause("补正", "11-16 11:00", note="补交照片")])
        for _ in range(2):
            office.keeper.put(correction, "api:hall", actor="key:hall")
            office.keeper.put(case(), "api:hall", actor="key:hall")
        self.deliver(office)
        office.clock.advance(at("11-20 12:00") - office.clock.now())
        office.keeper.put(case(stages=self.FINISHED, outcome="准予"), "api:hall", actor="key:hall")
        self.deliver(office)
        self.deliver(office)
        assert [outgoing.template for _, outgoing in office.sms.sent] == [
            "case.accepted",
            "case.correction",
            "case.finished",
        ]
        assert {address for address, _ in office.sms.sent} == {"13900001234"}
        texts = [outgoing.text for _, outgoing in office.sms.sent]
        assert "受理" in texts[0]
        assert "11 月 30 日" in texts[0]
        assert "补交照片" in texts[1]
        assert "准予" in texts[2]
        assert all(("/judge/" in each and "12345" not in each) or "补正" in each for each in texts)
        assert "王小明" not in "".join(texts)

    def test_an_event_of_last_month_is_told_to_nobody(self, office: Office, tmp_path: Path) -> None:
        office.clock.advance(timedelta(days=30))
        take(office, lines(tmp_path / "cases.jsonl", numbered(20)))
        assert emitted(office, "notification.deliver") == []

    def test_the_linked_citizen_is_told_before_the_phone(self, office: Office) -> None:
        office.keeper.put(case(), "api:hall", actor="key:hall")
        office.cases.look_up("YS2611130042", "1234", Asker("wechat", citizen="wechat:wang"))
        office.keeper.put(case(stages=self.FINISHED, outcome="准予"), "api:hall", actor="key:hall")
        self.deliver(office)
        assert [address for address, _ in office.wechat.sent] == ["wang"]
        assert office.sms.sent == []

    def test_without_phone_and_link_nobody_is_told(self, office: Office) -> None:
        office.keeper.put(case(applicant={"id_number": "459900199003071239"}), "api:hall", actor="key:hall")
        assert emitted(office, "notification.deliver") == []

    def test_the_answer_is_credited_to_who_did_it_even_after_a_reassignment(self, office: Office) -> None:
        office.keeper.put(case(stages=self.FINISHED, outcome="准予"), "api:hall", actor="key:hall")
        found = office.cases.look_up("YS2611130042", "1234", Asker("web"))
        assert found.judge is not None
        moved = (*self.FINISHED, stage("送达", "11-20 11:00", person="赵丽"))
        office.keeper.put(case(stages=moved, outcome="准予"), "api:hall", actor="key:hall")
        judged = office.judgements.answer(found.judge, 2, channel="web")
        assert (judged.unit, judged.person, judged.level) == ("云山市公安局出入境科", "王强", 2)

    def test_after_a_reopening_it_is_asked_again(self, office: Office) -> None:
        office.keeper.put(case(stages=self.FINISHED, outcome="准予"), "api:hall", actor="key:hall")
        first = office.cases.look_up("YS2611130042", "1234", Asker("web")).judge
        again = [*self.FINISHED, stage("审查", "11-20 10:30")]
        office.keeper.put(case(stages=again), "api:hall", actor="key:hall")
        assert office.cases.look_up("YS2611130042", "1234", Asker("web")).judge is None
        again[-1] = stage("审查", "11-20 10:30", "11-20 11:00")
        again.append(stage("决定", "11-20 11:00", "11-20 11:30", person="赵丽"))
        office.keeper.put(case(stages=again, outcome="准予"), "api:hall", actor="key:hall")
        second = office.cases.look_up("YS2611130042", "1234", Asker("web")).judge
        assert None not in (first, second)
        assert first != second


def test_closed_cases_are_removed_after_their_time(any_office: Office) -> None:
    office = any_office
    office.keeper.put(case(), "file", actor="terminal")
    office.keeper.put(case(number="YS2611130043", stages=TestTelling.FINISHED, outcome="准予"), "file", actor="t")
    assert office.keeper.tidy() == 0
    office.clock.advance(timedelta(days=1096))
    assert office.keeper.tidy() == 1
    assert office.keeper.count() == 1
