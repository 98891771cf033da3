"""Every route is walked with every role: what is not granted is refused, and nothing is open by oversight."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.people.model import OF_UNITS, Role
from channels.web.access import Access, accesses, home, menu
from index.encoder import Encoder
from tests.gateway import Gateway, copied, running, settings_for

PASSWORD = "correct-horse-battery"
UNIT = "云山市城市管理监督局"
HTML = {"Accept": "text/html"}
OPEN = {
    "/", "/chat", "/preferences", "/matters", "/matters/{code}", "/judge/{token}",  # citizens' pages
    "/api/v1/chat", "/api/v1/conversations/{conversation_id}/events",
    "/api/v1/conversations/{conversation_id}/marks", "/api/v1/matters", "/api/v1/matters/{code}",
    "/api/v1/cases/{number}", "/api/v1/complaints", "/api/v1/complaints/{number}",  # by code or key
    "/complaints", "/complaints/{number}",  # by the code, given in a form
    "/chat/attachments", "/api/v1/attachments",
    "/api/v1/conversations/{conversation_id}/attachments/{attachment_id}",  # by the conversation's own id
    "/api/v1/complaints/{number}/join",
    "/webhook", "/wechat",  # guarded by tokens of their own
    "/open311/v2/discovery.{shape}", "/open311/v2/services.{shape}", "/open311/v2/services/{code}.{shape}",
    "/open311/v2/requests.{shape}", "/open311/v2/requests/{number}.{shape}", "/open311/v2/tokens/{token}.{shape}",
    "/login", "/logout", "/healthz", "/readyz", "/metrics", "/openapi.json",
}  # fmt: skip
"""Routes that ask for no role. Whoever adds one here says that everybody may call it."""


@pytest.fixture(scope="module")
def gateway(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    with running(settings_for(copied(city, tmp_path_factory.mktemp("access") / "home")), encoder) as started:
        for role in Role:
            department = UNIT if role in OF_UNITS else None
            started.services.people.create(role.value, PASSWORD, role, department=department)
        yield started


@contextlib.contextmanager
def signed_in(gateway: Gateway, role: Role | None) -> Iterator[httpx.Client]:
    with gateway.client(headers={"Accept": "application/json"}) as client:
        if role is not None:
            response = client.post("/login", data={"username": role.value, "password": PASSWORD})
            assert response.headers["location"] == home(role)
        yield client


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "1", path)


def guarded(gateway: Gateway) -> list[Access]:
    return [access for access in accesses(gateway.app) if access.roles is not None]


def test_nothing_is_open_by_oversight(gateway: Gateway) -> None:
    unguarded = {access.path for access in accesses(gateway.app) if access.roles is None}
    assert unguarded - OPEN == set()


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_with_every_role(gateway: Gateway, role: Role | None) -> None:
    """Refused ones by role; granted ones get as far as the form's token, which this walk does not bring."""
    with signed_in(gateway, role) as client:
        for access in guarded(gateway):
            with client.stream(access.method, filled(access.path)) as response:  # a stream of events never ends
                where = f"{access.method} {access.path} as {role}"
                if role is None:
                    assert response.status_code == 303, where
                    assert response.headers["location"].startswith("/login"), where
                    continue
                refused = response.status_code == 403 and b"role_missing" in response.read()
                assert refused is (role not in (access.roles or ())), where


@pytest.mark.parametrize("role", list(Role))
def test_the_menu_shows_what_the_role_may_open(gateway: Gateway, role: Role) -> None:
    with signed_in(gateway, role) as client:
        for page in menu(role):
            response = client.get(page.path, headers=HTML)
            assert response.status_code == 200, page.path


def test_a_form_without_the_pages_own_token_changes_nothing(gateway: Gateway) -> None:
    for access in guarded(gateway):
        if access.method == "GET":
            continue
        role = min(access.roles or ())
        with signed_in(gateway, role) as client:
            response = client.request(access.method, filled(access.path), data={"token": "guessed"})
            # 422: the form was not even complete; nothing else may come before the token is looked at
            assert response.status_code in {403, 422}, access.path
