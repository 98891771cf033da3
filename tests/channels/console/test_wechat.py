"""The commands ``wechat menu`` and ``wechat status``, as an operator types them, against the platform's stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.channels.console.conftest import Wenban
from tests.channels.wechat.conftest import APP_ID, SECRET, TOKEN, Standin


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with Standin().serving("http://127.0.0.1:9/wechat") as started:
        yield started


@pytest.fixture
def account(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """The account's settings, with the stand-in for the platform."""
    for name, value in {
        "TOKEN": TOKEN,
        "APP_ID": APP_ID,
        "SECRET": SECRET,
        "API_BASE": standin.base,
    }.items():
        monkeypatch.setenv(f"WENBAN_WECHAT_{name}", value)
    return standin


def test_the_menu_is_published(wenban: Wenban, account: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_PUBLIC_URL", "https://banshi.example.gov.cn")
    status, out, err = wenban("wechat", "menu")
    assert (status, "没有设置 WENBAN_PUBLIC_URL" in err) == (0, False)
    buttons = account.platform.menu["button"]
    assert all(button["name"] in out for button in buttons)
    flat = [each for button in buttons for each in button.get("sub_button", [button])]
    assert any(each.get("url", "").startswith("https://banshi.example.gov.cn/") for each in flat)
    monkeypatch.delenv("WENBAN_PUBLIC_URL")
    status, _, err = wenban("wechat", "menu")
    assert (status, "没有设置 WENBAN_PUBLIC_URL" in err) == (0, True)
    assert "url" not in str(account.platform.menu)


def test_status_tells_what_the_channel_does(wenban: Wenban, account: Standin) -> None:
    assert wenban("wechat", "menu")[0] == 0
    status, out, _ = wenban("wechat", "status", "--json")
    told = json.loads(out)
    assert status == 0
    assert (told["app_id"], told["can_send"], told["citizens"], told["messages"]) == (APP_ID, True, 0, [])
    assert told["token_expires_at"]
    status, out, _ = wenban("wechat", "status")
    assert status == 0
    assert APP_ID in out
    assert SECRET not in out


def test_what_is_missing_or_refused_is_named(wenban: Wenban, account: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_WECHAT_SECRET", "another")
    status, _, err = wenban("wechat", "menu")
    assert status == 1
    assert "WENBAN_WECHAT_SECRET" in err
    monkeypatch.delenv("WENBAN_WECHAT_SECRET")
    status, _, err = wenban("wechat", "menu")
    assert status == 1
    assert "WENBAN_WECHAT_SECRET" in err
    assert "Traceback" not in err
