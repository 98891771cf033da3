"""Asking for a case: who may see it, what is the same to strangers, what is locked, what is written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.cases.service import SHOWN_AGAIN, Asker, CaseLocked
from bot.errors import NotFound, WenbanError
from bot.store import Store
from bot.store.audit import AuditRow, first_break
from tests.bot.cases.conftest import Office
from tests.bot.cases.examples import case

WEB = Asker("web", origin="o1")


@pytest.fixture
def filled(any_office: Office) -> Office:
    any_office.keeper.put(case(), "file", actor="terminal")
    return any_office


def acts(store: Store) -> list[tuple[str, str]]:
    with store.read() as session:
        return [(row.action, row.subject) for row in session.query(AuditRow).order_by(AuditRow.number)]


@pytest.mark.parametrize("code", ["830271", "８３０２７１", "830 271", "八三零二七幺", "1239", "1234"])
@pytest.mark.parametrize("number", ["YS2611130042", "ys-2611-13-0042", "ＹＳ２６１１１３００４２"])
def test_number_and_code_in_any_writing_show_the_case(filled: Office, number: str, code: str) -> None:
    found = filled.cases.look_up(number, code, WEB)
    assert found.case == case()
    assert found.progress.clock.left == 6


@pytest.mark.parametrize("code", ["830272", "", "83", "0000", "7123", "459900199003071239x", "' OR 1=1"])
def test_a_wrong_code_and_an_unknown_number_look_the_same(filled: Office, code: str) -> None:
    said = []
    for number in ("YS2611130042", "YS9999999999"):
        with pytest.raises(NotFound) as raised:
            filled.cases.look_up(number, code, WEB)
        said.append(raised.value.as_dict())
    assert said[0] == said[1]


def test_a_number_without_its_han_is_found_by_the_right_code(any_office: Office) -> None:
    any_office.keeper.put(case(number="(2026)云受字第0319号", query_code="111111"), "file", actor="terminal")
    any_office.keeper.put(case(number="(2026)云政字第0319号", query_code="222222"), "file", actor="terminal")
    assert any_office.cases.look_up("2026 0319", "222222", WEB).case.number == "(2026)云政字第0319号"
    assert any_office.cases.look_up("（2026）云受字第0319号", "111111", WEB).case.number == "(2026)云受字第0319号"
    with pytest.raises(NotFound):
        any_office.cases.look_up("（2026）云受字第0319号", "222222", WEB)


def test_five_failures_lock_number_and_origin_for_a_while(filled: Office) -> None:
    for _ in range(5):
        with pytest.raises(NotFound):
            filled.cases.look_up("YS2611130042", "999999", WEB)
    with pytest.raises(CaseLocked) as raised:
        filled.cases.look_up("ys 2611 1300 42", "830271", WEB)
    assert 0 < raised.value.retry_after <= 900
    assert filled.cases.look_up("YS2611130042", "830271", Asker("web", origin="o2"))
    filled.clock.advance(timedelta(minutes=15))
    assert filled.cases.look_up("YS2611130042", "830271", WEB)
    with pytest.raises(NotFound):
        filled.cases.look_up("YS2611130042", "999999", WEB)


def test_an_unknown_number_is_locked_just_the_same(filled: Office) -> None:
    said: list[list[str]] = []
    for number in ("YS2611130042", "YS9999999999"):
        codes = []
        for _ in range(7):
            with pytest.raises(WenbanError) as raised:
                filled.cases.look_up(number, "999999", WEB)
            codes.append(f"{raised.value.code} {raised.value.message} {raised.value.remedy}")
        said.append(codes)
    assert said[0] == said[1]


def test_failures_are_forgotten_after_success_and_after_an_hour(filled: Office) -> None:
    for pause in (timedelta(0), timedelta(hours=1)):
        for _ in range(4):
            with pytest.raises(NotFound):
                filled.cases.look_up("YS2611130042", "999999", WEB)
        filled.clock.advance(pause)
        if not pause:
            assert filled.cases.look_up("YS2611130042", "830271", WEB)
    with pytest.raises(NotFound):
        filled.cases.look_up("YS2611130042", "999999", WEB)


def test_many_machines_at_one_case_and_one_machine_at_many_cases_are_slowed(filled: Office) -> None:
    def try_once(number: str, origin: str) -> str:
        try:
            filled.cases.look_up(number, "999999", Asker("api", origin=origin))
        except WenbanError as error:
            return error.code
        raise AssertionError("a wrong code opened a case")

    at_one = [try_once("YS2611130042", f"machine{n}") for n in range(130)]
    assert at_one.count("case_not_found") == 100
    at_many = [try_once(f"YS26111{n:05}", "scanner") for n in range(230)]
    assert at_many.count("case_not_found") == 200


def test_wrong_codes_at_once_are_all_counted(any_office: Office) -> None:
    any_office.keeper.put(case(), "file", actor="terminal")

    def try_once(_: int) -> str:
        with pytest.raises(WenbanError) as raised:
            any_office.cases.look_up("YS2611130042", "999999", WEB)
        return raised.value.code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(try_once, range(40)))
    assert codes.count("case_not_found") == 5
    assert codes.count("case_locked") == 35


def test_every_look_up_is_audited_without_personal_data(filled: Office) -> None:
    filled.cases.look_up("YS2611130042", "830271", WEB)
    with pytest.raises(NotFound):
        filled.cases.look_up("YS2611130042", "830272", WEB)
    assert acts(filled.store)[-2:] == [("case.look_up", "case:YS2611130042"), ("case.refused", "case:YS2611130042")]
    with filled.store.read() as session:
        assert first_break(session) is None


def test_nothing_personal_lies_in_the_database_in_clear(filled: Office) -> None:
    filled.cases.look_up("YS2611130042", "830271", Asker("wechat", citizen="wechat:o1"))
    tables = ["cases", "case_attempts", "case_links", "notifications", "judgements", "audit", "outbox"]
    with filled.store.read() as session:
        dump = "\n".join(str(tuple(row)) for table in tables for row in session.execute(text(f"SELECT * FROM {table}")))
    for secret in ("830271", "13900001234", "459900199003071239", "王小明"):
        assert secret not in dump


def test_a_citizen_who_proved_it_once_needs_no_code_and_may_be_unlinked(filled: Office) -> None:
    wang = Asker("wechat", citizen="wechat:wang", conversation_id=None)
    assert filled.cases.look_up_again("YS2611130042", wang) is None
    assert filled.cases.look_up("YS2611130042", "1234", wang).newly_linked
    assert not filled.cases.look_up("YS2611130042", "1234", wang).newly_linked
    assert filled.cases.look_up_again("ys2611130042", wang) is not None
    assert [each.number for each in filled.cases.linked("wechat:wang")] == ["YS2611130042"]
    assert filled.cases.look_up_again("YS2611130042", Asker("wechat", citizen="wechat:li")) is None
    assert filled.cases.unlink("wechat:wang") == 1
    assert filled.cases.unlink("wechat:wang") == 0
    assert filled.cases.look_up_again("YS2611130042", wang) is None


def test_a_conversation_may_ask_again_for_a_while(filled: Office, talk: str) -> None:
    mine = Asker("web", origin="o1", conversation_id=talk)
    assert filled.cases.look_up_again("YS2611130042", mine) is None
    filled.cases.look_up("YS2611130042", "830271", mine)
    assert filled.cases.look_up_again("YS2611130042", mine) is not None
    assert filled.cases.look_up_again("YS2611130042", Asker("web", origin="o1")) is None
    filled.clock.advance(SHOWN_AGAIN + timedelta(seconds=1))
    assert filled.cases.look_up_again("YS2611130042", mine) is None


@pytest.fixture
def talk(any_office: Office) -> Any:
    from bot.conversations.service import ConversationService

    conversations = ConversationService(any_office.store, any_office.clock, any_office.settings)
    return conversations.begin(None, None, "你好", "web").conversation_id
