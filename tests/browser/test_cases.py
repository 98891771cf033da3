"""A case in the browser: the tracking card, with and without the script, large and small; the page of a judgement."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bot.cases.model import Case
from bot.cases.service import Asker
from tests.bot.cases.examples import ACCEPTED, APPLIED, case, pause, stage
from tests.browser.conftest import DESKTOP, PHONE, NewContext
from tests.browser.test_accessibility import SMALLEST_JS, TARGETS_JS, nothing_found
from tests.browser.test_chat import ask
from tests.gateway import Gateway

CORRECTION = [pause("补正", "11-18 16:00", note="补交户口簿首页复印件")]
DONE = [
    APPLIED,
    ACCEPTED,
    stage("审查", "11-16 10:00", "11-17 09:00", result="审查通过"),
    stage("决定", "11-17 09:00", "11-18 10:00", result="准予"),
]


@pytest.fixture(scope="module")
def cases(gateway: Gateway) -> dict[str, Case]:
    """A case under review, one that waits for a correction, one that is late, one that is done."""
    made = {
        "reviewing": case(number="YS2611130101"),
        "correction": case(number="YS2611130102", pauses=CORRECTION),
        "late": case(number="YS2611130103", promised_limit={"value": 2, "unit": "工作日"}),
        "done": case(number="YS2611130104", stages=DONE, outcome="准予", delivery="邮寄", tracking="EMS990012345CN"),
    }
    for each in made.values():
        gateway.services.casework.keeper.put(each, "file", actor="test")
    # the categories are encoded at the first complaint, which takes long on a busy machine
    gateway.services.complaints.decider.prepare()
    return made


def look_up(page: Page, each: Case) -> None:
    ask(page, f"查办件{each.number}，查询码{each.query_code}")
    expect(page.locator(".case").last).to_contain_text(each.number)


def test_number_then_code_show_the_card(page: Page, cases: dict[str, Case]) -> None:
    ask(page, "我的件办得怎么样了")
    expect(page.locator(".turn.bot").last).to_contain_text("办件编号")
    ask(page, cases["reviewing"].number)
    expect(page.locator(".turn.bot").last).to_contain_text("查询码")
    ask(page, "830271")
    card = page.locator(".case")
    expect(card.get_by_role("heading")).to_have_text("居民身份证丢失补领")
    expect(card.locator(".headline")).to_contain_text("正在审查")
    expect(card.locator(".clock")).to_contain_text("还剩 6 个工作日")
    expect(card.locator(".track > li")).to_have_count(5)
    expect(card.locator("[aria-current=step]")).to_contain_text("审查")
    expect(card.locator("[aria-current=step]")).to_contain_text("进行中")
    expect(card.locator(".days .used")).to_have_count(4)
    expect(card.locator(".days .left")).to_have_count(6)
    expect(card.locator("dl")).to_contain_text("王**")


def test_what_is_owed_and_what_is_late_is_said_in_words(page: Page, cases: dict[str, Case]) -> None:
    look_up(page, cases["correction"])
    expect(page.locator(".case .notice")).to_contain_text("补交户口簿首页复印件")
    look_up(page, cases["late"])
    expect(page.locator(".case").last.locator(".late")).to_have_text("已超时限")
    page.get_by_role("button", name="请人催办").click()
    expect(page.locator(".turn.bot").last).to_have_text(re.compile(r"编号 TS\d{13}，查询码 \w{6}"))


def test_a_finished_case_is_judged_by_a_button(page: Page, cases: dict[str, Case]) -> None:
    look_up(page, cases["done"])
    expect(page.locator(".case dl")).to_contain_text("EMS990012345CN")
    page.get_by_role("button", name="5 非常不满意").or_(page.get_by_role("button", name="非常不满意")).first.click()
    expect(page.locator(".turn.citizen").last).to_contain_text("非常不满意")
    expect(page.locator(".turn.bot").last).to_contain_text("回访")


def test_a_reload_shows_the_card_again_but_not_the_code(page: Page, cases: dict[str, Case]) -> None:
    look_up(page, cases["reviewing"])
    page.reload()
    expect(page.locator(".case .headline")).to_contain_text("正在审查")
    expect(page.locator(".log")).not_to_contain_text("830271")


def test_without_the_script_the_card_is_the_same(new_context: NewContext, cases: dict[str, Case]) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/chat")
    page.get_by_label("您的问题").fill(f"查办件{cases['reviewing'].number}，查询码830271")
    page.get_by_role("button", name="发送").click()
    card = page.locator(".case")
    assert "正在审查" in card.inner_text()
    assert card.locator(".track > li").count() == 5
    assert "11月16日 10:00" in card.inner_text()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("mode", [{}, {"color_scheme": "dark"}, {"elder": True}], ids=["light", "dark", "elder"])
def test_axe_finds_nothing_on_cards_and_judgements(
    new_context: NewContext, gateway: Gateway, cases: dict[str, Case], size: dict[str, int], mode: dict[str, object]
) -> None:
    page = new_context(viewport=size, reduced_motion="reduce", **mode).new_page()
    page.goto("/chat")
    for each in cases.values():
        look_up(page, each)
    nothing_found(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if mode.get("elder"):
        smallest, text = page.evaluate(SMALLEST_JS)
        assert smallest >= 18, text
        assert page.evaluate(TARGETS_JS) == []
    done = case(number=f"YS26111302{size['width']}{len(str(mode))}", stages=DONE, outcome="准予")
    gateway.services.casework.keeper.put(done, "file", actor="test")
    token = gateway.services.casework.cases.look_up(done.number, "830271", Asker("test")).judge
    page.goto(f"/judge/{token}")
    nothing_found(page)
    if mode.get("elder"):
        smallest, text = page.evaluate(SMALLEST_JS)
        assert smallest >= 18, text
    page.get_by_label("基本满意").check()
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("status")).to_contain_text("基本满意")
    nothing_found(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_card_fits_the_narrowest_phone(new_context: NewContext, cases: dict[str, Case]) -> None:
    page = new_context(viewport={"width": 320, "height": 640}, elder=True).new_page()
    page.goto("/chat")
    look_up(page, cases["done"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
