"""API keys as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.errors import InvalidInput

TOKEN_PREFIX = "wbk_"  # noqa: S105  (what tokens begin with, so that one is recognised where it should not be)

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


class Scope(StrEnum):
    """What a key may do."""

    CASES_WRITE = "cases:write"  # PUT /api/v1/cases/{number}
    COMPLAINTS_WRITE = "complaints:write"  # file complaints on behalf of citizens
    COMPLAINTS_READ = "complaints:read"  # list complaints, nothing personal among them


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its token. ``name`` is also the source of what it writes: ``api:<name>``."""

    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    used_at: datetime | None
    revoked_at: datetime | None


def checked_name(name: str) -> str:
    """The name as stored; raises InvalidInput."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "密钥名称不对。", code="key_name_invalid", remedy="请用 2 到 40 个小写字母、数字或横线，以字母开头。"
        )
    return name
