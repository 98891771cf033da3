"""``wenban``: the command line. Commands are declared here; what they do lives in :mod:`channels.console`.

Modules are imported inside the commands, so that ``wenban --help`` does not wait for the database or the encoder.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import WenbanError

HELP = "问办：办事指南、办件进度、投诉建议的开放助手。设置用 WENBAN_* 环境变量，见 docs/settings.md。"

app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
imports = typer.Typer(help="导入一个文件（JSON Lines 或 .xlsx）：先整体校验，全部无误才发布。", no_args_is_help=True)
exports = typer.Typer(help="导出目录，或一份空白表格。", no_args_is_help=True)
evals = typer.Typer(help="用标注过的问题给助手打分。", no_args_is_help=True)
indexes = typer.Typer(help="语义索引。", no_args_is_help=True)
for group, name in ((imports, "import"), (exports, "export"), (evals, "eval"), (indexes, "index")):
    app.add_typer(group, name=name, rich_help_panel=None)

Json = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序使用。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只校验并说明会改变什么，不发布。")]
Replace = Annotated[bool, typer.Option("--replace", help="文件中没有的，视为已取消。")]
Given = Annotated[Path, typer.Argument(metavar="文件", help="JSON Lines 或 .xlsx", show_default=False)]


def main() -> None:
    """The entry point: errors that can be explained are explained, with status 1."""
    try:
        app()
    except WenbanError as error:
        from channels.console.output import show_error

        show_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("\n已中断。\n")
        sys.exit(130)


@app.command()
def serve(
    sample_city: Annotated[bool, typer.Option("--sample-city", help="目录为空时导入示例城市云山市。")] = False,
) -> None:
    """启动全部进程（网关、后台任务、Rasa），Ctrl-C 停止。"""
    from bot.settings import load_settings
    from channels.console.serve import serve

    serve(load_settings(), sample_city=sample_city)


@app.command(hidden=True)
def gateway() -> None:
    """只启动网关。"""
    from channels.console.processes import run_gateway

    run_gateway()


@app.command(hidden=True)
def worker() -> None:
    """只启动后台任务。"""
    from channels.console.processes import run_worker

    run_worker()


@imports.command("guides")
def import_guides(file: Given, replace: Replace = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """导入办事指南。"""
    from channels.console.catalogue import import_file

    import_file("guides", file, replace=replace, dry_run=dry_run, as_json=as_json)


@imports.command("powers")
def import_powers(file: Given, replace: Replace = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """导入权责清单。"""
    from channels.console.catalogue import import_file

    import_file("powers", file, replace=replace, dry_run=dry_run, as_json=as_json)


@exports.command("guides")
def export_guides(
    file: Annotated[Path, typer.Argument(metavar="文件", help="写到哪里：.jsonl 或 .xlsx", show_default=False)],
    empty: Annotated[bool, typer.Option("--empty", help="只要空白表格（.xlsx）。")] = False,
) -> None:
    """导出办事指南。"""
    from channels.console.catalogue import export_guides

    export_guides(file, empty=empty)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(metavar="问题", show_default=False)],
    conversation: Annotated[str | None, typer.Option("--conversation", help="接着哪一次对话。")] = None,
    as_json: Json = False,
) -> None:
    """问一句，经过与网页相同的路径。没有服务在运行时临时启动。"""
    from channels.console.talking import ask

    asyncio.run(ask(text, conversation, as_json=as_json))


@app.command()
def chat() -> None:
    """在终端里对话，选项用数字回复。"""
    from channels.console.talking import talk

    asyncio.run(talk())


@evals.command("questions")
def eval_questions(
    file: Annotated[Path, typer.Argument(metavar="文件", help="标注过的问题（JSON Lines）", show_default=False)],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="文件", help="把报告写成 JSON。")] = None,
    wrong_file: Annotated[
        Path | None, typer.Option("--wrong", metavar="文件", help="把答错的写成 JSON Lines。")
    ] = None,
    clients: Annotated[int, typer.Option(min=1, max=64, help="同时提问的人数。")] = 4,
    server: Annotated[str | None, typer.Option(help="对哪个正在运行的服务提问；默认临时启动一个。")] = None,
) -> None:
    """用文件中的问题给已发布的目录打分，经过与网页相同的路径。"""
    from channels.console.examination import eval_questions

    asyncio.run(eval_questions(file, json_file, wrong_file, clients, server))


@evals.command("held-out")
def eval_held_out(
    part: Annotated[str, typer.Argument(metavar="development|test")] = "development",
    clients: Annotated[int, typer.Option(min=1, max=64, help="同时提问的人数。")] = 4,
    write_docs: Annotated[bool, typer.Option("--docs", help="把结果写进 docs/evaluation.md。")] = False,
) -> None:
    """只导入留出的事项家族（训练从未见过的目录），用留出的问题打分。"""
    from channels.console.examination import eval_held_out

    eval_held_out(part, clients, write_docs=write_docs)


@app.command()
def check(as_json: Json = False) -> None:
    """逐项说明配置了什么、来自哪里、有什么问题；有问题时以状态 1 结束。"""
    from channels.console.check import check

    raise typer.Exit(check(as_json=as_json))


@indexes.command("info")
def index_info(as_json: Json = False) -> None:
    """索引的版本、大小、编码器。"""
    from channels.console.catalogue import index_info

    index_info(as_json=as_json)


@indexes.command("rebuild")
def index_rebuild() -> None:
    """按已发布的目录重建索引。"""
    from channels.console.catalogue import rebuild_index

    rebuild_index()
