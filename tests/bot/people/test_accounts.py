"""Accounts: making them, signing in and out, locking, demonstration accounts."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import FixedClock
from bot.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from bot.people.demo import FILE, create_demo_accounts, refuse_demo_accounts
from bot.people.model import FAILURES_ALLOWED, IDLE_FOR, LOCKED_FOR, SIGNED_IN_FOR, Role
from bot.people.service import PeopleService
from bot.people.tables import AccountRow, SignInRow
from bot.settings import Settings, load_settings
from bot.store import Store
from bot.store.audit import AuditRow, first_break

PASSWORD = "云山 correct horse"


@pytest.fixture
def people(any_store: Store, clock: FixedClock) -> PeopleService:
    return PeopleService(any_store, clock)


def test_signing_in_and_out(people: PeopleService, any_store: Store) -> None:
    made = people.create(" Zhang.San ", PASSWORD, Role.OPERATOR, display_name="张三", actor="root")
    token, account = people.login("ZHANG.san", PASSWORD)
    assert account == made == people.authenticate(token)
    with any_store.read() as session:
        assert PASSWORD not in session.scalars(select(AccountRow.password_hash)).one()
        assert token not in session.scalars(select(SignInRow.digest)).one()
        assert session.scalars(select(AuditRow.action)).all() == ["account.create", "account.login"]
        assert first_break(session) is None
    people.logout(token)
    people.logout(token)
    assert people.authenticate(token) is None
    assert people.authenticate("made up") is None


def test_an_unknown_name_and_a_wrong_password_look_the_same(people: PeopleService) -> None:
    people.create("zhang", PASSWORD, Role.OPERATOR)
    answers = []
    for name, password in [("nobody", PASSWORD), ("zhang", "wrong"), ("zhang", "x" * 100_000), ("", "")]:
        with pytest.raises(Unauthenticated) as raised:
            people.login(name, password)
        answers.append(raised.value.as_dict())
    assert all(answer == answers[0] for answer in answers)


def test_an_account_locks_after_repeated_failures_and_opens_again(people: PeopleService, clock: FixedClock) -> None:
    people.create("zhang", PASSWORD, Role.OPERATOR)
    for _ in range(FAILURES_ALLOWED):
        with pytest.raises(Unauthenticated):
            people.login("zhang", "wrong")
    with pytest.raises(TooManyRequests):
        people.login("zhang", PASSWORD)
    clock.advance(LOCKED_FOR)
    people.login("zhang", PASSWORD)


def test_a_success_forgives_earlier_failures(people: PeopleService) -> None:
    people.create("zhang", PASSWORD, Role.OPERATOR)
    for _ in range(3):
        for _ in range(FAILURES_ALLOWED - 1):
            with pytest.raises(Unauthenticated):
                people.login("zhang", "wrong")
        people.login("zhang", PASSWORD)


def test_a_sign_in_runs_out_when_idle_and_when_old(people: PeopleService, clock: FixedClock) -> None:
    people.create("zhang", PASSWORD, Role.OPERATOR)
    token, _ = people.login("zhang", PASSWORD)
    clock.advance(IDLE_FOR)
    assert people.authenticate(token) is None
    token, _ = people.login("zhang", PASSWORD)
    for _ in range(int(SIGNED_IN_FOR / timedelta(hours=1)) - 1):
        clock.advance(timedelta(hours=1))
        assert people.authenticate(token) is not None
    clock.advance(timedelta(hours=1))
    assert people.authenticate(token) is None


def test_closing_an_account_or_changing_its_password_ends_its_sign_ins(people: PeopleService) -> None:
    people.create("zhang", PASSWORD, Role.OPERATOR)
    token, _ = people.login("zhang", PASSWORD)
    people.change_password("zhang", PASSWORD + "!", actor="zhang")
    assert people.authenticate(token) is None
    token, _ = people.login("zhang", PASSWORD + "!")
    people.set_active("zhang", False, actor="root")
    assert people.authenticate(token) is None
    with pytest.raises(Unauthenticated):
        people.login("zhang", PASSWORD + "!")
    people.set_active("zhang", True, actor="root")
    people.login("zhang", PASSWORD + "!")


def test_what_is_refused(people: PeopleService) -> None:
    people.create("zhang", PASSWORD, Role.OPERATOR)
    with pytest.raises(Conflict):
        people.create("Zhang", PASSWORD, Role.EDITOR)
    for username, password in [
        ("z", PASSWORD),
        ("张三", PASSWORD),
        ("a b", PASSWORD),
        ("li", "short"),
        ("li.si", "my-li.si-password"),
    ]:
        with pytest.raises(InvalidInput) as raised:
            people.create(username, password, Role.EDITOR)
        assert raised.value.remedy
    with pytest.raises(InvalidInput):
        people.create("wang", PASSWORD, Role.DEPARTMENT)
    with pytest.raises(NotFound):
        people.set_active("nobody", False, actor="root")
    assert [account.username for account in people.accounts()] == ["zhang"]


@pytest.fixture
def home_settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


def test_demo_accounts_are_made_once_and_work(people: PeopleService, home_settings: Settings) -> None:
    made = create_demo_accounts(people, home_settings)
    assert {account.role for account in made} == set(Role)
    assert create_demo_accounts(people, home_settings) == []
    for account in made:
        assert people.login(account.username, account.password)[1].role is account.role
    file = home_settings.home / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line.split("\t")[1] for line in file.read_text("utf-8").splitlines()] == [a.password for a in made]


def test_demo_accounts_are_refused_in_production(people: PeopleService, home_settings: Settings) -> None:
    production = load_settings(
        home=home_settings.home, environment="production", secret_key="k" * 40, data_key="0" * 64
    )
    with pytest.raises(Forbidden):
        create_demo_accounts(people, production)
    refuse_demo_accounts(people, production)
    create_demo_accounts(people, home_settings)
    with pytest.raises(ConfigurationError, match="administrator"):
        refuse_demo_accounts(people, production)
    for account in people.demo_accounts():
        people.set_active(account.username, False, actor="root")
    refuse_demo_accounts(people, production)
