"""Accounts and what their holders may be; the rules of passwords and of locking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.errors import InvalidInput


class Role(StrEnum):
    """What an account may do here."""

    ADMINISTRATOR = "administrator"  # accounts and settings
    EDITOR = "editor"  # guides and powers
    OPERATOR = "operator"  # the desk: citizens' conversations and complaints
    DEPARTMENT = "department"  # a unit's clerk, who handles what is dispatched to it
    HEAD = "head"  # the head of a unit: does what its clerks do, and is told what has become late there
    SUPERVISOR = "supervisor"  # the board
    AUDITOR = "auditor"  # reads who did what; changes nothing


ROLE_NAMES = {
    Role.ADMINISTRATOR: "系统管理员",
    Role.EDITOR: "指南编辑",
    Role.OPERATOR: "坐席",
    Role.DEPARTMENT: "承办单位经办人",
    Role.HEAD: "承办单位负责人",
    Role.SUPERVISOR: "督办员",
    Role.AUDITOR: "审计员",
}

OF_UNITS = frozenset({Role.DEPARTMENT, Role.HEAD})
"""Roles that belong to one unit, and see no other's complaints."""

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=15)
SIGNED_IN_FOR = timedelta(hours=12)
IDLE_FOR = timedelta(hours=2)

_USERNAME = re.compile(r"[a-z][a-z0-9_.-]{1,39}")


@dataclass(frozen=True)
class Account:
    """An account without its secrets. ``department`` is the unit that its clerk or head belongs to."""

    id: int
    username: str
    display_name: str
    role: Role
    department: str | None
    active: bool
    created_at: datetime


def checked_username(username: str) -> str:
    """The username as stored; raises InvalidInput where it cannot be one."""
    username = username.strip().lower()
    if not _USERNAME.fullmatch(username):
        raise InvalidInput(
            "用户名不对。",
            code="username_invalid",
            remedy="请用 2 到 40 个小写字母、数字、点、横线或下划线，以字母开头。",
        )
    return username


def check_password(password: str, username: str) -> None:
    """Raises InvalidInput where ``password`` is too short, too long or the username itself."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or username in password.lower():
        raise InvalidInput(
            "口令不合要求。",
            code="password_weak",
            remedy=f"请用 {SHORTEST_PASSWORD} 到 {LONGEST_PASSWORD} 个字符，不要包含用户名。",
        )


def locked_until(failures: int, now: datetime) -> datetime | None:
    """Until when an account is locked after its ``failures``-th failure in a row; None while more tries are allowed."""
    return now + LOCKED_FOR if failures >= FAILURES_ALLOWED else None


def is_signed_in(signed_in_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a sign-in still holds: neither too old nor idle for too long."""
    return now < signed_in_at + SIGNED_IN_FOR and now < seen_at + IDLE_FOR
