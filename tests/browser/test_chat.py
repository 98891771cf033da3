"""The citizen's chat in a browser: asking, choosing, reloading, losing the network, by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import NewContext

QUESTION = "居民身份证有效期满换领要带什么、多少钱？"
FIELD = "您的问题"


def ask(page: Page, text: str) -> None:
    page.get_by_label(FIELD).fill(text)
    page.keyboard.press("Enter")


def test_a_question_is_answered_by_a_slip_with_its_source(page: Page) -> None:
    ask(page, QUESTION)
    slip = page.locator(".slip")
    expect(slip.get_by_role("heading")).to_have_text("居民身份证有效期满换领")
    expect(slip).to_contain_text("居民户口簿")
    expect(slip.locator(".source")).to_contain_text("来源")
    expect(slip.get_by_role("link", name="完整指南")).to_have_attribute("href", re.compile("^/matters/"))
    expect(page.locator(".turn.citizen .bubble")).to_have_text([QUESTION])
    expect(page.locator(".welcome")).to_be_hidden()
    expect(page.get_by_label(FIELD)).to_have_value("")


def test_a_starter_asks(page: Page) -> None:
    starter = page.locator(".starters button").first
    text = starter.inner_text()
    starter.click()
    expect(page.locator(".turn.citizen .bubble")).to_have_text([text])
    expect(page.locator(".turn.bot")).to_have_count(1)


def test_facets_of_a_slip_ask_further_in_words(page: Page) -> None:
    ask(page, "居民身份证有效期满换领要带什么")
    page.locator(".slip .facets button", has_text="流程").click()
    expect(page.locator(".slip")).to_have_count(2)
    expect(page.locator(".turn.citizen .bubble").last).not_to_contain_text("YS")
    expect(page.locator(".slip").last.locator("[aria-current=true]")).to_have_text(["流程"])


def test_a_reload_loses_nothing_and_doubles_nothing(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(".slip")).to_have_count(1)
    page.locator(".slip .facets button", has_text="流程").click()
    expect(page.locator(".slip")).to_have_count(2)
    before = page.locator(".log").inner_text()
    page.reload()
    expect(page.locator(".slip")).to_have_count(2)
    assert page.locator(".log").inner_text() == before


def test_two_windows_show_the_same_conversation(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(".slip")).to_have_count(1)
    other = page.context.new_page()
    other.goto("/chat")
    expect(other.locator(".slip")).to_have_count(1)
    ask(other, "你好")
    expect(page.locator(".turn.citizen")).to_have_count(2)
    expect(page.locator(".turn.bot")).to_have_count(2)


def test_offline_a_message_waits_and_arrives_once(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator("[data-offline]")).to_be_visible()
    ask(page, QUESTION)
    expect(page.locator(".turn.citizen.waiting")).to_have_count(1)
    page.context.set_offline(False)
    expect(page.locator(".slip")).to_have_count(1)
    expect(page.locator(".turn.citizen")).to_have_count(1)
    expect(page.locator(".turn.citizen.waiting")).to_have_count(0)
    expect(page.locator("[data-offline]")).to_be_hidden()


def test_a_message_waits_over_a_reload(page: Page) -> None:
    page.route("**/api/v1/chat", lambda route: route.abort())
    ask(page, QUESTION)
    expect(page.locator("[data-state]")).to_contain_text("自动再发")
    page.unroute("**/api/v1/chat")
    page.reload()
    expect(page.locator(".slip")).to_have_count(1)
    expect(page.locator(".turn.citizen")).to_have_count(1)


def test_a_reply_that_is_lost_on_the_way_is_not_asked_for_twice(page: Page) -> None:
    """The server answers, the answer never arrives: the message is sent again and counted once."""
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort()

    page.route("**/api/v1/chat", lose_the_first)
    ask(page, QUESTION)
    expect(page.locator(".slip")).to_have_count(1)
    assert lost
    page.reload()
    expect(page.locator(".slip")).to_have_count(1)
    expect(page.locator(".turn.citizen")).to_have_count(1)


def test_a_refused_message_says_why_and_comes_back_to_the_field(page: Page) -> None:
    page.get_by_label(FIELD).evaluate("field => field.removeAttribute('maxlength')")
    ask(page, "身" * 2001)
    expect(page.get_by_role("alert")).to_contain_text("太长")
    ask(page, "你好")
    expect(page.locator(".turn.bot .bubble", has_text="您好")).to_be_visible()


def test_a_person_is_always_one_press_away(page: Page) -> None:
    page.get_by_role("button", name="转人工").click()
    expect(page.locator(".turn.bot")).to_contain_text("12345")
    expect(page.get_by_role("button", name="转人工")).to_be_in_viewport()


def test_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("跳到提问框")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label(FIELD)).to_be_focused()
    page.keyboard.type("居民身份证有效期满换领要带什么")
    page.keyboard.press("Enter")
    choices = page.locator(".slip .choices button")
    expect(choices.first).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.closest('.choices') !== null"):
            break
    page.keyboard.press("2")
    expect(page.locator(".turn.citizen .bubble").last).to_have_text(
        choices.nth(1).locator("[data-slot=label]").inner_text()
    )
    expect(page.locator(".slip")).to_have_count(2)


def test_starting_over_forgets_on_this_device(new_context: NewContext) -> None:
    page = new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto("/chat")
    ask(page, "你好")
    expect(page.locator(".turn.bot")).to_have_count(1)
    page.get_by_role("button", name="清空对话").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


def test_what_is_written_is_never_markup(page: Page) -> None:
    ask(page, '<img src=x onerror="document.title=1"><b>x</b>')
    expect(page.locator(".turn.bot")).to_have_count(1)
    expect(page.locator(".log img")).to_have_count(0)
    expect(page.locator(".turn.citizen .bubble")).to_contain_text("<img src=x")


def test_copying_an_answer_takes_its_source_along(new_context: NewContext) -> None:
    context: BrowserContext = new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/chat")
    ask(page, QUESTION)
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "居民身份证有效期满换领" in copied
    assert "来源" in copied
    assert "/matters/" in copied


def test_without_scripts_the_form_still_answers(new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/chat")
    page.get_by_label(FIELD).fill(QUESTION)
    page.get_by_role("button", name="发送").click()
    expect(page.locator(".slip")).to_contain_text("居民户口簿")
    page.get_by_role("button", name="转人工").click()
    expect(page.locator(".turn.citizen")).to_have_count(2)
