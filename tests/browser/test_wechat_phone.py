"""The stand-in's phone in a browser: talking, pictures, the menu, large letters, without scripts; axe finds nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from channels.wechat.menus import menu_body
from index.encoder import open_encoder
from tests.browser.conftest import PATIENCE, PHONE
from tests.browser.test_accessibility import SMALLEST_JS, nothing_found
from tests.channels.wechat.conftest import Town, town_of
from tests.gateway import publish, sample_guides

FIELD = "要说的话"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home: Path = tmp_path_factory.mktemp("phone-city")
    encoder = open_encoder(threads=1)
    publish(home, sample_guides(), encoder)
    with town_of(home, encoder) as started:
        started.standin.platform.publish_menu(menu_body("http://127.0.0.1:9"))
        yield started


@pytest.fixture
def phone(browser: Browser, town: Town) -> Iterator[Any]:
    made: list[BrowserContext] = []
    foreign: list[str] = []

    def make(name: str, *, elder: bool = False, **options: Any) -> Page:
        base = town.standin.base
        context = browser.new_context(viewport=PHONE, locale="zh-CN", base_url=base, **options)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda r: urlsplit(r.url).netloc == urlsplit(base).netloc or foreign.append(r.url))
        cookies = [{"name": "wenban_phone", "value": name, "url": base}]
        context.add_cookies(cookies + ([{"name": "wenban_elder", "value": "1", "url": base}] if elder else []))
        made.append(context)
        page = context.new_page()
        page.goto("/")
        return page

    yield make
    for context in made:
        context.close()
    assert foreign == []


def say(page: Page, text: str) -> None:
    page.get_by_label(FIELD).fill(text)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("mode", [{}, {"color_scheme": "dark"}, {"elder": True}], ids=["light", "dark", "elder"])
def test_a_conversation_on_the_phone_is_clean_under_axe(phone: Any, mode: dict[str, Any]) -> None:
    page = phone(f"axe-{len(mode)}-{mode.get('elder', 'no')}", **mode)
    nothing_found(page)
    page.locator("summary", has_text="图片、位置").click()
    page.get_by_role("button", name="关注公众号").click()
    expect(page.locator(".said.account .bubble")).to_contain_text("您好")
    say(page, "居民身份证有效期满换领要带什么")
    expect(page.locator(".said.account").last).to_contain_text("居民户口簿")
    nothing_found(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if "elder" in mode:
        size, text = page.evaluate(SMALLEST_JS)
        assert size >= 18, text


def test_a_long_conversation_scrolls_inside_the_screen(phone: Any) -> None:
    page = phone("long")
    for number in range(1, 7):
        say(page, "居民身份证有效期满换领要带什么")
        expect(page.locator(".said.account")).to_have_count(number)
    assert page.evaluate("document.documentElement.scrollHeight") == PHONE["height"]
    expect(page.locator(".said.account").last).to_be_in_viewport()


def test_a_digit_and_a_menu_press_are_answered(phone: Any) -> None:
    page = phone("digits")
    say(page, "居民身份证有效期满换领要带什么")
    expect(page.locator(".said.account")).to_have_count(1)
    say(page, "1")
    expect(page.locator(".said.account")).to_have_count(2)
    page.locator("summary", has_text="投诉与人工").click()
    page.get_by_role("button", name="转人工").click()
    expect(page.locator(".said.account").last).to_contain_text("12345")


def test_a_picture_a_place_and_a_scan(phone: Any) -> None:
    page = phone("pictures")
    made = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(made, "JPEG")
    page.locator("summary", has_text="图片、位置").click()
    page.get_by_label("图片", exact=True).set_input_files(
        {"name": "road.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}
    )
    page.get_by_role("button", name="发图片").click()
    expect(page.locator(".said.account").last).to_contain_text("照片收到了")
    page.locator("summary", has_text="图片、位置").click()
    page.get_by_role("button", name="发位置").click()
    expect(page.locator(".said.account").last).to_contain_text("位置收到了")
    page.locator("summary", has_text="图片、位置").click()
    code = next(row["code"] for row in sample_guides() if row["name"] == "居民身份证有效期满换领")
    page.get_by_label("窗口二维码里的事项编码").fill(code)
    page.get_by_role("button", name="扫码").click()
    expect(page.locator(".said.account").last).to_contain_text("居民身份证有效期满换领")


def test_what_is_said_is_never_markup(phone: Any) -> None:
    page = phone("markup")
    say(page, "<img src=x onerror=alert(1)>]]><b>x</b>")
    expect(page.locator(".said.citizen .bubble")).to_have_text("<img src=x onerror=alert(1)>]]><b>x</b>")
    expect(page.locator(".said.account")).to_have_count(1)
    expect(page.locator(".screen img")).to_have_count(0)


def test_without_scripts_the_page_shows_itself_again(phone: Any) -> None:
    page = phone("plain", java_script_enabled=False)
    page.get_by_label(FIELD).fill("你好")
    page.get_by_role("button", name="发送").click()
    expect(page.locator(".said.account .bubble")).to_contain_text("您好", timeout=20_000)
