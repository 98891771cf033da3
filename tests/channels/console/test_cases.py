"""The commands around cases, as an operator types them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cases.model import CaseState
from bot.cases.service import Asker
from bot.clock import FixedClock
from bot.matters.service import MatterService
from bot.settings import load_settings
from bot.store import Store
from bot.workdays import WorkCalendar
from channels.casework import Casework, build_casework, limits_of
from channels.console.preparation import SAMPLE_CASES, SAMPLE_CITY
from channels.console.samples import SOURCE, WRITTEN_FOR, examples, load_sample_cases
from index.encoder import Encoder
from tests.bot.cases.examples import at, row
from tests.channels.console.conftest import Wenban


def no_encoder() -> Encoder:
    raise AssertionError("nothing is encoded here")


def file_of(folder: Path, *rows: dict[str, Any]) -> str:
    path = folder / "cases.jsonl"
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows), "utf-8")
    return str(path)


def test_a_file_is_imported_and_counted(wenban: Wenban, tmp_path: Path) -> None:
    status, out, _ = wenban("import", "cases", file_of(tmp_path, row(), row(number="YS2611130043")), "--json")
    assert (status, json.loads(out)["added"]) == (0, 2)
    status, out, _ = wenban("import", "cases", file_of(tmp_path, row()), "--replace", "--dry-run")
    assert status == 0
    assert "删除 1" in out
    status, out, _ = wenban("cases", "status", "--json")
    assert json.loads(out)["cases"] == 2
    status, out, _ = wenban("cases", "status")
    assert "办件 2 件" in out


def test_faults_are_shown_by_line(wenban: Wenban, tmp_path: Path) -> None:
    status, _, err = wenban("import", "cases", file_of(tmp_path, row(), row(number="YS2611130043", stages=[])))
    assert status == 1
    assert "环节" in err
    assert "至少要有 1 项" in err


def test_an_empty_form_can_be_filled_in(wenban: Wenban, tmp_path: Path) -> None:
    status, _, _ = wenban("export", "cases", str(tmp_path / "form.xlsx"))
    assert (status, (tmp_path / "form.xlsx").exists()) == (0, True)
    status, _, err = wenban("import", "cases", str(tmp_path / "form.xlsx"))
    assert status == 1
    assert "没有一条内容" in err


def test_keys_are_made_listed_and_revoked(wenban: Wenban) -> None:
    status, out, _ = wenban("keys", "add", "hall")
    token = out.strip().splitlines()[-1]
    assert (status, token[:4]) == (0, "wbk_")
    status, out, _ = wenban("keys", "list", "--json")
    assert json.loads(out)[0]["name"] == "hall"
    assert token not in out
    assert wenban("keys", "revoke", "hall")[0] == 0
    assert "已吊销" in wenban("keys", "list")[1]
    status, _, err = wenban("keys", "add", "other", "--scope", "everything")
    assert status == 1
    assert "cases:write" in err


def test_the_outbox_shows_what_waits_and_was_given_up(wenban: Wenban, home: Path) -> None:
    from bot.store import make_engine, migrate, outbox

    settings = load_settings()
    migrate.upgrade(settings)
    engine = make_engine(settings)
    store = Store(engine)
    with store.write() as work:
        work.emit("complaint.requested", "CB1", {"secret": "payload"})
        given_up = work.emit("notification.deliver", "YS1:accepted", {})
        work.session.flush()
        given_up.state, given_up.last_error = outbox.OutboxState.FAILED, "OSError: line cut"
        number = given_up.id
    _, out, _ = wenban("outbox", "list")
    assert "CB1" in out
    assert "line cut" in out
    assert "payload" not in out
    assert [each["key"] for each in json.loads(wenban("outbox", "list", "--failed", "--json")[1])] == ["YS1:accepted"]
    assert wenban("outbox", "retry", str(number))[0] == 0
    assert wenban("outbox", "retry", str(number))[0] == 1
    assert json.loads(wenban("outbox", "list", "--failed", "--json")[1]) == []
    engine.dispose()


def test_after_a_change_of_the_key_everything_is_sealed_anew(
    wenban: Wenban, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENBAN_DATA_KEY", "00" * 32)
    wenban("import", "cases", file_of(tmp_path, row()))
    monkeypatch.setenv("WENBAN_DATA_KEY", "11" * 32)
    monkeypatch.setenv("WENBAN_DATA_KEY_PREVIOUS", "00" * 32)
    assert "1 件" in wenban("cases", "reseal")[1]
    assert "0 件" in wenban("cases", "reseal")[1]
    monkeypatch.delenv("WENBAN_DATA_KEY_PREVIOUS")
    assert json.loads(wenban("import", "cases", file_of(tmp_path, row()), "--json")[1])["unchanged"] == 1


class TestSampleCity:
    def casework(self, store: Store, clock: FixedClock, home: Path) -> Casework:
        settings = load_settings(home=home)
        matters = MatterService(store, clock, home / "index", no_encoder)
        return build_casework(settings, store, clock, WorkCalendar(), limits_of(matters))

    @pytest.mark.parametrize("days", [0, 3, 100, 364])
    def test_its_cases_live_on_whatever_the_day(self, store: Store, tmp_path: Path, days: int) -> None:
        clock = FixedClock(at("11-25 17:00"))
        clock.advance(timedelta(days=days))
        casework = self.casework(store, clock, tmp_path)
        for _ in range(2):
            load_sample_cases(casework.keeper, SAMPLE_CITY / SAMPLE_CASES, clock.now().date(), tmp_path / "tmp")
        assert casework.keeper.count(SOURCE) >= 39
        states = {}
        for line in (SAMPLE_CITY / SAMPLE_CASES).read_text("utf-8").splitlines():
            given = json.loads(line)
            found = casework.cases.look_up(given["number"], given["query_code"], Asker("test", origin=given["number"]))
            states[given["number"]] = found.progress
        assert {found.state for found in states.values()} == set(CaseState)
        assert sum(found.overdue for found in states.values()) >= 3
        assert any(found.owes for found in states.values())

    def test_it_moves_on_and_leaves_the_cases_of_others_alone(self, store: Store, tmp_path: Path) -> None:
        clock = FixedClock(at("11-25 17:00"))
        casework = self.casework(store, clock, tmp_path)
        file, folder = SAMPLE_CITY / SAMPLE_CASES, tmp_path / "tmp"
        load_sample_cases(casework.keeper, file, WRITTEN_FOR, folder)
        example = examples(file)[0]
        first = casework.cases.look_up(example.number, example.query_code, Asker("test")).case
        load_sample_cases(casework.keeper, file, WRITTEN_FOR + timedelta(days=20), folder)
        second = casework.cases.look_up(example.number, example.query_code, Asker("test")).case
        assert second.stages[0].start - first.stages[0].start == timedelta(weeks=2)
        casework.keeper.import_file(
            Path(file_of(tmp_path, row(number="YS900001"))), actor="t", progress=lambda *_: None
        )
        load_sample_cases(casework.keeper, file, date(2027, 6, 1), folder)
        assert casework.cases.look_up(example.number, example.query_code, Asker("test")).case == second
