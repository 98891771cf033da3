"""The desk in a browser: a citizen's way to a person and back, by keyboard, and axe over it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from bot.clock import ZONE, FixedClock
from bot.people.model import Role
from index.encoder import open_encoder
from tests.browser.conftest import DESKTOP, PHONE, NewContext
from tests.browser.test_accessibility import nothing_found
from tests.browser.test_chat import ask
from tests.gateway import Gateway, publish, running, sample_guides, settings_for

PASSWORD = "correct-horse-battery"
MOST_TABS = 150
"""Presses of Tab that lead once around the desk."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A city on a Monday morning, with two operators."""
    home: Path = tmp_path_factory.mktemp("desk-city")
    encoder = open_encoder(threads=1)
    publish(home, sample_guides(), encoder)
    with running(settings_for(home), encoder, FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=ZONE))) as started:
        for username, name in (("min", "王敏"), ("jun", "李军")):
            started.services.people.create(username, PASSWORD, Role.OPERATOR, display_name=name)
        started.services.people.create("editor", PASSWORD, Role.EDITOR)
        started.services.people.create("boss", PASSWORD, Role.SUPERVISOR, display_name="周正")
        started.services.complaints.decider.prepare()  # encoded at the first complaint, which takes long
        yield started


@pytest.fixture
def citizen(new_context: NewContext) -> Page:
    page = new_context().new_page()
    page.goto("/chat")
    return page


def desk_of(context: BrowserContext, username: str) -> Page:
    page = context.new_page()
    page.goto("/desk")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("口令").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="我的对话")).to_be_visible()
    page.get_by_role("button", name="在线").click()
    expect(page.locator("[data-presence=online]")).to_be_visible()
    return page


def press(desk: Page, keys: str) -> None:
    """Presses ``keys`` once the page hears them: its script runs a moment after the page is seen."""
    desk.locator("html[data-desk=ready]").wait_for()
    desk.keyboard.press(keys)


