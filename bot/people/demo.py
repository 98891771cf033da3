"""Demonstration accounts: one for each role, with random passwords that are written to a file only the owner reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigurationError, Forbidden
from bot.people.model import OF_UNITS, ROLE_NAMES, Role
from bot.people.passwords import random_password
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store.faults import explaining

FILE = "demo-accounts.txt"
_DEPARTMENT = "云山市城市管理监督局"


@dataclass(frozen=True)
class DemoAccount:
    """A demonstration account with its password in clear, for whoever set the system up."""

    username: str
    password: str
    role: Role


def create_demo_accounts(people: PeopleService, settings: Settings) -> list[DemoAccount]:
    """Creates the accounts that do not exist yet and writes the file; returns only the new ones.

    Raises Forbidden in production, StorageFull.
    """
    if settings.environment == "production":
        raise Forbidden("生产环境不能创建演示账号。", code="demo_refused", remedy="请创建真实账号，口令由本人设定。")
    known = {account.username for account in people.accounts()}
    fresh = [DemoAccount(role.value, random_password(), role) for role in Role if role.value not in known]
    if not fresh:
        return []
    with explaining():
        # written first: an account whose password nobody ever saw would be of no use
        _append(settings.home / FILE, fresh)
    for account in fresh:
        people.create(
            account.username,
            account.password,
            account.role,
            display_name=f"演示{ROLE_NAMES[account.role]}",
            department=_DEPARTMENT if account.role in OF_UNITS else None,
            demo=True,
        )
    return fresh


def refuse_demo_accounts(people: PeopleService, settings: Settings) -> None:
    """Raises ConfigurationError where demonstration accounts are open in production."""
    if settings.environment != "production":
        return
    open_ones = people.demo_accounts()
    if open_ones:
        names = "、".join(account.username for account in open_ones)
        raise ConfigurationError(
            f"生产环境里还有可用的演示账号：{names}。",
            code="demo_accounts_open",
            remedy="请先停用这些账号，再以生产环境启动。",
        )


def _append(path: Path, accounts: list[DemoAccount]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        for account in accounts:
            file.write(f"{account.username}\t{account.password}\t{ROLE_NAMES[account.role]}\n")
