"""The commands ``import``, ``export`` and ``index``: the catalogue of guides and powers, and what it is found by."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from bot.errors import InvalidInput, NotFound
from bot.matters.form import GUIDES
from bot.matters.publishing import ImportReport
from bot.matters.sheets import write_workbook
from bot.settings import Settings, load_settings
from channels.console import parts
from channels.console.output import OUT, SAY, detail_table, errors_as_json, print_json, step, table

Kind = Literal["guides", "powers"]
NOUNS: dict[Kind, str] = {"guides": "办事指南", "powers": "权责清单"}
SHOWN_NOTES = 20


def import_file(kind: Kind, file: Path, *, replace: bool, dry_run: bool, as_json: bool) -> None:
    """Validates ``file`` and publishes it as a whole; says what changed. Raises WenbanError, with nothing changed."""
    settings = load_settings()
    with errors_as_json(as_json):
        if not file.is_file():
            raise InvalidInput(f"找不到文件 {file}。", code="file_missing", remedy="请检查路径。")
        parts.upgrade(settings)
        service = parts.matters(settings)
        run = service.import_guides if kind == "guides" else service.import_powers
        with step(f"{'校验' if dry_run else '导入'}{NOUNS[kind]} {file.name}") as meter:
            report = run(file, replace=replace, dry_run=dry_run, progress=meter.phase, actor="terminal")
    if as_json:
        print_json({**asdict(report), "notes": [note.as_dict() for note in report.notes]})
    else:
        _show_import(report)


def _show_import(report: ImportReport) -> None:
    counts = {"新增": report.added, "有改动": report.changed, "未变": report.unchanged, "取消": report.retired}
    OUT.print("　".join(f"{name} {count}" for name, count in counts.items()))
    if report.notes:
        OUT.print(f"[yellow]![/] 有 {len(report.notes)} 处值得一看（不影响导入）：")
        OUT.print(detail_table([note.as_dict() for note in report.notes[:SHOWN_NOTES]]))
    if report.dry_run:
        OUT.print("只是校验，没有发布。")
    elif report.published:
        OUT.print(f"已发布目录版本 {report.version}。")
    else:
        OUT.print(f"与现有目录完全相同，版本仍是 {report.version}。")


def export_guides(file: Path, *, empty: bool) -> None:
    """Writes the published guides to ``file`` (.xlsx or .jsonl), or an empty form (.xlsx)."""
    suffix = file.suffix.lower()
    if suffix not in {".xlsx", ".jsonl"} or (empty and suffix != ".xlsx"):
        raise InvalidInput(
            f"不知道怎样写成 {file.name}。", remedy="文件名请以 .xlsx 或 .jsonl 结尾；空白表格只有 .xlsx。"
        )
    if empty:
        write_workbook(file, GUIDES)
        OUT.print(f"空白表格：{file}（各列含义见“填写说明”表）")
        return
    settings = load_settings()
    parts.upgrade(settings)
    guides = [guide.model_dump(mode="json", exclude_none=True) for guide in parts.matters(settings).guides()]
    if suffix == ".xlsx":
        write_workbook(file, GUIDES, guides)
    else:
        file.write_text("".join(json.dumps(guide, ensure_ascii=False) + "\n" for guide in guides), encoding="utf-8")
    OUT.print(f"{len(guides)} 个事项：{file}")


def index_info(*, as_json: bool) -> None:
    """Prints what the index that is searched holds. Raises NotFound where there is none."""
    with errors_as_json(as_json):
        settings = load_settings()
        folder = searched_folder(settings)
        info: dict[str, Any] = {"folder": str(folder), **json.loads((folder / "index.json").read_text("utf-8"))}
        info["bytes"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if as_json:
        print_json(info)
    else:
        OUT.print(table(["", ""], [[name, value] for name, value in info.items()], title="语义索引"))


def rebuild_index() -> None:
    """Builds the index of the published catalogue anew; texts already encoded come from the cache."""
    settings = load_settings()
    parts.upgrade(settings)
    try:
        (searched_folder(settings) / "index.json").unlink()  # what is not whole is rebuilt; searches hold theirs open
    except NotFound:
        SAY.print("[dim]还没有索引。[/]")
    with step("重建语义索引") as meter:
        built = parts.matters(settings).reconcile(meter.phase)
    OUT.print("已重建。" if built else "没有已发布的目录，或正在导入：没有可重建的。")


def searched_folder(settings: Settings) -> Path:
    """The folder of the index that is searched now. Raises NotFound."""
    root = settings.home / "index"
    try:
        folder = root / (root / "current").read_text("utf-8").strip()
    except FileNotFoundError:
        folder = root / "none"
    if not (folder / "index.json").exists():
        raise NotFound("还没有索引。", code="index_missing", remedy="先用 wenban import guides 文件 导入办事指南。")
    return folder
