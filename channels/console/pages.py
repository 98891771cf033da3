"""The generated parts of the documentation: the settings page, the figures of the last evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.errors import Unavailable
from bot.people.model import ROLE_NAMES, Role
from bot.settings import ENV_PREFIX, Settings
from channels.console.processes import ROOT
from channels.console.reporting import GROUPS, percent, score_rows
from channels.wechat import words
from index.evaluation.scoring import Report

DOCS = ROOT / "docs"

SETTINGS_HEAD = """# 设置

本页由 `make docs` 生成，勿手改。设置只从环境变量读取一次；`wenban check` 说明每一项现在的值与来源。
生产环境（`WENBAN_ENVIRONMENT=production`）会拒绝不安全的值，并说明怎么改。

"""

DEFAULTS = {
    "home": "`var/`",
    "database_url": "SQLite：`{home}/wenban.db`",
    "rasa_url": "`http://127.0.0.1:{rasa_port}`",
}
"""Defaults that depend on another setting, as the page shows them."""


def settings_page() -> str:
    """docs/settings.md: every setting with its values, its default and what it means."""
    rows = [_setting_row(name, field) for name, field in Settings.model_fields.items()]
    return SETTINGS_HEAD + markdown_table(["变量", "取值", "默认", "含义"], rows)


def _setting_row(name: str, field: FieldInfo) -> list[str]:
    return [f"`{ENV_PREFIX}{name.upper()}`", _values(field.annotation), _default(name, field), field.description or ""]


def _values(annotation: Any) -> str:
    options = [option for option in get_args(annotation) if option is not type(None)]
    if options and all(isinstance(option, str) for option in options):
        return "、".join(f"`{option}`" for option in options)
    kinds = [_kind(option) for option in options or [annotation]]
    return kinds[0]


def _kind(annotation: Any) -> str:
    names = {int: "整数", float: "数", str: "文字", Path: "目录"}
    return names.get(annotation, "密钥" if getattr(annotation, "__name__", "") == "SecretStr" else "文字")


def _default(name: str, field: FieldInfo) -> str:
    if name in DEFAULTS:
        return DEFAULTS[name]
    return "–" if field.default in (None, PydanticUndefined) else f"`{field.default}`"


MOST_FAILED = 0.01
"""Share of questions without an answer up to which a result is fit to be written down."""


def write_evaluation(part: str, report: Report, matters: int) -> None:
    """Puts the figures of ``report`` into docs/evaluation.md, between its marks for ``part``.

    Raises Unavailable, with the page as it was, where too many questions got no answer at all for the rest to count.
    """
    failed = report.outcomes.get("error", 0)
    if failed > MOST_FAILED * report.scores.questions:
        raise Unavailable(
            f"{failed} 个问题没有得到任何回答，结果没有写进文档。",
            code="evaluation_failed",
            remedy="请看网关日志，排除故障后重新评测。",
        )
    page = DOCS / "evaluation.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), part, figures(report, matters)), encoding="utf-8")


def figures(report: Report, matters: int) -> str:
    """The figures of ``report`` in Markdown."""
    rows = [[str(cell) for cell in row] for row in score_rows(report.scores)]
    groups = [
        [GROUPS[name], str(s.questions), percent(s.answered_right.share), percent(s.within_three.share)]
        for name, s in report.by_siblings.items()
    ]
    latency = "，".join(f"{name} {ms:.0f} ms" for name, ms in report.latency.items() if ms is not None)
    error = percent(report.calibration.error)
    asked = f"目录：{matters} 个训练从未见过的事项；问题：{report.scores.questions} 个。"
    head = f"{asked}每轮：{latency}。校准误差 {error}%。\n\n"
    table = markdown_table(["指标", "%", "95 % 区间", "题数"], rows)
    return head + table + "\n" + markdown_table(["", "题数", "一次答对 %", "三个之内 %"], groups)


def filled(page: str, name: str, content: str) -> str:
    """``page`` with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced; ValueError without these."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"no place for {name}")
    return pattern.sub(lambda match: f"{match[1]}{content}{match[2]}", page)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars in cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def wechat_page() -> str:
    """docs/wechat.md with the platform's errors as the channel knows them."""
    page = (DOCS / "wechat.md").read_text(encoding="utf-8")
    rows = [[name, meaning] for name, meaning in words.table("platform").items() if name != "other"]
    return filled(page, "platform", markdown_table(["编号", "意思"], rows))


def access_page() -> str:
    """docs/access.md with which role may call what, read off the routes."""
    from channels.app import create_app  # the whole gateway, which the other pages do without
    from channels.web.access import accesses

    page = (DOCS / "access.md").read_text(encoding="utf-8")
    guarded = [access for access in accesses(create_app(Settings())) if access.roles is not None]
    rows = [
        [f"`{access.method} {access.path}`", *("✓" if role in (access.roles or ()) else "" for role in Role)]
        for access in guarded
    ]
    return filled(page, "routes", markdown_table(["", *ROLE_NAMES.values()], rows))


def write_generated() -> None:
    """Writes every generated page: ``make docs``."""
    (DOCS / "wechat.md").write_text(wechat_page(), encoding="utf-8")
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
    (DOCS / "access.md").write_text(access_page(), encoding="utf-8")
