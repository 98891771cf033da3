"""Which role may call what: read off the routes themselves, for the documentation, the tests and the staff's menu."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from bot.people.model import OF_UNITS, Role


@dataclass(frozen=True, slots=True)
class Access:
    """One method of one path. ``roles`` None: open to everybody, or guarded by a key or a code of its own."""

    method: str
    path: str
    roles: frozenset[Role] | None


@dataclass(frozen=True, slots=True)
class StaffPage:
    """A page of the staff's menu."""

    path: str
    title: str
    roles: frozenset[Role]


STAFF_PAGES = (
    StaffPage("/board", "督办看板", frozenset({Role.SUPERVISOR})),
    StaffPage("/desk", "坐席台", frozenset({Role.OPERATOR, Role.SUPERVISOR})),
    StaffPage("/triage", "派单台", frozenset({Role.OPERATOR})),
    StaffPage("/desk/quality", "服务质量", frozenset({Role.OPERATOR, Role.SUPERVISOR})),
    StaffPage("/unit", "本单位诉求", OF_UNITS),
    StaffPage("/callbacks", "回访", frozenset({Role.OPERATOR})),
    StaffPage("/rectifications", "整改", OF_UNITS | {Role.SUPERVISOR}),
    StaffPage("/alarms", "提醒", OF_UNITS | {Role.OPERATOR, Role.SUPERVISOR}),
    StaffPage("/console", "控制台", frozenset({Role.ADMINISTRATOR, Role.EDITOR})),
    StaffPage("/learn", "学习", frozenset({Role.EDITOR})),
    StaffPage("/hit-test", "检索试验", frozenset({Role.EDITOR, Role.ADMINISTRATOR, Role.SUPERVISOR})),
    StaffPage("/accounts", "账号", frozenset({Role.ADMINISTRATOR})),
    StaffPage("/keys", "接口密钥", frozenset({Role.ADMINISTRATOR})),
    StaffPage("/rules", "规则表", frozenset({Role.ADMINISTRATOR})),
    StaffPage("/audit", "审计", frozenset({Role.AUDITOR})),
)


def menu(role: Role) -> list[StaffPage]:
    """The pages of ``role``, in the order they are shown."""
    return [page for page in STAFF_PAGES if role in page.roles]


def home(role: Role) -> str:
    """Where ``role`` begins after signing in."""
    pages = menu(role)
    return pages[0].path if pages else "/chat"


def accesses(app: FastAPI) -> list[Access]:
    """Every method of every route of ours, by path."""
    found = [
        Access(method, context.path or "", _roles(_dependant(context)))
        for context in iter_route_contexts(app.routes)
        for method in sorted(context.methods or ())
    ]
    return sorted(found, key=lambda access: (access.path, access.method))


def _dependant(context: RouteContext) -> Dependant:
    return getattr(context, "dependant", None) or Dependant()  # none: not one of FastAPI's own routes


def _roles(dependant: Dependant) -> frozenset[Role] | None:
    """The roles that the dependencies of a route ask for, however deep they lie."""
    found: list[frozenset[Role]] = []
    for each in dependant.dependencies:
        own = getattr(each.call, "roles", None)
        below = _roles(each)
        found.extend(roles for roles in (own, below) if roles is not None)
    return frozenset.intersection(*found) if found else None
