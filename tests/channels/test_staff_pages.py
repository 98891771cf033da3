"""Signing in, and the console behind it."""

from __future__ import annotations

import re

import httpx
import pytest

from bot.people.model import Role
from tests.gateway import Gateway

HTML = {"Accept": "text/html"}
PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def staffed(gateway: Gateway) -> Gateway:
    gateway.services.people.create("it-office", PASSWORD, Role.ADMINISTRATOR)
    gateway.services.people.create("desk-one", PASSWORD, Role.OPERATOR)
    return gateway


def _signed_in(client: httpx.Client, username: str) -> httpx.Response:
    return client.post("/login", data={"username": username, "password": PASSWORD, "back": "/console"}, headers=HTML)


def test_the_console_leads_to_the_sign_in_and_back(staffed: Gateway) -> None:
    with staffed.client() as client:
        response = client.get("/console", headers=HTML)
        assert (response.status_code, response.headers["location"]) == (303, "/login?back=/console")
        response = _signed_in(client, "it-office")
        assert (response.status_code, response.headers["location"]) == (303, "/console")
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        page = client.get("/console", headers=HTML).text
    for part in ("控制台", "数据库", "语义索引", "后台任务", "导入记录", "import.jsonl"):
        assert part in page


def test_another_role_is_refused(staffed: Gateway) -> None:
    with staffed.client() as client:
        _signed_in(client, "desk-one")
        response = client.get("/console", headers=HTML)
    assert response.status_code == 403
    assert "没有这个权限" in response.text


def test_a_wrong_password_and_an_unknown_name_look_the_same(staffed: Gateway) -> None:
    with staffed.client() as client:
        pages = [
            client.post("/login", data={"username": name, "password": "wrong-password"}, headers=HTML)
            for name in ("it-office", "nobody-here")
        ]
    assert {page.status_code for page in pages} == {401}
    texts = [page.text.replace("it-office", "").replace("nobody-here", "") for page in pages]
    assert texts[0] == texts[1]


def test_signing_out_wants_the_pages_own_token(staffed: Gateway) -> None:
    with staffed.client() as client:
        _signed_in(client, "it-office")
        assert client.post("/logout", data={"token": "guessed"}, headers=HTML).status_code == 403
        (token,) = re.findall(r'name="token" value="(\w+)"', client.get("/console", headers=HTML).text)
        assert client.post("/logout", data={"token": token}, headers=HTML).headers["location"] == "/login"
        assert client.get("/console", headers=HTML).status_code == 303


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_sign_in_leads_nowhere_else(staffed: Gateway, back: str) -> None:
    with staffed.client() as client:
        response = client.post("/login", data={"username": "it-office", "password": PASSWORD, "back": back})
    assert response.headers["location"] == "/console"


def test_a_sign_in_from_another_site_is_refused(staffed: Gateway) -> None:
    with staffed.client() as client:
        response = client.post(
            "/login",
            data={"username": "it-office", "password": PASSWORD},
            headers={**HTML, "Sec-Fetch-Site": "cross-site"},
        )
    assert response.status_code == 403
