"""The commands ``calendar``: the State Council's yearly arrangement of working days, as an administrator loads it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.clock import SystemClock
from bot.errors import InvalidInput
from bot.settings import load_settings
from bot.workdays import keep_table, load_calendar
from channels.console.output import OUT, table

SHOWN_YEARS = 2
"""Years after the present one that the overview names: limits seldom reach further."""


def load(file: Path) -> None:
    """Takes in the yearly table in ``file``. Running processes go by it at once. Raises WenbanError."""
    if not file.is_file():
        raise InvalidInput(f"找不到文件 {file}。", code="file_missing", remedy="请检查路径。")
    kept = keep_table(file, load_settings().home / "calendar")
    OUT.print(
        f"已载入 {kept.year} 年工作日历：放假 {len(kept.days_off)} 天（不含普通周末），"
        f"调休上班 {len(kept.make_up_days)} 天。正在运行的服务随即按它计算。"
    )


def show() -> None:
    """Says for the coming years whether their arrangement is known, and from where."""
    calendar = load_calendar(load_settings().home / "calendar")
    this_year = SystemClock().now().year
    rows = []
    for year in range(this_year, this_year + SHOWN_YEARS + 1):
        loaded = year in calendar.tables
        provisional = calendar.is_provisional(date(year, 6, 30))
        rows.append((year, "已载入" if loaded else "未公布，期限标为暂定" if provisional else "随附"))
    OUT.print(table(["年份", "安排"], rows))
