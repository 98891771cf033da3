"""Which subscription template (订阅通知) of the account stands for which notification, and how its fields are filled.

The platform's rules: every field has a kind in its name (``thing2``, ``character_string3`` …) with a length of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import ConfigurationError
from bot.settings import Settings

FILE = "wechat-notices.toml"
LONGEST: Mapping[str, int] = {"thing": 20, "character_string": 20, "number": 20, "phrase": 5, "name": 10, "const": 20}
"""Characters of a value by the field's kind; others have twenty."""
LONGEST_OTHER = 20
CUT = frozenset({"thing", "phrase", "name", "const"})
"""Kinds that may be shortened; a shortened number or date would be a wrong one."""
EMPTY = "无"
OPENED = ("judge", "link")
_FIELD = re.compile(r"([a-z_]+?)\d{1,3}")


@dataclass(frozen=True, slots=True)
class Notice:
    """One template. ``fields``: the template's field → the notification's value; ``page``: the value with the link,
    None: the question how satisfied the citizen is, where one is asked, else where the matter is followed.
    """

    template_id: str
    fields: Mapping[str, str]
    page: str | None = None


class DoesNotFit(ValueError):
    """A value is too long for its field and may not be shortened."""


def load_notices(settings: Settings) -> Mapping[str, Notice]:
    """Notification → template; empty where nothing is set up. Raises ConfigurationError that names the entry."""
    file = settings.wechat_notices or settings.home / FILE
    if not file.exists():
        if settings.wechat_notices is not None:
            raise _faulty(file, "文件不存在")
        return {}
    try:
        return {name: _notice(file, name, entry) for name, entry in tomllib.loads(file.read_text("utf-8")).items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _faulty(file, str(error)) from error


def filled(notice: Notice, values: Mapping[str, str]) -> dict[str, str]:
    """The template's fields from the notification's values. Raises DoesNotFit, naming the field."""
    return {field: fitted(field, values.get(name, "").strip() or EMPTY) for field, name in notice.fields.items()}


def page_of(notice: Notice, values: Mapping[str, str]) -> str | None:
    """What a touch on the notification opens; None where there is nothing to open."""
    names = (notice.page,) if notice.page else OPENED
    return next((values[name] for name in names if values.get(name)), None)


def fitted(field: str, value: str) -> str:
    """``value`` as the field takes it: one line, short enough. Raises DoesNotFit."""
    value = " ".join(value.split())
    kind = _kind(field)
    longest = LONGEST.get(kind, LONGEST_OTHER)
    if len(value) <= longest:
        return value
    if kind not in CUT:
        raise DoesNotFit(f"{field}: {len(value)} > {longest}")
    return value[: longest - 1] + "…"


def _kind(field: str) -> str:
    match = _FIELD.fullmatch(field)
    return match.group(1) if match else field


def _notice(file: Path, name: str, entry: Any) -> Notice:
    if not isinstance(entry, dict) or not isinstance(entry.get("template_id"), str) or not entry["template_id"]:
        raise _faulty(file, f"[{name}] 没有 template_id")
    fields = entry.get("fields")
    if not isinstance(fields, dict) or not fields or not all(isinstance(each, str) for each in fields.values()):
        raise _faulty(file, f"[{name}] 没有 fields，或者取值不是文字")
    if bad := [field for field in fields if not _FIELD.fullmatch(field)]:
        raise _faulty(file, f"[{name}] 字段名不对：{'、'.join(bad)}")
    return Notice(entry["template_id"], dict(fields), entry.get("page"))


def _faulty(file: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"订阅通知的对照文件 {file} 有误：{reason}。",
        code="wechat_notices",
        remedy="请按 docs/wechat.md 的例子改正；字段名照公众平台模板详情里的写。",
        details=[{"setting": "WENBAN_WECHAT_NOTICES"}],
    )
