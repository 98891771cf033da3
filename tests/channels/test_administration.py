"""The administrator's pages: accounts and keys, through a running gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from bot.people.model import Role
from bot.rule_file import digest
from bot.store.audit import Wanted
from bot.store.trail import Trail
from tests.gateway import Gateway

PASSWORD = "correct-horse-battery"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def staffed(gateway: Gateway) -> Gateway:
    gateway.services.people.create("chief", PASSWORD, Role.ADMINISTRATOR)
    gateway.services.people.create("inspector", PASSWORD, Role.AUDITOR)
    return gateway


@pytest.fixture
def chief(staffed: Gateway) -> Iterator[httpx.Client]:
    with staffed.client(headers=HTML) as client:
        client.post("/login", data={"username": "chief", "password": PASSWORD})
        yield client


def post(client: httpx.Client, page: str, to: str, **form: str) -> httpx.Response:
    (token,) = set(re.findall(r'name="token" value="(\w+)"', client.get(page).text))
    return client.post(to, data={"token": token, **form})


def test_an_account_is_made_used_given_a_new_password_and_closed(staffed: Gateway, chief: httpx.Client) -> None:
    form = {"username": "lin", "display_name": "林华", "role": "operator", "password": PASSWORD}
    assert post(chief, "/accounts", "/accounts", **form).headers["location"] == "/accounts"
    assert "林华" in chief.get("/accounts").text
    with staffed.client(headers=HTML) as client:
        assert client.post("/login", data={"username": "lin", "password": PASSWORD}).headers["location"] == "/desk"
        post(chief, "/accounts", "/accounts/lin/password", password="another-long-password")
        assert client.get("/desk").status_code == 303, "the sign-in ended with the password"
        client.post("/login", data={"username": "lin", "password": "another-long-password"})
        assert client.get("/desk").status_code == 200
        post(chief, "/accounts", "/accounts/lin/active", active="false")
        assert client.get("/desk").status_code == 303
    acts = Trail(staffed.services.store).page(Wanted(actor="chief", action="account.")).entries
    done = [act.action for act in acts if act.action != "account.login"]
    assert done == ["account.close", "account.password", "account.create"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"username": "X"}, "用户名不对"),
        ({"password": "short"}, "口令不合要求"),
        ({"role": "emperor"}, "没有这个角色"),
        ({"role": "department"}, "所属单位"),
        ({"username": "chief"}, "已有人使用"),
    ],
)
def test_what_cannot_be_an_account_is_said(chief: httpx.Client, form: dict[str, str], says: str) -> None:
    whole = {"username": "fresh", "display_name": "新", "role": "operator", "password": PASSWORD, **form}
    refused = post(chief, "/accounts", "/accounts", **whole)
    assert refused.status_code in {409, 422}
    assert says in refused.text


def test_nobody_shuts_himself_out(chief: httpx.Client) -> None:
    refused = post(chief, "/accounts", "/accounts/chief/active", active="false")
    assert refused.status_code == 409
    assert chief.get("/accounts").status_code == 200


def test_a_keys_token_is_shown_once_and_taken_back_at_once(staffed: Gateway, chief: httpx.Client) -> None:
    made = post(chief, "/keys", "/keys", name="approval", scopes="complaints:read")
    (token,) = re.findall(r"<code>(wbk_[\w-]+)</code>", made.text)
    assert token not in chief.get("/keys").text
    with staffed.client() as client:
        assert client.get("/open311/v2/requests.json", params={"api_key": token}).status_code == 200
        assert post(chief, "/keys", "/keys/approval/revoke").headers["location"] == "/keys"
        assert client.get("/open311/v2/requests.json", params={"api_key": token}).status_code == 401
    assert "没有说明" in post(chief, "/keys", "/keys", name="idle").text


def test_an_auditor_reads_who_did_what_and_checks_the_record(staffed: Gateway, chief: httpx.Client) -> None:
    post(chief, "/keys", "/keys", name="seen-by-audit", scopes="cases:write")
    with staffed.client(headers=HTML) as client:
        client.post("/login", data={"username": "inspector", "password": PASSWORD})
        page = client.get("/audit", params={"actor": "chief", "action": "key.", "subject": "seen-by"}).text
        assert "seen-by-audit" in page
        assert client.get("/audit", params={"since": "2031-01-01"}).text.count("<tr>") == 0
        assert client.get("/audit", params={"since": "yesterday"}).status_code == 422
        assert "记录完整" in post(client, "/audit", "/audit/check").text


def test_a_table_of_rules_is_checked_saved_followed_and_restored(staffed: Gateway, chief: httpx.Client) -> None:
    limits = staffed.services.complaints.limits
    page = "/rules/complaint_limits"
    (seen,) = re.findall(r'name="seen" value="(\w+)"', chief.get(page).text)
    text = limits.text().replace("extension = 5", "extension = 8")
    assert "检查通过" in post(chief, page, page, text=text, seen=seen, act="check").text
    assert limits.current().extension == 5
    assert post(chief, page, page, text=text, seen=seen, act="save").status_code == 303
    assert limits.current().extension == 8
    stale = post(chief, page, page, text=text, seen=seen, act="save")
    assert (stale.status_code, "刚被别人改过" in stale.text) == (409, True)
    faulty = post(chief, page, page, text="office_closes = 25", seen="", act="check")
    assert (faulty.status_code, "不能使用" in faulty.text) == (422, True)
    post(chief, page, page, act="restore")
    assert limits.current().extension == 5
    acts = Trail(staffed.services.store).page(Wanted(actor="chief", action="rules.")).entries
    assert [act.action for act in acts] == ["rules.restore", "rules.save"]
    file = staffed.services.complaints.categories
    page, whole = "/rules/complaint_categories", file.text() + "\n" * 100
    assert len(whole.encode()) > 64 * 1024
    assert post(chief, page, page, text=whole, seen=digest(file.text()), act="save").status_code == 303
    assert file.text() == whole
    post(chief, page, page, act="restore")
    for name in ("complaint_categories", "supervision_rules"):
        assert chief.get(f"/rules/{name}").status_code == 200
    assert chief.get("/rules/nothing").status_code == 404
