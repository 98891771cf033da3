"""The commands ``import cases``, ``export cases`` and ``cases``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from bot.cases.form import CASES
from bot.cases.importing import CaseImportReport
from bot.errors import InvalidInput
from bot.matters.sheets import write_workbook
from bot.settings import load_settings
from channels.console import parts
from channels.console.output import OUT, detail_table, errors_as_json, print_json, step, table

ACTOR = "terminal"
SHOWN_NOTES = 20
STATES = {"refused": "没有送到", "unsure": "不确定是否送到"}


def import_cases(file: Path, *, replace: bool, dry_run: bool, as_json: bool) -> None:
    """Validates ``file`` and stores it as a whole; says what changed. Raises WenbanError, with nothing changed."""
    settings = load_settings()
    with errors_as_json(as_json):
        if not file.is_file():
            raise InvalidInput(f"找不到文件 {file}。", code="file_missing", remedy="请检查路径。")
        parts.upgrade(settings)
        keeper = parts.casework(settings).keeper
        with step(f"{'校验' if dry_run else '导入'}办件 {file.name}") as meter:
            report = keeper.import_file(file, replace=replace, dry_run=dry_run, actor=ACTOR, progress=meter.phase)
    if as_json:
        print_json({**asdict(report), "notes": [note.as_dict() for note in report.notes]})
    else:
        _show(report)


def _show(report: CaseImportReport) -> None:
    counts = {"新增": report.added, "有改动": report.changed, "未变": report.unchanged, "删除": report.removed}
    OUT.print("　".join(f"{name} {count}" for name, count in counts.items()))
    if report.notes:
        OUT.print(f"[yellow]![/] 有 {len(report.notes)} 处值得一看（不影响导入）：")
        OUT.print(detail_table([note.as_dict() for note in report.notes[:SHOWN_NOTES]]))
    if report.dry_run:
        OUT.print("只是校验，没有保存。")


def empty_form(file: Path) -> None:
    """Writes an empty form of cases."""
    if file.suffix.lower() != ".xlsx":
        raise InvalidInput(f"不知道怎样写成 {file.name}。", remedy="文件名请以 .xlsx 结尾。")
    write_workbook(file, CASES)
    OUT.print(f"空白表格：{file}（各列含义见“填写说明”表）")


def status(*, as_json: bool) -> None:
    """How many cases there are, how the feeds go, and which notices did not arrive."""
    settings = load_settings()
    with errors_as_json(as_json):
        parts.upgrade(settings)
        casework = parts.casework(settings)
        count, feeds = casework.keeper.count(), casework.keeper.feeds()
        undelivered = casework.notifications.undelivered()
    if as_json:
        print_json({"cases": count, "feeds": feeds, "undelivered": undelivered})
        return
    OUT.print(f"办件 {count} 件")
    for feed in feeds:
        trouble = feed["trouble"]
        OUT.print(f"来源 {feed['source']}：{feed['read_at']:%Y-%m-%d %H:%M:%S} 读到 {feed['taken']} 条")
        if isinstance(trouble, list) and trouble:
            OUT.print(table(["办件编号", "没有接收的原因"], [(each["number"], each["reason"]) for each in trouble]))
    if undelivered:
        rows = [
            (
                f"{row['created_at']:%m-%d %H:%M}",
                row["key"],
                row["title"],
                STATES[str(row["state"])],
                row["reason"] or "",
            )
            for row in undelivered
        ]
        OUT.print(table(["时间", "通知", "内容", "状态", "原因"], rows, title="没有送达的通知"))


def reseal() -> None:
    """Seals every case anew with the present data key."""
    settings = load_settings()
    parts.upgrade(settings)
    with step("用现在的数据密钥重新加密"):
        count = parts.casework(settings).keeper.reseal()
    OUT.print(f"重新加密 {count} 件。全部完成后可以去掉 WENBAN_DATA_KEY_PREVIOUS。")
