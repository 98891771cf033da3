"""A complaint from the first word to its end, in a browser and over a real Rasa: the citizen files it in the chat and
follows it on a phone, the unit signs and answers, the supervisor urges and closes, the citizen judges the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.clock import FixedClock
from bot.people.model import Role
from index.encoder import open_encoder
from tests.browser.conftest import DESKTOP, NewContext
from tests.browser.test_accessibility import nothing_found
from tests.browser.test_board import FOREST, NOW, PASSWORD, WATER, page_of
from tests.browser.test_chat import QUESTION, ask
from tests.gateway import Gateway, publish, publish_units, running, sample_guides, settings_for
from tests.rasa_server import RasaServer

SAID = "我要投诉，人民路药材公司门口自来水管爆了，水喷了两层楼高，没人来抢修"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, rasa_server: RasaServer) -> Iterator[Gateway]:
    """A city on a Monday morning that talks through Rasa, with a clerk and a supervisor."""
    home: Path = tmp_path_factory.mktemp("complaint-city")
    encoder, clock = open_encoder(threads=1), FixedClock(NOW)
    publish(home, sample_guides()[:4], encoder)
    publish_units(home, (WATER, FOREST), encoder, clock)
    with running(settings_for(home, rasa_url=rasa_server.url), encoder, clock) as started:
        started.services.complaints.warm()
        started.services.people.create("water", PASSWORD, Role.DEPARTMENT, department=WATER)
        started.services.people.create("board", PASSWORD, Role.SUPERVISOR)
        yield started


def said(page: Page, text: str, answer: str) -> None:
    """The citizen says ``text`` and reads an answer with ``answer`` in it."""
    turns = page.locator(".turn.bot").count()
    ask(page, text)
    expect(page.locator(".turn.bot")).to_have_count(turns + 1)
    expect(page.locator(".turn.bot").last).to_contain_text(answer)


def filed(page: Page) -> tuple[str, str]:
    """Files in the chat, with a question in between and a correction; number and query code."""
    page.goto("/chat")
    said(page, SAID, "什么时候")
    said(page, QUESTION, "什么时候")  # answered, and then the form goes on
    expect(page.locator(".slip")).to_have_count(1)
    said(page, "今天早上", "怎么解决")
    said(page, "希望尽快抢修", "手机号")
    said(page, "13812345678", "人民路药材公司门口")
    said(page, "不是人民路，是人民东路", "人民东路药材公司门口")
    nothing_found(page)
    page.get_by_role("button", name="没错").last.click()
    expect(page.locator(".turn.bot").last).to_contain_text("查询码")
    told = page.locator(".turn.bot").last.inner_text()
    nothing_found(page)
    number = re.search(r"TS ?(\d{6}) ?(\d{4}) ?(\d{3})", told)
    code = re.search(r"查询码\s*[:：]?\s*([2-9][2-9A-HJKMNP-Z]{5})", told)
    assert number is not None, told
    assert code is not None, told
    return "TS" + "".join(number.groups()), code.group(1)


def test_a_complaint_from_the_first_word_to_its_end(
    gateway: Gateway, rasa: RasaServer, new_context: NewContext
) -> None:
    rasa.actions.forward_to = f"{gateway.url}/webhook"
    citizen = new_context(reduced_motion="reduce").new_page()
    number, code = filed(citizen)
    assert rasa.actions.calls, "the dialogue went round Rasa"
    # The citizen follows it with number and code.
    citizen.goto("/complaints")
    nothing_found(citizen)
    citizen.get_by_label("编号").fill(number)
    citizen.get_by_label("查询码").fill(code)
    citizen.keyboard.press("Enter")
    expect(citizen.locator("main")).to_contain_text(WATER)
    expect(citizen.locator("main")).to_contain_text("人民东路药材公司门口")
    assert code not in citizen.url
    nothing_found(citizen)
    assert citizen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The unit signs, the supervisor urges, the unit answers.
    clerk = page_of(new_context(viewport=DESKTOP), "water", f"/unit/{number}")
    clerk.get_by_role("button", name="签收").click()
    expect(clerk.get_by_role("status")).to_contain_text("已办：签收")
    board = page_of(new_context(viewport=DESKTOP), "board", f"/board/items/{number}")
    board.get_by_label("催办的理由").fill("市民又打来电话")
    board.get_by_role("button", name="催办").click()
    expect(board.locator("#facts")).to_contain_text("人工催办")
    nothing_found(board)
    expect(clerk.locator("#facts")).to_contain_text("市民又打来电话")
    clerk.get_by_label("答复内容").fill("已抢修，今早恢复供水。")
    clerk.get_by_role("button", name="答复", exact=True).first.click()
    expect(clerk.get_by_role("status")).to_contain_text("已答复")
    nothing_found(clerk)
    # The citizen reads the answer and judges it; the supervisor closes.
    citizen.goto(f"/complaints/{number}")
    expect(citizen.locator("main")).to_contain_text("已抢修，今早恢复供水。")
    nothing_found(citizen)
    citizen.get_by_label("非常满意").check()
    citizen.locator("form.judge button").click()
    expect(citizen.get_by_role("status")).to_contain_text("非常满意")
    nothing_found(citizen)
    board.goto(f"/board/items/{number}")
    board.get_by_text("审核通过").first.click()
    board.locator("#act-review").get_by_role("button", name="审核通过").click()
    board.get_by_role("button", name="办结").click()
    expect(board.get_by_role("status")).to_contain_text("已办结")
    citizen.goto(f"/complaints/{number}")
    expect(citizen.locator("main")).to_contain_text("已办结")
    # He may disagree with number and code alone: it is handled again.
    citizen.get_by_text("不认可").first.click()
    citizen.get_by_label("哪里没有解决").fill("今早又停水了")
    citizen.get_by_role("button", name="要求重新办理").click()
    expect(citizen.get_by_role("status")).to_be_visible()
    assert gateway.services.board.complaint(number).item.state == "reopened"
