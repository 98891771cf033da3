"""API keys: shown once, checked by scope, taken back."""

from __future__ import annotations

import pytest

from bot.clock import FixedClock
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from bot.keys.model import Scope
from bot.keys.service import KeyService
from bot.store import Store


@pytest.fixture
def keys(store: Store, clock: FixedClock) -> KeyService:
    return KeyService(store, clock)


def test_a_key_opens_what_its_scopes_say_until_it_is_revoked(keys: KeyService) -> None:
    token, key = keys.add("Hall", [Scope.CASES_WRITE], actor="terminal")
    assert key.name == "hall"
    assert keys.authorise(token, Scope.CASES_WRITE).name == "hall"
    with pytest.raises(Forbidden):
        keys.authorise(token, Scope.COMPLAINTS_WRITE)
    assert keys.keys()[0].used_at is not None
    assert keys.revoke("hall", actor="terminal").revoked_at is not None
    with pytest.raises(Unauthenticated):
        keys.authorise(token, Scope.CASES_WRITE)


@pytest.mark.parametrize("token", [None, "", "wbk_", "wbk_" + "A" * 43, "密钥"])
def test_no_other_token_opens_anything(keys: KeyService, token: str | None) -> None:
    keys.add("hall", [Scope.CASES_WRITE], actor="terminal")
    with pytest.raises(Unauthenticated):
        keys.authorise(token, Scope.CASES_WRITE)


def test_the_token_is_not_in_the_store(keys: KeyService, store: Store) -> None:
    token, _ = keys.add("hall", [Scope.CASES_WRITE], actor="terminal")
    with store.read() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM api_keys").all()
    assert token not in str(rows)


def test_names_are_checked_and_taken_once(keys: KeyService) -> None:
    keys.add("hall", [Scope.CASES_WRITE], actor="terminal")
    with pytest.raises(Conflict):
        keys.add("hall", [Scope.CASES_WRITE], actor="terminal")
    for name in ("", "大厅", "a b", "-x"):
        with pytest.raises(InvalidInput):
            keys.add(name, [Scope.CASES_WRITE], actor="terminal")
    with pytest.raises(InvalidInput):
        keys.add("other", [], actor="terminal")
    with pytest.raises(NotFound):
        keys.revoke("nobody", actor="terminal")
