"""An editor in a browser: a question nobody could answer becomes part of a guide, seen before it is published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.people.model import Role
from index.encoder import Encoder, open_encoder
from tests.browser.conftest import DESKTOP, PHONE, NewContext
from tests.browser.test_accessibility import nothing_found
from tests.browser.test_chat import ask
from tests.gateway import Gateway, publish, running, sample_guides, settings_for
from tests.learning import evaluate, listen

PASSWORD = "correct-horse-battery"
STRANGE = "金蟾卡咋个整起"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder(threads=1)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    home: Path = tmp_path_factory.mktemp("learning-city")
    publish(home, sample_guides(), encoder)
    with running(settings_for(home), encoder) as started:
        started.services.people.create("lin", PASSWORD, Role.EDITOR, display_name="林华")
        yield started


def signed_in(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_label("用户名").fill("lin")
    page.get_by_label("口令").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def test_from_a_question_nobody_could_answer_to_its_answer(
    new_context: NewContext, gateway: Gateway, encoder: Encoder
) -> None:
    citizen = new_context().new_page()
    citizen.goto("/chat")
    ask(citizen, STRANGE)
    expect(citizen.locator(".turn.bot")).to_have_count(1)
    expect(citizen.locator(".slip")).to_have_count(0)
    listen(gateway, encoder)
    editor = new_context(viewport=DESKTOP).new_page()
    signed_in(editor, "/learn")
    nothing_found(editor)
    editor.get_by_role("link", name=STRANGE).click()
    editor.get_by_label("查找事项").fill("居住证")
    editor.get_by_role("button", name="查找").click()
    editor.get_by_role("radio", name="居住证").first.check()
    nothing_found(editor)
    editor.get_by_role("button", name="放进草稿").click()
    expect(editor.get_by_role("heading", name=f"相似问法：{STRANGE}")).to_be_visible()
    # The evaluation is seen as it goes on, and nothing can be published before.
    expect(editor.get_by_role("button", name="发布为新的目录版本")).to_have_count(0)
    editor.get_by_role("button", name="评测").click()
    expect(editor.locator("#state")).to_contain_text("等待后台开始评测")
    nothing_found(editor)
    evaluate(gateway, encoder)
    state = editor.locator("#state")
    expect(state).to_contain_text("变差 0 题")
    expect(state.get_by_role("group", name="变好的")).to_contain_text(STRANGE)
    nothing_found(editor)
    editor.get_by_role("button", name="发布为新的目录版本").click()
    expect(editor.get_by_text("草稿是空的")).to_be_visible()
    gateway.services.refresh_index()
    ask(citizen, STRANGE)
    expect(citizen.locator(".slip")).to_have_count(1)
    expect(citizen.locator(".slip")).to_contain_text("居住证")
    editor.goto("/learn/cases")
    expect(editor.get_by_role("rowheader", name=STRANGE)).to_be_visible()


@pytest.mark.parametrize("elder", [False, True])
def test_the_pages_fit_a_phone_and_axe_finds_nothing(
    new_context: NewContext, gateway: Gateway, encoder: Encoder, elder: bool
) -> None:
    gateway.say("紫微斗数执照去哪儿领")
    listen(gateway, encoder)
    page = new_context(elder=elder, viewport=PHONE).new_page()
    signed_in(page, "/learn")
    group = page.locator(".results a").first.get_attribute("href")
    for path in ("/learn", str(group), "/learn/draft", "/learn/additions", "/learn/cases", "/hit-test?q=居住证到期了"):
        page.goto(path)
        nothing_found(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
