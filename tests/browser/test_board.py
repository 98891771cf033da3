"""Those who handle and supervise complaints, in a browser: a unit signs and answers, a supervisor urges and closes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bot.board.hot_spots import HotSpotKeeper
from bot.board.keeping import DayKeeper
from bot.clock import ZONE, FixedClock
from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.handling import Step
from bot.complaints.model import Act, Actor, Party
from bot.people.model import Role
from index.encoder import open_encoder
from tests.browser.conftest import DESKTOP, PHONE, NewContext
from tests.browser.test_accessibility import SMALLEST_JS, TARGETS_JS, nothing_found
from tests.gateway import Gateway, publish, publish_units, running, sample_guides, settings_for

PASSWORD = "correct-horse-battery"
WATER, FOREST = "云山供水有限公司", "云山市林业局"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
PEOPLE = {"water": (Role.DEPARTMENT, WATER), "desk": (Role.OPERATOR, None), "board": (Role.SUPERVISOR, None)}
BURST = "人民路药材公司门口自来水管爆了，水喷了两层楼高，没人来抢修"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A city on a Monday morning with two units, and one of each of those who handle complaints."""
    home: Path = tmp_path_factory.mktemp("board-city")
    encoder, clock = open_encoder(threads=1), FixedClock(NOW)
    publish(home, sample_guides()[:4], encoder)
    publish_units(home, (WATER, FOREST), encoder, clock)
    with running(settings_for(home), encoder, clock) as started:
        for name, (role, department) in PEOPLE.items():
            started.services.people.create(name, PASSWORD, role, department=department)
        for _ in range(6):
            filed(started)
        DayKeeper(started.services.store).refresh(NOW)
        HotSpotKeeper(started.services.store).refresh(NOW)
        yield started


def filed(gateway: Gateway, text: str = BURST) -> Shown:
    filing = Filing(text, location="人民路药材公司门口")
    return gateway.services.complaints.service.file(filing, Asker("api", "10.0.0.1"))


def page_of(context: BrowserContext, name: str, path: str) -> Page:
    """The page at ``path`` for one of the staff, reached by the sign-in."""
    page = context.new_page()
    page.goto(path)
    page.get_by_label("用户名").fill(name)
    page.get_by_label("口令").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(path)
    return page


def test_triage_dispatches_a_unit_answers_a_supervisor_urges_and_closes(
    gateway: Gateway, new_context: NewContext
) -> None:
    shown = filed(gateway)
    take_back = Step(shown.number, Act.TAKE_BACK, shown.version, "改派")
    gateway.services.complaints.handling.act(take_back, Actor(Party.SUPERVISOR, "board"))
    queue = page_of(new_context(viewport=DESKTOP), "water", "/unit")
    expect(queue.locator(f"[data-number={shown.number}]")).to_have_count(0)
    # The operator looks for the unit and sends it there; the unit's queue moves by itself.
    desk = page_of(new_context(viewport=DESKTOP), "desk", f"/triage/{shown.number}")
    desk.get_by_label("查找其他单位或权力事项").fill("供水")
    desk.get_by_role("button", name="查找").click()
    desk.locator("#units").get_by_role("button", name=WATER).first.click()
    expect(desk.get_by_role("status")).to_contain_text("已办：派单")
    expect(queue.locator(f"[data-number={shown.number}]")).to_have_count(1)
    queue.locator(f"[data-number={shown.number}] a").click()
    queue.get_by_role("button", name="签收").click()
    expect(queue.get_by_role("status")).to_contain_text("办理中")
    # The supervisor finds it behind a number of the board and urges.
    board = page_of(new_context(viewport=DESKTOP), "board", "/board")
    expect(board.locator("figure[data-chart] canvas").first).to_be_visible()
    board.get_by_role("link", name="绿灯 正常").click()
    board.locator(f"[data-number={shown.number}] a").click()
    board.get_by_label("催办的理由").fill("市民又打来电话")
    board.get_by_role("button", name="催办").click()
    expect(board.locator("#facts")).to_contain_text("人工催办")
    # The unit hears of it without a reload, with its draft untouched.
    queue.get_by_label("答复内容").fill("已抢修，恢复供水。")
    expect(queue.locator("#facts")).to_contain_text("市民又打来电话")
    expect(queue.get_by_label("答复内容")).to_have_value("已抢修，恢复供水。")
    queue.get_by_role("button", name="答复", exact=True).first.click()
    expect(queue.get_by_role("status")).to_contain_text("已答复")
    board.reload()
    board.get_by_text("审核通过").first.click()
    board.locator("#act-review").get_by_role("button", name="审核通过").click()
    board.get_by_role("button", name="办结").click()
    expect(board.get_by_role("status")).to_contain_text("已办结")


def test_by_keyboard_alone(gateway: Gateway, new_context: NewContext) -> None:
    shown = filed(gateway)
    page = page_of(new_context(viewport=DESKTOP), "water", "/unit")
    page.locator(f"#item-{shown.number}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(shown.number)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "签收":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已办：签收")


MODES: list[dict[str, Any]] = [{"viewport": DESKTOP}, {"viewport": PHONE, "color_scheme": "dark"}, {"elder": True}]


@pytest.mark.parametrize("mode", MODES, ids=["desktop", "dark-phone", "elder-phone"])
def test_every_page_in_every_mode(gateway: Gateway, new_context: NewContext, mode: dict[str, Any]) -> None:
    number = filed(gateway).number
    paths = {
        "water": ("/unit", f"/unit/{number}", "/alarms", "/rectifications"),
        "desk": ("/triage", f"/triage/{number}?q=水", "/callbacks"),
        "board": ("/board", "/board/items?show=filed", f"/board/items/{number}", "/board/hot-spots"),
    }
    for name, own in paths.items():
        page = page_of(new_context(reduced_motion="reduce", **mode), name, own[0])
        for path in own:
            page.goto(path)
            nothing_found(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"
            if mode.get("elder"):
                size, text = page.evaluate(SMALLEST_JS)
                assert size >= 18, (path, text)
                assert page.evaluate(TARGETS_JS) == [], path


def test_without_scripts_every_number_is_in_a_table(gateway: Gateway, new_context: NewContext) -> None:
    page = page_of(new_context(viewport=DESKTOP, java_script_enabled=False), "board", "/board")
    expect(page.locator("figure table")).to_have_count(3)
    expect(page.locator("figure .chart:visible")).to_have_count(0)
    expect(page.locator("figure table tbody tr").first).to_be_visible()