def reach(desk: Page, wanted: Locator, keys: str = "Enter") -> None:
    """Moves the focus there by Tab alone and presses ``keys``."""
    wanted.wait_for()
    for _ in range(MOST_TABS):
        if wanted.evaluate("element => element === document.activeElement"):
            desk.keyboard.press(keys)
            return
        desk.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_from_the_assistant_to_a_person_and_back(citizen: Page, new_context: NewContext) -> None:
    desk = desk_of(new_context(viewport=DESKTOP), "min")
    nothing_found(desk)
    ask(citizen, "我想养一只大熊猫")
    expect(citizen.locator(".turn.bot")).to_have_count(1)
    ask(citizen, "竹子谁发")
    expect(citizen.locator(".turn.bot").last).to_contain_text("排在第 1 位")
    # The queue moves by itself, the title calls; taken by keyboard.
    waiting = desk.locator("[data-list=offered]")
    expect(waiting).to_contain_text("竹子谁发")
    expect(desk).to_have_title("（1）坐席台 · 云山市问办")
    press(desk, "Alt+n")
    expect(desk.locator("#thread")).to_contain_text("我想养一只大熊猫")
    expect(citizen.locator(".log .line").last).to_have_text("工作人员王敏来为您服务。")
    # Both talk; the assistant is silent.
    press(desk, "Alt+r")
    desk.keyboard.type("您好，大熊猫不能私人饲养。")
    press(desk, "Control+Enter")
    expect(citizen.locator(".turn.person")).to_contain_text("大熊猫不能私人饲养")
    expect(desk.get_by_label("回复市民")).to_have_value("")
    expect(desk.locator("#thread .said-person")).to_have_count(1)
    ask(citizen, "那居住证要带什么材料")
    expect(desk.locator("#thread")).to_contain_text("那居住证要带什么材料")
    expect(citizen.locator(".turn.bot:not(.person)")).to_have_count(2)
    # A draft outlives a reload; the guide's text goes into it.
    desk.get_by_label("回复市民").fill("查到了：")
    desk.reload()
    expect(desk.get_by_label("回复市民")).to_have_value("查到了：")
    insert = desk.locator("#passages [data-insert]").first
    reach(desk, insert)
    expect(desk.get_by_label("回复市民")).to_have_value(f"查到了：\n{insert.get_attribute('data-insert')}")
    nothing_found(desk)
    expect(desk.get_by_role("button", name="发送")).to_be_in_viewport()  # however long the thread is
    press(desk, "Control+Enter")
    expect(citizen.locator(".turn.person").last).to_contain_text("居住证")
    expect(desk.locator("#thread .said-person").last).to_contain_text("指南原文")  # its source was kept
    # Each sees the other typing; what was read is marked.
    citizen.locator("textarea").press_sequentially("还想")
    expect(desk.locator("[data-typing]")).to_be_visible()
    desk.get_by_label("回复市民").press_sequentially("请")
    expect(citizen.locator("[data-state]")).to_contain_text("工作人员正在输入")
    desk.get_by_label("回复市民").fill("")
    citizen.locator("textarea").fill("")
    expect(desk.locator("#thread .said-person").last).to_contain_text("已读")
    # One press sends the guide as a card.
    reach(desk, desk.get_by_role("button", name="发卡片").first)
    expect(citizen.locator(".turn.person .slip")).to_have_count(1)
    # A whisper stays among colleagues.
    reach(desk, desk.locator("summary", has_text="备注"))
    reach(desk, desk.get_by_label("备注（市民看不到）"), "End")
    desk.keyboard.type("市民急用")
    reach(desk, desk.get_by_role("button", name="记下备注"))
    expect(desk.locator("#thread .said-note")).to_contain_text("市民急用")
    # Given back with what it is about, the assistant goes on.
    reach(desk, desk.locator("#passages [data-matter]").first)
    reach(desk, desk.get_by_role("button", name="交回问办"))
    expect(citizen.locator(".log .line").last).to_contain_text("由问办继续回答")
    citizen.get_by_role("button", name="非常满意").last.click()
    expect(citizen.locator(".turn.bot").last).to_contain_text("谢谢您的评价")
    ask(citizen, "居住证要多少钱")
    expect(citizen.locator(".slip")).to_have_count(2)
    assert "市民急用" not in citizen.locator(".log").inner_text()
    before = citizen.locator(".log").inner_text()
    citizen.reload()
    expect(citizen.locator(".slip")).to_have_count(2)
    assert citizen.locator(".log").inner_text() == before
    nothing_found(citizen)


def test_a_caller_is_served_by_keyboard_alone(new_context: NewContext) -> None:
    desk = desk_of(new_context(viewport=DESKTOP), "min")
    press(desk, "Alt+p")
    desk.keyboard.type("13812345678")
    desk.keyboard.press("Enter")
    expect(desk.locator("#thread")).to_contain_text("来电 138****5678")
    press(desk, "Alt+r")
    desk.keyboard.type("楼下路灯坏了一个星期，晚上看不见路")
    desk.reload()  # nothing typed is lost
    expect(desk.locator("#heard textarea")).to_have_value("楼下路灯坏了一个星期，晚上看不见路")
    desk.locator("#heard textarea").focus()
    press(desk, "Control+Enter")
    expect(desk.locator("#thread .said-citizen")).to_contain_text("路灯坏了")
    nothing_found(desk)
    desk.locator("#filing summary").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("反映什么事")).to_have_value("楼下路灯坏了一个星期，晚上看不见路")
    desk.get_by_label("在哪里").focus()
    desk.keyboard.type("人民路 3 号")
    nothing_found(desk)
    desk.get_by_role("button", name="登记，并把编号告诉市民").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#thread .said-person")).to_contain_text("查询码")
    desk.get_by_label("处理结果").select_option(label="已登记诉求")
    desk.get_by_role("button", name="结束来电").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-holder=closed]")).to_be_visible()
    expect(desk.locator("#reply")).to_have_count(0)


