"""The pages as a browser without scripts gets them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from channels.web.pages import UI, phones
from index.encoder import Encoder
from tests.gateway import Gateway, running, settings_for

HTML = {"Accept": "text/html"}


def test_the_root_leads_to_the_chat(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/chat")


def test_the_chat_offers_questions_the_catalogue_answers(gateway: Gateway) -> None:
    with gateway.client() as client:
        page = client.get("/chat", headers=HTML).text
    starters = re.findall(r'name="quick" value="([^"]+)"', page)
    assert "转人工" in starters
    questions = [starter for starter in starters if starter != "转人工"]
    assert len(questions) >= 3
    assert gateway.say(questions[0])["outcome"] in {"answered", "clarify"}


def test_without_a_script_the_form_converses(gateway: Gateway) -> None:
    with gateway.client(follow_redirects=True) as client:
        page = client.get("/chat", headers=HTML).text
        (message_id,) = set(re.findall(r'name="client_message_id" value="(\w+)"', page))
        form = {"text": "居民身份证有效期满换领要多少钱", "client_message_id": message_id}
        page = client.post("/chat", data=form, headers=HTML).text
        assert "居民身份证有效期满换领要多少钱" in page
        assert "来源：" in page
        assert "完整指南" in page
        again = client.post("/chat", data=form, headers=HTML).text
        assert again.count('class="turn citizen"') == page.count('class="turn citizen"')
        payload = re.findall(r'name="quick" value="([^"]+)" formnovalidate><span class="number">1', page)[-1]
        page = client.post("/chat", data={"quick": payload, "text": "left in the field"}, headers=HTML).text
        log = page.split('role="log"')[1].split('class="state"')[0]
        assert log.count('<article class="turn citizen">') == 2
        bubble = log.split('<article class="turn citizen">')[2].split("</article>")[0]
        assert payload not in bubble, "shown as its words, not as its code"


def test_a_form_without_text_says_so_and_keeps_the_page(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.post("/chat", data={"text": "  "}, headers=HTML)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert 'name="text"' in response.text


def test_a_forgotten_conversation_begins_anew(gateway: Gateway) -> None:
    with gateway.client(cookies={"wenban_conversation": "never-was"}) as client:
        assert client.get("/chat", headers=HTML).status_code == 200
        assert client.post("/chat", data={"text": "你好"}, headers=HTML).status_code == 303


def test_what_a_citizen_writes_is_escaped(gateway: Gateway) -> None:
    attack = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'
    with gateway.client(follow_redirects=True) as client:
        pages = [
            client.post("/chat", data={"text": attack}, headers=HTML).text,
            client.get("/chat", params={"ask": attack}, headers=HTML).text,
            client.get("/matters", params={"q": attack}, headers=HTML).text,
        ]
    for page in pages:
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "&lt;img src=x" in page


@pytest.mark.parametrize(
    "path", ["/chat", "/matters", "/matters/nothing-here", "/nowhere", "/api/v1/matters", "/healthz"]
)
def test_every_answer_carries_the_security_headers(gateway: Gateway, path: str) -> None:
    with gateway.client() as client:
        headers = client.get(path, headers=HTML).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_pages_hold_no_inline_code_and_no_other_host(gateway: Gateway) -> None:
    code = gateway.say("居民身份证有效期满换领")["matter"]
    with gateway.client() as client:
        pages = [client.get(path, headers=HTML).text for path in ("/chat", "/matters", f"/matters/{code}", "/nowhere")]
    for page in pages:
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
        assert not re.search(r"\son\w+=|\sstyle=", page)
        assert not re.search(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//', page)


def test_a_guide_is_a_page_to_read(gateway: Gateway) -> None:
    code = gateway.say("居民身份证有效期满换领")["matter"]
    with gateway.client() as client:
        page = client.get(f"/matters/{code}", headers=HTML).text
    for part in (
        "居民身份证有效期满换领",
        code,
        "居民户口簿",
        "申请材料",
        "收费",
        "办理流程",
        "办理地点",
        "设定依据",
        "版本",
    ):
        assert part in page
    assert 'href="tel:' in page


def test_the_list_finds_filters_and_turns_pages(gateway: Gateway) -> None:
    with gateway.client() as client:
        assert "居民身份证丢失补领" in client.get("/matters", params={"q": "身份证"}, headers=HTML).text
        everything = client.get("/matters", headers=HTML).text
        assert "下一页" in everything
        assert "上一页" in client.get("/matters", params={"page": 2}, headers=HTML).text
        none = client.get("/matters", params={"q": "养大熊猫"}, headers=HTML).text
    assert "/chat?ask=" in none


def test_elder_mode_is_remembered_and_leads_back_here_only(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.post("/preferences", data={"elder": "on", "back": "/matters?q=身份证"})
        assert response.status_code == 303
        assert response.headers["location"].startswith("/matters?q=")
        assert "data-elder" in client.get("/matters", headers=HTML).text.split("<head>")[0]
        for back in ("https://evil.example/", "//evil.example", "/\\evil.example"):
            location = client.post("/preferences", data={"elder": "off", "back": back}).headers["location"]
            assert location == "/chat"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_of_another_site_is_refused(gateway: Gateway, headers: dict[str, str]) -> None:
    with gateway.client() as client:
        response = client.post("/chat", data={"text": "你好"}, headers={**HTML, **headers})
    assert response.status_code == 403
    assert "别的网站" in response.text


def test_static_files_are_cached_by_content(gateway: Gateway) -> None:
    with gateway.client() as client:
        page = client.get("/chat", headers=HTML).text
        addresses = set(re.findall(r'"(/static/[^"]+)"', page))
        assert len(addresses) >= 5
        for address in addresses:
            response = client.get(address)
            assert response.status_code == 200
            assert "immutable" in response.headers["cache-control"]
        assert client.get("/static/0123456789ab/../../app.py").status_code == 404


def test_without_a_catalogue_the_page_stands_and_the_question_is_refused_politely(
    tmp_path: Path, encoder: Encoder
) -> None:
    with running(settings_for(tmp_path / "empty"), encoder) as empty, empty.client() as client:
        assert client.get("/chat", headers=HTML).status_code == 200
        response = client.post("/api/v1/chat", json={"text": "护照怎么办"})
        assert response.status_code == 503
        assert response.json()["error"] == "no_catalogue"
        assert "wenban import" in response.json()["remedy"]
        assert client.get("/readyz").status_code == 503


def test_scripts_keep_to_what_older_phones_read() -> None:
    for path in (UI / "static").glob("*.js"):
        code = path.read_text("utf-8")
        assert "(?<" not in code, f"{path.name}: iPhones before 16.4 refuse lookbehinds"
        assert ".innerHTML" not in code


@pytest.mark.parametrize(
    ("text", "dialled"),
    [
        ("0799-2231110", ["07992231110"]),
        ("0799-2231110、13800138000", ["07992231110", "13800138000"]),
        ("工作日拨打12345", ["12345"]),
        ("编码1234567890123", []),
        ("无", []),
    ],
)
def test_telephone_numbers_can_be_dialled(text: str, dialled: list[str]) -> None:
    parts = phones(text)
    assert "".join(part.text for part in parts) == text
    assert [part.dial for part in parts if part.dial] == dialled
