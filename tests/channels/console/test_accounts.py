"""Accounts and the calendar as an administrator of the county's office keeps them at the terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

Wenban = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a line on standard input."""
    return lambda line: monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))


def test_an_account_is_made_closed_opened_and_given_a_new_password(
    wenban: Wenban, typed: Callable[[str], None]
) -> None:
    typed("correct horse battery")
    assert wenban("accounts", "add", "Li.Lei", "operator", "--name", "李雷")[0] == 0
    status, out, _ = wenban("accounts", "list", "--json")
    assert status == 0
    assert json.loads(out) == [{"username": "li.lei", "name": "李雷", "role": "operator", "unit": None, "open": True}]
    assert "停用" in wenban("accounts", "close", "li.lei")[1]
    assert "停用" in wenban("accounts", "list")[1]
    assert wenban("accounts", "open", "li.lei")[0] == 0
    typed("another long password")
    assert wenban("accounts", "password", "li.lei")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("li", "king"), "correct horse battery", "没有角色 king"),
        (("li", "operator"), "short", "口令不合要求"),
        (("李雷", "operator"), "correct horse battery", "用户名不对"),
        (("li", "department"), "correct horse battery", "所属单位"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    wenban: Wenban, typed: Callable[[str], None], arguments: tuple[str, ...], password: str, said: str
) -> None:
    typed(password)
    status, _, err = wenban("accounts", "add", *arguments)
    assert status == 1
    assert said in err
    assert "怎么办" in err
    assert json.loads(wenban("accounts", "list", "--json")[1]) == []


def test_closing_an_unknown_account_says_so(wenban: Wenban) -> None:
    status, _, err = wenban("accounts", "close", "nobody")
    assert (status, "没有用户 nobody" in err) == (1, True)


def test_a_yearly_table_is_loaded_and_shown(wenban: Wenban, tmp_path: Path, home: Path) -> None:
    file = tmp_path / "given.toml"
    file.write_text("year = 2031\ndays_off = [2031-01-01]\nmake_up_days = []\n")
    status, out, _ = wenban("calendar", "load", str(file))
    assert status == 0
    assert "2031 年" in out
    assert (home / "calendar" / "2031.toml").exists()
    assert wenban("calendar", "show")[0] == 0


@pytest.mark.parametrize("content", [None, "year = ", "year = 2031\ndays_off = [2030-01-01]"])
def test_a_faulty_yearly_table_changes_nothing(wenban: Wenban, tmp_path: Path, home: Path, content: str | None) -> None:
    file = tmp_path / "given.toml"
    if content is not None:
        file.write_text(content)
    status, _, err = wenban("calendar", "load", str(file))
    assert status == 1
    assert "怎么办" in err
    assert not (home / "calendar").exists()