def test_the_alerts_are_switched_and_remembered(new_context: NewContext) -> None:
    desk = desk_of(new_context(viewport=DESKTOP), "min")
    sound = desk.get_by_label("声音")
    expect(sound).not_to_be_checked()
    sound.check()
    desk.get_by_label("标题").uncheck()
    desk.reload()
    expect(desk.get_by_label("声音")).to_be_checked()
    expect(desk.get_by_label("标题")).not_to_be_checked()


def test_what_is_not_theirs_they_do_not_see(citizen: Page, new_context: NewContext) -> None:
    operator, colleague = desk_of(new_context(viewport=DESKTOP), "min"), desk_of(new_context(viewport=DESKTOP), "jun")
    citizen.get_by_role("button", name="转人工").click()
    operator.locator("[data-take]").click()
    expect(operator.get_by_label("回复市民")).to_be_visible()
    colleague.goto(operator.url)
    expect(colleague.get_by_role("alert")).to_contain_text("不在您能看的范围里")
    expect(colleague.locator("#thread")).to_have_count(0)
    expect(colleague.get_by_role("heading", name="我的对话")).to_be_visible()
    editor = new_context(viewport=DESKTOP).new_page()
    editor.goto("/login")
    editor.get_by_label("用户名").fill("editor")
    editor.get_by_label("口令").fill(PASSWORD)
    editor.keyboard.press("Enter")
    editor.wait_for_url("**/console")
    response = editor.goto("/desk")
    assert response is not None
    assert response.status == 403
    quality = operator.context.new_page()
    quality.goto("/desk/quality")
    nothing_found(quality)
    boss = new_context(viewport=DESKTOP).new_page()
    boss.goto("/login?back=/desk")
    boss.get_by_label("用户名").fill("boss")
    boss.get_by_label("口令").fill(PASSWORD)
    boss.keyboard.press("Enter")
    boss.locator("[data-list=held] a").first.click()
    nothing_found(boss)
    boss.get_by_role("button", name="接过这个对话").click()
    expect(boss.get_by_label("回复市民")).to_be_visible()
    expect(operator.get_by_label("回复市民")).to_have_count(0)  # drawn anew by itself
    boss.get_by_role("button", name="结束对话").click()


def test_of_two_who_see_it_one_takes_it_and_the_other_hears_who(citizen: Page, new_context: NewContext) -> None:
    first = desk_of(new_context(viewport=DESKTOP), "min")
    second = desk_of(new_context(viewport=DESKTOP), "jun")
    citizen.get_by_role("button", name="转人工").click()
    expect(citizen.locator(".turn.bot")).to_contain_text("正在为您找工作人员")
    expect(second.locator("[data-take]")).to_have_count(1)
    number = second.locator(".call input[name=handoff]").get_attribute("value")
    token = second.locator(".call input[name=token]").get_attribute("value")
    first.locator("[data-take]").click()
    expect(first.get_by_label("回复市民")).to_be_visible()
    expect(second.locator("[data-take]")).to_have_count(0)
    late = second.request.post(
        "/desk/take", form={"token": token or "", "handoff": number or ""}, headers={"Accept": "text/html"}
    )
    assert late.status == 409
    assert "这个对话已由王敏接走。" in late.text()
    # Handed on to the colleague, who sees it as his.
    first.locator("summary", has_text="转给别人").click()
    first.get_by_label("转给").select_option(label="李军（在线）")
    first.get_by_label("转接说明").fill("您熟这一块")
    first.get_by_role("button", name="转接", exact=True).click()
    expect(second.locator("[data-list=offered]")).to_contain_text("转给您")
    second.locator("[data-take]").click()
    expect(second.locator("#thread .said-note")).to_contain_text("您熟这一块")
    second.get_by_role("button", name="结束对话").click()
    expect(citizen.locator(".log .line").last).to_contain_text("人工服务已结束")


@pytest.mark.parametrize("mode", [{"color_scheme": "dark"}, {"elder": True}], ids=["dark", "elder"])
def test_the_desk_fits_a_small_screen_in_every_mode(new_context: NewContext, mode: dict[str, object]) -> None:
    desk = desk_of(new_context(viewport=PHONE, reduced_motion="reduce", **mode), "jun")
    nothing_found(desk)
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
