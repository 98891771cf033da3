"""Every page: axe finds nothing, in each mode and size; elder mode keeps its measures."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.people.model import Role
from tests.browser.conftest import DESKTOP, PHONE, NewContext
from tests.browser.test_chat import QUESTION, ask
from tests.gateway import Gateway, sample_guides

SMALLEST_JS = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && !e.closest('.visually-hidden, svg, noscript')
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .map(e => [parseFloat(getComputedStyle(e).fontSize), e.textContent.trim().slice(0, 20)])
  .sort((a, b) => a[0] - b[0])[0]"""
TARGETS_JS = """() => [...document.querySelectorAll(
  "button, .bar a, .actions a, .results a, .tools a, input, select, textarea")]
  .filter(e => e.checkVisibility() && e.type !== 'hidden' && e.offsetHeight < 60)
  .map(e => [e.offsetHeight, e.textContent.trim().slice(0, 20)])"""


SETTLED_JS = """() => Promise.all(document.getAnimations()
    .filter((each) => each.effect.getComputedTiming().iterations !== Infinity)
    .map((each) => each.finished.catch(() => null)))"""
"""Waits for what fades in: half of a colour has too little contrast."""


def nothing_found(page: Page) -> None:
    page.evaluate(SETTLED_JS)
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in violations] == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("mode", [{}, {"color_scheme": "dark"}, {"elder": True}], ids=["light", "dark", "elder"])
def test_axe_finds_nothing(new_context: NewContext, size: dict[str, int], mode: dict[str, Any]) -> None:
    page = new_context(viewport=size, reduced_motion="reduce", **mode).new_page()
    page.goto("/chat")
    expect(page.locator(".starters")).to_be_visible()
    nothing_found(page)
    ask(page, QUESTION)
    expect(page.locator(".slip")).to_be_visible()
    ask(page, "我想养一只大熊猫")
    expect(page.locator(".turn.bot")).to_have_count(2)
    nothing_found(page)
    for path in ("/matters", "/matters?q=养大熊猫", f"/matters/{sample_guides()[0]['code']}", "/nowhere"):
        page.goto(path)
        nothing_found(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"


@pytest.mark.parametrize("path", ["/chat", "/matters", f"/matters/{sample_guides()[0]['code']}"])
def test_elder_mode_is_large(new_context: NewContext, path: str) -> None:
    page = new_context(elder=True).new_page()
    page.goto(path)
    if path == "/chat":
        ask(page, QUESTION)
        expect(page.locator(".slip")).to_be_visible()
    size, text = page.evaluate(SMALLEST_JS)
    assert size >= 18, text
    assert page.evaluate(TARGETS_JS) == []
    style = "getComputedStyle(document.body)"
    assert page.evaluate(f"parseFloat({style}.lineHeight) / parseFloat({style}.fontSize)") >= 1.3


def test_elder_mode_is_switched_without_a_reload_and_remembered(page: Page) -> None:
    page.get_by_label("您的问题").fill("写了一半")
    page.get_by_role("button", name="大字版").click()
    expect(page.locator("html")).to_have_attribute("data-elder", "")
    expect(page.get_by_label("您的问题")).to_have_value("写了一半")
    page.goto("/matters")
    expect(page.locator("html")).to_have_attribute("data-elder", "")
    page.get_by_role("button", name="大字版").click()
    page.goto("/chat")
    assert page.locator("html").get_attribute("data-elder") is None


def test_a_narrow_phone_and_a_zoomed_page_do_not_scroll_sideways(new_context: NewContext) -> None:
    page = new_context(viewport={"width": 320, "height": 640}, elder=True).new_page()
    page.goto("/chat")
    ask(page, QUESTION)
    expect(page.locator(".slip")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_on_the_staff_pages(new_context: NewContext, gateway: Gateway, size: dict[str, int]) -> None:
    people = gateway.services.people
    if not any(account.username == "it-office" for account in people.accounts()):
        people.create("it-office", "correct-horse-battery", Role.ADMINISTRATOR)
    page = new_context(viewport=size).new_page()
    page.goto("/console")
    nothing_found(page)
    page.get_by_label("用户名").fill("it-office")
    page.get_by_label("口令").fill("correct-horse-battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="导入记录")).to_be_visible()
    nothing_found(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="工作人员登录")).to_be_visible()
