"""The commands ``accounts``: who may sign in, and as what."""

from __future__ import annotations

import getpass
import sys

from bot.errors import InvalidInput
from bot.people.model import ROLE_NAMES, Role
from bot.people.service import PeopleService
from bot.settings import load_settings
from channels.console import parts
from channels.console.output import OUT, print_json, table

ACTOR = "terminal"


def show(*, as_json: bool) -> None:
    """Every account, without secrets."""
    found = _people().accounts()
    if as_json:
        print_json(
            [
                {"username": a.username, "name": a.display_name, "role": a.role, "unit": a.department, "open": a.active}
                for a in found
            ]
        )
        return
    rows = [
        (a.username, a.display_name, ROLE_NAMES[a.role], a.department or "", "启用" if a.active else "停用")
        for a in found
    ]
    OUT.print(table(["用户名", "姓名", "角色", "单位", "状态"], rows) if rows else "还没有账号。")


def add(username: str, role: str, name: str, department: str | None) -> None:
    """Makes an account with a password typed now. Raises InvalidInput, Conflict."""
    try:
        known = Role(role)
    except ValueError:
        listed = "、".join(f"{r.value}（{title}）" for r, title in ROLE_NAMES.items())
        raise InvalidInput(f"没有角色 {role}。", code="role_unknown", remedy=f"角色有：{listed}。") from None
    account = _people().create(username, _new_password(), known, display_name=name, department=department, actor=ACTOR)
    OUT.print(f"已新建账号 {account.username}（{ROLE_NAMES[account.role]}）。")


def password(username: str) -> None:
    """Sets a password typed now and ends the account's sign-ins. Raises InvalidInput, NotFound."""
    _people().change_password(username, _new_password(), actor=ACTOR)
    OUT.print(f"已重设 {username} 的口令，各处的登录都已退出。")


def set_active(username: str, *, active: bool) -> None:
    """Closes or reopens an account. Raises NotFound."""
    _people().set_active(username.strip().lower(), active, actor=ACTOR)
    OUT.print(f"账号 {username} 已{'启用' if active else '停用'}。")


def _people() -> PeopleService:
    settings = load_settings()
    parts.upgrade(settings)
    return parts.people(settings)


def _new_password() -> str:
    """Typed twice at a terminal, else one line of standard input: never an argument, which others could see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("口令：")
    if getpass.getpass("再输一次：") != first:
        raise InvalidInput("两次输入的口令不一样。", code="passwords_differ", remedy="请重新运行命令。")
    return first
